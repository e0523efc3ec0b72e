"""From samplesheet to sources: valid input is stored completely, and invalid input is named."""

import gzip
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import check_input
from virshort.errors import InputError
from virshort.sources.reading import Collection, InputSummary, Limits, read_sources, summarize_input
from virshort.sources.samplesheet import SourceTable, parse_samplesheet, read_source_table, resolve_path
from virshort.sources.store import SCHEMA

TWO_FILES = "fasta,label\nv.fa,viral\nn.fa,nonviral\n"
A, B, C, D = "ACGTTGCA" * 30, "GGGCCATT" * 40, "ATATCGTA" * 25, "CCCTTTAG" * 50
LIMITS = Limits(min_length=150, max_n=0.5, long_window=150)


def fasta(*records: tuple[str, str]) -> str:
    return "".join(f">{name}\n{sequence}\n" for name, sequence in records)


Given = tuple[Collection, dict[str, str], InputSummary]


def read(folder: Path, *, sheet: str = TWO_FILES, limits: Limits = LIMITS, **files: str) -> Given:
    """Read files that are given by stem (v=..., n=..., and t= for the source table): the collection, the stored bases by id and
    the summary."""
    for stem, text in {"v": fasta(("a", A), ("b", B)), "n": fasta(("c", C), ("d", D)), **files}.items():
        (folder / ("t.tsv" if stem == "t" else f"{stem}.fa")).write_text(text, encoding="utf-8")
    table = read_source_table(folder / "t.tsv") if "t" in files else SourceTable()
    rows, sequences = parse_samplesheet(sheet, "sheet.csv"), io.BytesIO()
    found = read_sources(rows, [resolve_path(row.fasta, folder) for row in rows], table, limits, sequences)
    letters = sequences.getvalue().decode()
    assert len(letters) == found.bases == sum(s["length"] for s in found.sources)
    stored = {s["source"]: letters[s["offset"] : s["offset"] + s["length"]] for s in found.sources}
    return found, stored, summarize_input(found, table, limits)


def test_all_records_are_stored(tmp_path):
    found, stored, summary = read(
        tmp_path,
        v=fasta(("a|1 x", A.lower()), ("é/2", "N" * 20 + B.replace("T", "U"))),
        t="id\tkingdom\tfamily\na|1\tphage\tSipho\nd\tfungi\tNA\nzz\tnowhere\t\n",
    )
    assert [(s["source"], s["label"], s["kingdom"], s["family"]) for s in found.sources] == [
        ("a|1", "viral", "phage", "Sipho"),
        ("é/2", "viral", "unknown", None),
        ("c", "nonviral", "unknown", None),
        ("d", "nonviral", "fungi", None),
    ]
    assert found.sources[1]["unambiguous"] == len(B) and found.sources[1]["length"] == len(B) + 20
    assert found.sources[1]["gc"] == pytest.approx((B.count("G") + B.count("C")) / len(B))
    assert {(s["file"], s["cluster"], s["split"]) for s in found.sources} == {("v.fa", None, None), ("n.fa", None, None)}
    assert stored == {"a|1": A, "é/2": "N" * 20 + B, "c": C, "d": D}
    assert summary["records"] == 4 and summary["bases"] == found.bases and summary["skipped"] == 0
    assert summary["source_table"] == {"ids": 3, "in_no_file": 1, "records_without": 2}
    assert summary["counts"][0] == {"label": "nonviral", "kingdom": "fungi", "records": 1, "bases": len(D), "skipped": 0}
    assert summary["notes"] == [
        "Ids in t.tsv that no record has: 1 of 3, the first of them zz.",
        "Records that t.tsv does not list: 2 of 4, the first of them é/2.",
    ]


