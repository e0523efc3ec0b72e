"""Strict reading of tables: every cell is returned, or the reason is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virshort.errors import InputError
from virshort.sources.tables import read_rows, read_text

words = st.text("abcXYZ1_é;", min_size=1, max_size=5)


@given(st.lists(words, min_size=1, max_size=5, unique=True), st.data(), st.sampled_from([",", "\t"]))
def test_every_cell_is_returned(columns, data, delimiter):
    row = st.lists(words, min_size=len(columns), max_size=len(columns))
    rows = data.draw(st.lists(row, min_size=1, max_size=4))
    text = "\n\n".join(delimiter.join(cells) for cells in [columns, *rows])
    found = list(read_rows(text, "t", delimiter, columns[:1], columns[1:]))
    assert [list(cells.values()) for _, cells in found] == rows
    assert [line for line, _ in found] == [3 + 2 * i for i in range(len(rows))]


@given(st.text(max_size=100), st.sampled_from([",", "\t"]))
def test_any_text_is_read_or_refused_with_the_name_of_the_table(text, delimiter):
    try:
        rows = list(read_rows(text, "t.tsv", delimiter, ["id"], ["kingdom"]))
    except InputError as e:
        assert str(e).startswith("t.tsv")
    else:
        assert rows and all("id" in cells for _, cells in rows)


@given(words, words.filter(lambda w: w not in ("id", "kingdom")))
def test_an_unknown_column_is_never_dropped(cell, column):
    with pytest.raises(InputError, match="t, line 1, header: unknown column "):
        list(read_rows(f"id\t{column}\na\t{cell}\n", "t", "\t", ["id"], ["kingdom"]))


def test_a_file_that_is_not_utf_8_is_named_with_the_line(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_bytes(b"id\na\ncaf\xe9\n")
    with pytest.raises(InputError, match=r"t\.tsv, line 3: is not UTF-8"):
        read_text(path)
