"""From samplesheet to store: the script as the pipeline calls it, on good input and on every kind of bad input."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import check_input
from virshort.errors import InputError
from virshort.sources.store import SCHEMA, Sources

OUTPUTS = {"sources.seq", "sources.parquet", "skipped.tsv", "input.json"}
TWO_FILES = "fasta,label\nv.fa,viral\nn.fa,nonviral\n"
A, B, C, D = "ACGTTGCA" * 30, "GGGCCATT" * 40, "ATATCGTA" * 25, "CCCTTTAG" * 50


def fasta(*records: tuple[str, str]) -> str:
    return "".join(f">{name}\n{sequence}\n" for name, sequence in records)


def check(folder: Path, *options: object, sheet: str = TWO_FILES, **files: str) -> Path:
    """Run check_input on files given by stem (v=..., n=..., t= the source table); return its outdir."""
    (folder / "sheet.csv").write_text(sheet, encoding="utf-8")
    for stem, text in {"v": fasta(("a", A), ("b", B)), "n": fasta(("c", C), ("d", D)), **files}.items():
        (folder / ("t.tsv" if stem == "t" else f"{stem}.fa")).write_text(text, encoding="utf-8")
    table = ["--source-table", str(folder / "t.tsv")] if "t" in files else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sys,
            "argv",
            [
                "check_input.py",
                "--samplesheet",
                str(folder / "sheet.csv"),
                "--outdir",
                str(folder / "out"),
                *table,
                *map(str, options),
            ],
        )
        check_input.main()
    return folder / "out"


def test_the_store(tmp_path):
    out = check(
        tmp_path,
        v=fasta(("a|1 x", A.lower()), ("é/2", "N" * 20 + B.replace("T", "U"))),
        t="id\tkingdom\tfamily\na|1\tphage\tSipho\nd\tfungi\tNA\nzz\tnowhere\t\n",
    )
    assert {path.name for path in out.iterdir()} == OUTPUTS
    table = pq.read_table(out / "sources.parquet")
    assert table.schema.equals(SCHEMA)
    rows = table.to_pylist()
    assert [(r["source"], r["label"], r["kingdom"], r["family"]) for r in rows] == [
        ("a|1", "viral", "phage", "Sipho"),
        ("é/2", "viral", "unknown", None),
        ("c", "nonviral", "unknown", None),
        ("d", "nonviral", "fungi", None),
    ]
    assert rows[1]["unambiguous"] == len(B) and rows[1]["length"] == len(B) + 20
    assert rows[1]["gc"] == pytest.approx((B.count("G") + B.count("C")) / len(B))
    assert {(r["file"], r["cluster"], r["split"]) for r in rows} == {("v.fa", None, None), ("n.fa", None, None)}
    sources = Sources(out / "sources.parquet", out / "sources.seq", ["source"])
    assert len(sources) == 4 and sources.columns["source"] == ["a|1", "é/2", "c", "d"]
    assert [sources.bases(i).tobytes().decode() for i in range(4)] == [A, "N" * 20 + B, C, D]
    assert sources.bases(0).dtype == np.uint8 and sources.sequences.size == sum(r["length"] for r in rows)
    summary = json.loads((out / "input.json").read_text())
    assert summary["records"] == 4 and summary["bases"] == sources.sequences.size and summary["skipped"] == 0
    assert summary["source_table"] == {"ids": 3, "in_no_file": 1, "records_without": 2}
    assert summary["counts"][0] == {"label": "nonviral", "kingdom": "fungi", "records": 1, "bases": len(D), "skipped": 0}


def test_left_out_and_listed(tmp_path):
    out = check(tmp_path, v=fasta(("a", A), ("empty", ""), ("short", "A" * 149), ("n", "N" * 101 + "A" * 99), ("b", B)))
    assert (out / "skipped.tsv").read_text().splitlines() == [
        "source\tfile\treason",
        "empty\tv.fa\tempty",
        "short\tv.fa\ttoo short (149 bp, at least 150 are needed)",
        "n\tv.fa\ttoo many Ns (50.5% ambiguous, at most 50% are let in)",
    ]
    assert pq.read_table(out / "sources.parquet")["source"].to_pylist() == ["a", "b", "c", "d"]
    summary = json.loads((out / "input.json").read_text())
    assert summary["reasons"] == {"empty": 1, "too many Ns": 1, "too short": 1} and summary["skipped"] == 3


def test_sheet_gives_defaults_and_table_overrides(tmp_path):
    sheet = "fasta,label,kingdom,cluster,split\nv.fa,viral,phage,k1,train\nn.fa,nonviral,,k2,test\n"
    out = check(tmp_path, sheet=sheet, t="id\tkingdom\tcluster\tsplit\nb\tother\tk3\tval\nc\t\t\t\n")
    rows = pq.read_table(out / "sources.parquet", columns=["kingdom", "cluster", "split"]).to_pylist()
    assert [tuple(r.values()) for r in rows] == [
        ("phage", "k1", "train"),
        ("other", "k3", "val"),
        ("unknown", "k2", "test"),
        ("unknown", "k2", "test"),
    ]


def test_staged_files_are_named_as_the_sheet_does(tmp_path):
    (tmp_path / "staged_1").write_bytes(gzip.compress(fasta(("a", A)).encode()))
    (tmp_path / "files.json").write_text(json.dumps({"far/away.fa.gz": str(tmp_path / "staged_1")}))
    sheet = "fasta,label\nfar/away.fa.gz,viral\nn.fa,nonviral\n"
    out = check(tmp_path, "--files", tmp_path / "files.json", sheet=sheet)
    assert pq.read_table(out / "sources.parquet")["file"].to_pylist() == ["away.fa.gz", "n.fa", "n.fa"]
    (tmp_path / "staged_1").write_bytes(b"")
    with pytest.raises(InputError, match=r"^far/away\.fa\.gz: holds no record"):
        check(tmp_path, "--files", tmp_path / "files.json", sheet=sheet)


def test_same_input_same_bytes(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    outs = [check(tmp_path / name, t="id\tkingdom\na\tx\n") for name in ("one", "two")]
    assert all((outs[0] / name).read_bytes() == (outs[1] / name).read_bytes() for name in OUTPUTS)


SHEET = "fasta,label,cluster,split\nv.fa,viral,{},{}\nn.fa,nonviral,{},{}\n"
REFUSED = {
    "an id twice in a file": ({"v": fasta(("a", A), ("b", B), ("a x", C))}, ["v.fa, record 3", "id a ", "record 1 of v.fa"]),
    "an id in two files": ({"n": fasta(("c", C), ("b", D))}, ["n.fa, record 2", "id b ", "record 2 of v.fa"]),
    "an id of a record left out": ({"v": fasta(("a", A), ("c", ""))}, ["n.fa, record 1", "id c "]),
    "protein": ({"n": fasta(("c", C), ("p", "MKLV" * 50))}, ["n.fa, record p", "protein"]),
    "no file": ({"sheet": "fasta,label\nv.fa,viral\nnone.fa,nonviral\n"}, ["none.fa", "no such file"]),
    "a label left out": (
        {"n": fasta(("c", "ACGT"), ("d", ""))},
        ["no nonviral source is left", "1 empty, 1 too short", "c of n.fa"],
    ),
    "labels disagree": ({"t": "id\tlabel\nc\tviral\n"}, ["t.tsv, line 2, label", "c is viral", "n.fa is nonviral"]),
    "table of other records": ({"t": "id\tkingdom\nx\ty\n"}, ["t.tsv, id", "x", "first record is a"]),
    "cluster for some": ({"sheet": SHEET.format("k1", "", "", "")}, ["cluster: c has none", "2 of 4"]),
    "split for some": ({"t": "id\tsplit\na\ttrain\nc\ttest\nd\ttest\n"}, ["split: b has none", "3 of 4"]),
    "a cluster in two splits": ({"sheet": SHEET.format("k1", "train", "k1", "test")}, ["cluster k1", "a in train, c in test"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_nothing_written(tmp_path, name):
    given_files, words = REFUSED[name]
    with pytest.raises(InputError) as e:
        check(tmp_path, **given_files)
    assert all(word in str(e.value) for word in words), str(e.value)
    assert not list((tmp_path / "out").glob("*")) and not list((tmp_path / "out").glob(".*"))


@pytest.mark.parametrize(("option", "value"), [("--min-length", 0), ("--max-n", 1.5), ("--max-n", "nan")])
def test_options_out_of_range(tmp_path, option, value):
    with pytest.raises(InputError, match=f"{option} {value}"):
        check(tmp_path, option, value)


def test_one_line_and_an_exit_code(tmp_path):
    (tmp_path / "sheet.csv").write_text("fasta,label\nv.fa,viral\nn.fa,nonviral\n")
    script = Path(check_input.__file__)
    done = subprocess.run(
        [sys.executable, script, "--samplesheet", "sheet.csv", "--outdir", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "virshort: v.fa: there is no such file: mend its path in the samplesheet\n"


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=9).map("r{}".format),
            st.text("ACGTN", max_size=40),
        ),
        max_size=8,
        unique_by=lambda r: r[0],
    )
)
def test_nothing_is_lost(tmp_path, records):
    """Every record is either in the store, with its bases, or in the list of those left out."""
    out = check(tmp_path, "--min-length", 4, v=fasta(("always here", "ACGT"), *records), n=fasta(("and this too", "ACGT")))
    sources = Sources(out / "sources.parquet", out / "sources.seq")
    found = {name: sources.bases(i).tobytes().decode() for i, name in enumerate(sources.columns["source"])}
    skipped = [line.split("\t")[0] for line in (out / "skipped.tsv").read_text(encoding="utf-8").split("\n")[1:-1]]
    good = [(name, s) for name, s in records if len(s) >= 4 and s.count("N") <= len(s) / 2]
    assert [(name, found[name]) for name, _ in good] == good
    assert skipped == [name for name, s in records if (name, s) not in good]
    assert sources.sequences.size == sum(map(len, found.values()))


def test_real_genomes(tmp_path, shared):
    data = shared / "data/genomes_small"
    sheet = f"fasta,label\n{data}/viral.fa.gz,viral\n{data}/nonviral.fa.gz,nonviral\n"
    out = check(tmp_path, "--source-table", data / "genomes.tsv", sheet=sheet)
    summary = json.loads((out / "input.json").read_text())
    assert (summary["records"], summary["skipped"]) == (297, 0)
    assert summary["source_table"] == {"ids": 297, "in_no_file": 0, "records_without": 0}
    assert None not in Sources(out / "sources.parquet", out / "sources.seq", ["cluster"]).columns["cluster"]