def test_skipped_records_are_listed_with_the_reason(tmp_path):
    v = fasta(("a", A), ("empty", ""), ("short", "A" * 149), ("n", "N" * 101 + "A" * 99), ("b", B))
    found, _, summary = read(tmp_path, v=v)
    assert [(s["source"], s["file"], s["reason"]) for s in found.skipped] == [
        ("empty", "v.fa", "empty"),
        ("short", "v.fa", "too short (149 bp, at least 150 are needed)"),
        ("n", "v.fa", "too many Ns (50.5% ambiguous, at most 50% are allowed)"),
    ]
    assert [s["source"] for s in found.sources] == ["a", "b", "c", "d"]
    assert summary["reasons"] == {"empty": 1, "too many Ns": 1, "too short": 1} and summary["skipped"] == 3


def test_values_of_the_source_table_take_precedence_over_the_samplesheet(tmp_path):
    sheet = "fasta,label,kingdom,cluster,split\nv.fa,viral,phage,k1,train\nn.fa,nonviral,,k2,test\n"
    found, _, _ = read(tmp_path, sheet=sheet, t="id\tkingdom\tcluster\tsplit\nb\tother\tk3\tval\nc\t\t\t\n")
    assert [(s["kingdom"], s["cluster"], s["split"]) for s in found.sources] == [
        ("phage", "k1", "train"),
        ("other", "k3", "val"),
        ("unknown", "k2", "test"),
        ("unknown", "k2", "test"),
    ]


def test_a_cluster_may_be_given_for_some_sources_only(tmp_path):
    found, _, _ = read(tmp_path, t="id\tcluster\na\tk\nc\tk\n")
    assert [s["cluster"] for s in found.sources] == ["k", None, "k", None]


