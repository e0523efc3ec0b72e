"""The samplesheet and the source table: what is tolerated comes back the same, what is refused is named."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from virshort.errors import InputError
from virshort.sources.samplesheet import SheetRow, SourceRow, parse_samplesheet, read_samplesheet, read_source_table

wild = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Anything that UTF-8 holds, without line ends (csv would keep them) and NUL.
cells = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n\0"), max_size=20).map(str.strip)
paths = (
    st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=20)
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


REFUSED = {
    "unknown label": ("fasta,label\nv.fa,virall\n", ["line 2, label", "'virall'", "did you mean viral?"]),
    "other spelling": ("fasta,label\nv.fa,viral\nn.fa,non-viral\n", ["line 3, label", "did you mean nonviral?"]),
    "upper case": ("fasta,label\nv.fa,VIRAL\nn.fa,nonviral\n", ["line 2, label", "did you mean viral?"]),
    "no label": ("fasta,label\nv.fa,\nn.fa,nonviral\n", ["line 2, label", "''", "viral, nonviral"]),
    "one label": ("fasta,label\nv.fa,viral\nw.fa,viral\n", ["no row is nonviral"]),
    "wrong split": ("fasta,label,split\nv.fa,viral,trian\n", ["line 2, split", "did you mean train?"]),
    "no path": ("fasta,label\n,viral\nn.fa,nonviral\n", ["line 2, fasta", "empty"]),
    "a file twice": (GOOD + "./v.fa,viral\n", ["line 4, fasta", "v.fa", "line 2"]),
    "missing column": ("fasta,kingdom\nv.fa,phage\n", ["line 1, header", "column label is missing"]),
    "unknown column": ("fasta,label,kindom\nv.fa,viral,x\n", ["line 1, header", "'kindom'", "did you mean kingdom?"]),
    "unnamed column": ("fasta,label,\nv.fa,viral,\n", ["line 1, header", "''"]),
    "column twice": ("fasta,label,label\nv.fa,viral,viral\n", ["label is there twice"]),
    "semicolons": ("fasta;label\nv.fa;viral\n", ["parted by semicolons", "commas"]),
    "tabs": ("fasta\tlabel\nv.fa\tviral\n", ["parted by tabs", "commas"]),
    "too many cells": (GOOD + "x.fa,viral,phage\n", ["line 4", "3 cells", "header has 2"]),
    "too few cells": (GOOD + "x.fa\n", ["line 4", "1 cells", "header has 2"]),
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
    with pytest.raises(InputError, match="can't be read"):
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
        "\ufeffid\torganism\tkingdom\tlabel\tcluster\tsplit\r\n\r\n"
        'ä|1\tphage "X"\tphage\tviral\tNA\ttrain\r\nb\t\t\tother\tc1\t\r\n'
    )
    assert read_source_table(table(tmp_path, text)) == {
        "ä|1": SourceRow(3, "viral", "phage", None, None, "train"),
        "b": SourceRow(4, None, None, None, "c1", None),
    }


TABLE_REFUSED = {
    "no id": ("source\tkingdom\na\tb\n", ["line 1, header", "column id is missing"]),
    "commas": ("id,kingdom\na,b\n", ["parted by commas", "tabs"]),
    "an id twice": ("id\tkingdom\na\tx\n\na\ty\n", ["line 4, id: a", "line 2"]),
    "an id left out": ("id\tkingdom\n\tx\n", ["line 2, id", "empty"]),
    "wrong split": ("id\tsplit\na\tvalid\n", ["line 2, split", "did you mean val?"]),
    "another width": ("id\tkingdom\na\n", ["line 2", "1 cells"]),
    "column twice": ("id\tsplit\tsplit\na\t\t\n", ["split is there twice"]),
    "empty": ("", ["is empty"]),
    "no rows": ("id\tkingdom\n", ["no rows"]),
}


@pytest.mark.parametrize("name", TABLE_REFUSED)
def test_source_table_refused(tmp_path, name):
    text, words = TABLE_REFUSED[name]
    with pytest.raises(InputError) as e:
        read_source_table(table(tmp_path, text))
    assert all(word in str(e.value) for word in ["t.tsv", *words]), str(e.value)


def test_real_table(shared):
    rows = read_source_table(shared / "data/genomes_small/genomes.tsv")
    assert len(rows) == 297
    assert rows["v00155_JN698989.1"] == SourceRow(2, "viral", "prokaryotic virus", None, "vg00077", None)
