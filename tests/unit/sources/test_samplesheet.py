"""The samplesheet and the source table: valid tables are read as they were written, and what is refused is named."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from virshort.errors import InputError
from virshort.sources.samplesheet import (
    SheetRow,
    SourceRow,
    parse_samplesheet,
    read_samplesheet,
    read_source_table,
    resolve_path,
)

wild = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Any UTF-8 text except line ends, which csv would keep, and NUL.
cells = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n\0"), max_size=20).map(str.strip)
paths = (
    st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="*?"), min_size=1, max_size=20)
    .map(str.strip)
    .filter(lambda path: path and "/" not in path and path != ".")
)
GOOD = "fasta,label\nv.fa,viral\nn.fa,nonviral\n"


def known(cell: str) -> str | None:
    return None if cell in ("", "NA") else cell


@wild
@given(
    st.lists(
        st.tuples(paths, cells, cells, st.sampled_from(["", "train", "val", "test"])),
        min_size=2,
        max_size=6,
        unique_by=lambda row: row[0],
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
    st.permutations(range(5)),
)
def test_sheet_comes_back(tmp_path, rows, end, bom, blank, order):
    labels = ["viral", "nonviral"] * len(rows)
    table = [
        ("fasta", "label", "kingdom", "cluster", "split"),
        *((path, label, *rest) for (path, *rest), label in zip(rows, labels, strict=False)),
    ]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end)
    for row in table:
        writer.writerow([row[i] for i in order])
        if blank:
            writer.writerow([" ", ""])
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes((("\ufeff" if bom else "") + text.getvalue()).encode())
    found = read_samplesheet(sheet)
    assert [(r.fasta, r.label, r.kingdom, r.cluster, r.split) for r in found] == [
        (f, label, known(k), known(c), s or None) for f, label, k, c, s in table[1:]
    ]


def test_white_space_and_lines():
    rows = parse_samplesheet(" fasta , label\n\n v.fa ,viral \n\nsub dir/n.fa, nonviral")
    assert rows == [SheetRow(3, "v.fa", "viral"), SheetRow(5, "sub dir/n.fa", "nonviral")]


def test_another_column_may_give_the_family():
    text = "fasta,label,family,genus\nv.fa,viral,A,B\nn.fa,nonviral,C,\n"
    assert [row.family for row in parse_samplesheet(text, family="genus")] == ["B", None]
    with pytest.raises(InputError, match="unknown column 'genus'"):
        parse_samplesheet(text)


REFUSED = {
    "unknown label": ("fasta,label\nv.fa,virall\n", ["line 2, label", "'virall'", "did you mean viral?"]),
    "other spelling": ("fasta,label\nv.fa,viral\nn.fa,non-viral\n", ["line 3, label", "did you mean nonviral?"]),
    "upper case": ("fasta,label\nv.fa,VIRAL\nn.fa,nonviral\n", ["line 2, label", "did you mean viral?"]),
    "no label": ("fasta,label\nv.fa,\nn.fa,nonviral\n", ["line 2, label", "''", "nonviral, viral"]),
    "one label": ("fasta,label\nv.fa,viral\nw.fa,viral\n", ["no row is nonviral"]),
    "wrong split": ("fasta,label,split\nv.fa,viral,trian\n", ["line 2, split", "did you mean train?"]),
    "no path": ("fasta,label\n,viral\nn.fa,nonviral\n", ["line 2, fasta", "empty"]),
    "a URL": ("fasta,label\nhttps://x.org/v.fa,viral\n", ["line 2, fasta", "https://x.org/v.fa is a URL", "download the file"]),
    "a wildcard": ("fasta,label\ngenomes/*.fa,viral\n", ["line 2, fasta", "wildcard", "each file on its own line"]),
    "a line break in a path": ('fasta,label\n"v\n.fa",viral\n', ["line 3, fasta", "'v\\n.fa'", "control character"]),
    "a file twice": (GOOD + "./v.fa,viral\n", ["line 4, fasta", "v.fa", "line 2"]),
    "missing column": ("fasta,kingdom\nv.fa,phage\n", ["line 1, header", "column label is missing"]),
    "unknown column": ("fasta,label,kindom\nv.fa,viral,x\n", ["line 1, header", "'kindom'", "did you mean kingdom?"]),
    "capital column": ("fasta,Label\nv.fa,viral\n", ["line 1, header", "label is missing", "rename 'Label' to label"]),
    "unnamed column": ("fasta,label,\nv.fa,viral,\n", ["line 1, header", "''"]),
    "column twice": ("fasta,label,label\nv.fa,viral,viral\n", ["label is given twice"]),
    "semicolons": ("fasta;label\nv.fa;viral\n", ["separated by semicolons", "commas"]),
    "tabs": ("fasta\tlabel\nv.fa\tviral\n", ["separated by tabs", "commas"]),
    "too many cells": (GOOD + "x.fa,viral,phage\n", ["line 4", "3 cells", "header has 2"]),
    "too few cells": (GOOD + "x.fa\n", ["line 4", "1 cell,", "header has 2"]),
    "open quote": (GOOD + '"x.fa,viral\n', ["line 4", "unexpected end"]),
    "empty": ("", ["is empty"]),
    "blank": ("\n , \n", ["is empty"]),
    "no rows": ("fasta,label\n\n", ["no rows"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_sheet_refused(name):
    text, words = REFUSED[name]
    with pytest.raises(InputError) as e:
        parse_samplesheet(text, "sheet.csv")
    assert all(word in str(e.value) for word in ["sheet.csv", *words]), str(e.value)


def test_unreadable(tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_bytes(GOOD.encode() + "café.fa,viral\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"sheet\.csv, line 4: is not UTF-8"):
        read_samplesheet(path)
    with pytest.raises(InputError, match=r"none\.csv: there is no such file"):
        read_samplesheet(tmp_path / "none.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_source_table(tmp_path)


@wild
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    try:
        rows = parse_samplesheet(text, "sheet.csv")
    except InputError as e:
        assert "sheet.csv" in str(e)
    else:
        assert len(rows) > 1


def table(folder: Path, text: str) -> Path:
    path = folder / "t.tsv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_source_table(tmp_path):
    text = (
        '\ufeffid\tfamily\tkingdom\tlabel\tcluster\tsplit\r\n\r\nä|1\tphage "X"\tphage\tviral\tNA\ttrain\r\nb\t\t\tNA\tc1\t\r\n'
    )
    found = read_source_table(table(tmp_path, text))
    assert found.name == "t.tsv"
    assert found.rows == {
        "ä|1": SourceRow(3, "viral", "phage", 'phage "X"', None, "train"),
        "b": SourceRow(4, None, None, None, "c1", None),
    }


TABLE_REFUSED = {
    "misspelt column": ("id\tspilt\na\ttrain\n", ["line 1, header", "'spilt' (did you mean split?)", "rename or remove"]),
    "plural column": ("id\tclusters\na\tc\n", ["'clusters' (did you mean cluster?)"]),
    "capital columns": (
        "id\tKingdom\tSplit\na\tx\ttrain\n",
        ["'Kingdom' (did you mean kingdom?), 'Split' (did you mean split?)"],
    ),
    "other columns": (
        "id\torganism\tlength\na\tx\t9\n",
        ["unknown columns 'organism', 'length'", "id, label, kingdom, family"],
    ),
    "capital id": ("ID\tkingdom\na\tx\n", ["column id is missing", "rename 'ID' to id"]),
    "unknown label": ("id\tlabel\na\tnon-viral\n", ["line 2, label", "'non-viral' is not a label", "did you mean nonviral?"]),
    "capital label": ("id\tlabel\na\tViral\n", ["line 2, label", "'Viral'", "did you mean viral?"]),
    "no id": ("source\tkingdom\na\tb\n", ["line 1, header", "column id is missing"]),
    "commas": ("id,kingdom\na,b\n", ["separated by commas", "tabs"]),
    "an id twice": ("id\tkingdom\na\tx\n\na\ty\n", ["line 4, id: a", "line 2"]),
    "an id left out": ("id\tkingdom\n\tx\n", ["line 2, id", "empty"]),
    "wrong split": ("id\tsplit\na\tvalid\n", ["line 2, split", "did you mean val?"]),
    "another width": ("id\tkingdom\na\n", ["line 2", "1 cell,"]),
    "column twice": ("id\tsplit\tsplit\na\t\t\n", ["split is given twice"]),
    "empty": ("", ["is empty"]),
    "no rows": ("id\tkingdom\n", ["no rows"]),
}


@pytest.mark.parametrize("name", TABLE_REFUSED)
def test_source_table_refused(tmp_path, name):
    text, words = TABLE_REFUSED[name]
    with pytest.raises(InputError) as e:
        read_source_table(table(tmp_path, text))
    assert all(word in str(e.value) for word in ["t.tsv", *words]), str(e.value)


def test_paths_are_absolute_in_the_home_folder_or_relative_to_the_sheet(monkeypatch):
    monkeypatch.setenv("HOME", "/home/x")
    paths = ["/data/v.fa", "~/v.fa", "sub/v.fa", "~v.fa"]
    expected = ["/data/v.fa", "/home/x/v.fa", "/sheets/sub/v.fa", "/sheets/~v.fa"]
    assert [str(resolve_path(path, Path("/sheets"))) for path in paths] == expected