def test_files_of_the_same_name_are_told_apart(tmp_path):
    for folder, name in (("a", "v1"), ("b", "n1")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "genomic.fna").write_text(fasta((name, A), (f"short_{name}", "ACGT")))
    found, _, _ = read(tmp_path, sheet="fasta,label\na/genomic.fna,viral\nb/genomic.fna,nonviral\n")
    assert [s["file"] for s in found.sources] == ["a/genomic.fna", "b/genomic.fna"]
    assert [(s["source"], s["file"]) for s in found.skipped] == [
        ("short_v1", "a/genomic.fna"),
        ("short_n1", "b/genomic.fna"),
    ]


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
    "split for some": ({"t": "id\tsplit\na\ttrain\nc\ttest\nd\ttest\n"}, ["split: b has no split", "3 of 4"]),
    "a cluster in two splits": (
        {"sheet": SHEET.format("k1", "train", "k1", "test")},
        ["cluster k1", "a in train", "c in test"],
    ),
    "reads": (
        {"limits": Limits(150, 0.5, 500)},
        ["the longest nonviral source has 400 bp", "look like sequencing reads", "500 bp or more"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_input_is_refused(tmp_path, name):
    given_files, words = REFUSED[name]
    with pytest.raises(InputError) as e:
        read(tmp_path, **given_files)
    assert all(word in str(e.value) for word in words), str(e.value)


def test_mostly_short_sources_are_noted(tmp_path):
    _, _, summary = read(tmp_path, n=fasta(("c", C), ("d", D), ("e", D), ("f", D)), limits=Limits(150, 0.5, 320))
    assert summary["notes"] == [
        "Most viral sources are shorter than 320 bp (median 280 bp): long windows are drawn from the others only."
    ]


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
    """Every record is either stored with its bases or listed as skipped."""
    v, n = fasta(("always here", "ACGT"), *records), fasta(("and this too", "ACGT"))
    found, stored, _ = read(tmp_path, v=v, n=n, limits=Limits(4, 0.5, 4))
    good = [(name, s) for name, s in records if len(s) >= 4 and s.count("N") <= len(s) / 2]
    assert [(name, stored[name]) for name, _ in good] == good
    assert [s["source"] for s in found.skipped] == [name for name, s in records if (name, s) not in good]


Script = Callable[..., Path]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Call check_input.main on two small files; returns its outdir."""

    def call(*options: object, outdir: str = "out", sheet: str = TWO_FILES, n: str = fasta(("c", C), ("d", D * 2))) -> Path:
        for name, text in (("sheet.csv", sheet), ("v.fa", fasta(("a", A * 3), ("short", "ACGT"))), ("n.fa", n)):
            (tmp_path / name).write_text(text)
        words = ["--samplesheet", tmp_path / "sheet.csv", "--outdir", tmp_path / outdir, *options]
        monkeypatch.setattr(sys, "argv", ["check_input.py", *map(str, words)])
        check_input.main()
        return tmp_path / outdir

    return call


def test_the_script_writes_the_same_files_for_the_same_input(script: Script, capsys):
    out, again = script(), script(outdir="again")
    assert {path.name for path in out.iterdir()} == {"sources.seq", "sources.parquet", "skipped.tsv", "input.json"}
    assert all(path.read_bytes() == (again / path.name).read_bytes() for path in out.iterdir())
    table = pq.read_table(out / "sources.parquet")
    assert table.schema.equals(SCHEMA) and table["source"].to_pylist() == ["a", "c", "d"]
    assert (out / "sources.seq").read_text() == A * 3 + C + D * 2
    assert (out / "skipped.tsv").read_text().splitlines() == [
        "source\tfile\treason",
        "short\tv.fa\ttoo short (4 bp, at least 150 are needed)",
    ]
    assert json.loads((out / "input.json").read_text())["records"] == 3
    assert "note: Records left out (too short): 1." in capsys.readouterr().out


def test_the_script_writes_nothing_for_invalid_input(script: Script, tmp_path):
    with pytest.raises(InputError, match=r"n\.fa, record p"):
        script(n=fasta(("c", C), ("p", "MKLV" * 50)))
    assert not list((tmp_path / "out").iterdir())


def test_staged_files_are_named_as_in_the_samplesheet(script: Script, tmp_path):
    (tmp_path / "staged_1").write_bytes(gzip.compress(fasta(("a", A * 3)).encode()))
    (tmp_path / "files.json").write_text(json.dumps({"far/away.fa.gz": str(tmp_path / "staged_1")}))
    sheet = "fasta,label\nfar/away.fa.gz,viral\nn.fa,nonviral\n"
    out = script("--files", tmp_path / "files.json", sheet=sheet)
    assert pq.read_table(out / "sources.parquet")["file"].to_pylist() == ["far/away.fa.gz", "n.fa", "n.fa"]
    (tmp_path / "staged_1").write_bytes(b"")
    with pytest.raises(InputError, match=r"^far/away\.fa\.gz: the file has no record"):
        script("--files", tmp_path / "files.json", sheet=sheet)


@pytest.mark.parametrize(("option", "value"), [("--min-length", 0), ("--max-n", 1.5), ("--max-n", "nan")])
def test_options_out_of_range(script: Script, option, value):
    with pytest.raises(InputError, match=f"{option} {value}"):
        script(option, value)


def test_one_line_and_an_exit_code(tmp_path):
    (tmp_path / "sheet.csv").write_text("fasta,label\nv.fa,viral\nn.fa,nonviral\n")
    done = subprocess.run(
        [sys.executable, Path(check_input.__file__), "--samplesheet", "sheet.csv", "--outdir", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "virshort: v.fa: there is no such file: correct its path in the samplesheet\n"


def test_real_genomes(tmp_path, shared):
    data = shared / "data/genomes_small"
    lines = [line.split("\t") for line in (data / "genomes.tsv").read_text().splitlines()]
    columns = [lines[0].index(name) for name in ("id", "label", "kingdom", "family", "cluster")]
    table = "".join("\t".join(line[i] for i in columns) + "\n" for line in lines)
    sheet = f"fasta,label\n{data}/viral.fa.gz,viral\n{data}/nonviral.fa.gz,nonviral\n"
    found, _, summary = read(tmp_path, sheet=sheet, limits=Limits(150, 0.5, 500), t=table)
    assert (summary["records"], summary["skipped"]) == (297, 0)
    assert summary["source_table"] == {"ids": 297, "in_no_file": 0, "records_without": 0}
    assert None not in [s["cluster"] for s in found.sources]
