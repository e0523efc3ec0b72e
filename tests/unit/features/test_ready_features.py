"""Ready features: which rows are a chunk and which chunks a contig, and that none of them is split, lost or read twice."""

import json
import os
import runpy
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virshort.errors import InputError
from virshort.features.ready_features import parse_id, read_blocks, source_of
from virshort.features.tensors import FRAMES
from virshort.features.virnucpro import write_merged
from virshort.features.window_features import WindowFeatures
from virshort.sources.samplesheet import SheetRow, parse_samplesheet

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = Path(os.environ.get("VIRSHORT_SHARED", ROOT.parent / "shared")) / "golden/virnucpro"
WIDTH = 770


@pytest.mark.parametrize(
    ("name", "window", "frame", "source"),
    [
        ("contig1_chunk_2F3", "contig1_chunk_2", "F3", "contig1"),
        ("a_chunk_b_chunk_10R1", "a_chunk_b_chunk_10", "R1", "a_chunk_b"),
        ("NC_1.1:31-180(-)F1", "NC_1.1:31-180(-)", "F1", "NC_1.1"),
        ("NC_1.1:31-180(-)LS", "NC_1.1:31-180(-)", "LS", "NC_1.1"),
        ("readF4", "readF4", "LS", None),
        ("F1", "F1", "LS", None),
    ],
)
def test_ids(name: str, window: str, frame: str, source: str | None) -> None:
    assert parse_id(name) == (window, FRAMES.index(frame)) and source_of(window) == source


def numbers(ids: list[str], seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, len(ids)]).normal(size=(len(ids), WIDTH)).astype(np.float32)


def write(folder: Path, files: list[tuple[list[str], str | None, object]]) -> tuple[list[SheetRow], list[Path]]:
    """Files of (ids, the sheet's label, the file's labels)."""
    sheet, paths = [], []
    for n, (ids, word, label) in enumerate(files):
        paths.append(folder / f"m{n}.pt")
        write_merged(paths[-1], ids, numbers(ids, n), label)
        sheet.append(SheetRow(n + 2, paths[-1].name, word))
    return sheet, paths


chunks = st.lists(
    st.tuples(st.integers(0, 9), st.sets(st.sampled_from(FRAMES), min_size=1)),
    min_size=1,
    max_size=12,
    unique_by=lambda c: c[0],
)


@settings(max_examples=40)
@given(chunks=chunks, cut=st.integers(1, 60), order=st.randoms(use_true_random=False))
def test_a_chunk_that_files_cut_in_two_is_whole_again(tmp_path_factory, chunks, cut, order) -> None:
    folder = tmp_path_factory.mktemp("cut")
    ids = []
    for number, frames in chunks:
        mine = [f"c_chunk_{number}{f}" for f in sorted(frames)]
        order.shuffle(mine)  # frames may come in any order
        ids += mine
    parts = [ids[:cut], ids[cut:]]
    sheet, paths = write(folder, [(part, "viral", 1) for part in parts if part])
    row_of = {i: row for n, part in enumerate([p for p in parts if p]) for i, row in zip(part, numbers(part, n), strict=True)}
    found = []
    for block in read_blocks(sheet, paths):
        named = [f"{block.window[w]}{FRAMES[f]}" for w, f in block.rows]
        assert (np.diff(block.rows[:, 0]) >= 0).all() and (block.label == 1).all() and set(block.source) == {"c"}
        np.testing.assert_array_equal(block.data, [row_of[i] for i in named])
        found += [(w, [FRAMES[f] for x, f in block.rows if x == k]) for k, w in enumerate(block.window)]
    assert found == [(f"c_chunk_{n}", [f for f in FRAMES if f in frames]) for n, frames in chunks]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            [(["a_chunk_1F1", "b_chunk_1F1"], "viral", 1), (["c_chunk_1F1", "a_chunk_1F2"], "viral", 1)],
            "m1.pt: chunk a_chunk_1 is also in m0.pt: list files that share a chunk one after the other",
        ),
        ([(["a_chunk_1F1"], "viral", 1), (["a_chunk_1F1"], "viral", 1)], "m1.pt: id a_chunk_1F1 is also in the file before it"),
        ([(["a_chunk_1F1"], "viral", 0)], "m0.pt: is viral in the sheet, but the file's own label of a_chunk_1F1 is 0"),
        ([(["a_chunk_1F1"], None, None)], "m0.pt: holds no labels, and the sheet gives none"),
        ([(["a_chunk_1F1", "a_chunk_1R1"], None, np.array([0, 1]))], "m0.pt: rows of chunk a_chunk_1 have different labels"),
    ],
)
def test_what_does_not_fit_together_is_named(tmp_path: Path, files, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(read_blocks(*write(tmp_path, files)))


def test_files_of_other_widths_are_refused(tmp_path: Path) -> None:
    sheet, paths = write(tmp_path, [(["a_chunk_1F1"], "viral", 1)] * 2)
    write_merged(paths[1], ["b_chunk_1F1"], np.ones((1, 2048), np.float32), 1)
    with pytest.raises(InputError, match=r"m1.pt: 2048 numbers per row .* instead of 770"):
        list(read_blocks(sheet, paths))
    write_merged(paths[0], ["b_chunk_1F1"], np.ones((1, 64), np.float32), 1)
    with pytest.raises(InputError, match=r"m0.pt: 64 numbers per row, but merged features have 768 of DNABERT-S"):
        list(read_blocks(sheet, paths))


@pytest.mark.skipif(not GOLDEN.exists(), reason="golden data not here")
@pytest.mark.parametrize("name", ["malicious_whole", "malicious_metadata", "malicious_torch_prefix"])
def test_harmful_files_are_refused_and_run_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"{name}.*refused, and nothing of the file was run"):
        list(read_blocks([SheetRow(2, name, "viral")], [GOLDEN / f"{name}.pth"]))
    assert not list(tmp_path.iterdir())


def test_the_sheets_columns() -> None:
    rows = parse_samplesheet("features,label,cluster\nv.pt,viral,\nboth.pt,,c1\n", "f.csv", "features")
    assert [(r.fasta, r.label, r.cluster) for r in rows] == [("v.pt", "viral", None), ("both.pt", None, "c1")]
    with pytest.raises(InputError, match=r"f.csv, line 1, header: the column features is missing"):
        parse_samplesheet("fasta,label\nv.pt,viral\n", "f.csv", "features")
    with pytest.raises(InputError, match=r"f.csv, line 2, label: 'host' is not a label"):
        parse_samplesheet("features,label\nv.pt,host\n", "f.csv", "features")
    with pytest.raises(InputError, match="label: no row is nonviral"):
        parse_samplesheet("features,label\nv.pt,viral\n", "f.csv", "features")


class Steps:
    """bin/'s scripts on some files, in one folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch):
        self.folder, self.monkeypatch = folder, monkeypatch

    def call(self, script: str, *words: object) -> None:
        self.monkeypatch.setattr(sys, "argv", [script, *map(str, words)])
        runpy.run_path(str(ROOT / "bin" / script), run_name="__main__")

    def check(self, files: list[tuple[list[str], str | None, object]], *more: object) -> list[Path]:
        sheet, paths = write(self.folder, files)
        text = "".join(f"{r.fasta},{r.label or ''}\n" for r in sheet)
        (self.folder / "sheet.csv").write_text("features,label\n" + text)
        self.call("check_features.py", "--features", self.folder / "sheet.csv", "--files", *paths, *more, "--out", self.folder)
        return paths


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(tmp_path, monkeypatch)


def contigs(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{c}_chunk_{k}{f}" for c in range(count) for k in (1, 2) for f in ("F2", "R1")[: 1 + k % 2]]


def test_every_row_is_in_one_fold_with_its_contig(steps: Steps) -> None:
    viral, other = contigs("v", 9), contigs("h", 9)
    labels = np.array([0] * len(other))
    paths = steps.check([(viral[:13], "viral", 1), (viral[13:], "viral", 1), (other, None, labels)])
    d = steps.folder
    steps.call(
        "split.py",
        "--sources",
        d / "sources.parquet",
        "--clusters",
        d / "clusters.parquet",
        "--folds",
        3,
        "--test-folds",
        2,
        "--seed",
        1,
        "--cluster-cap",
        0.05,
        "--outdir",
        d,
    )
    steps.call(
        "take_features.py",
        "--features",
        d / "sheet.csv",
        "--files",
        *paths,
        "--folds",
        d / "folds.parquet",
        "--folds-json",
        d / "folds.json",
        "--out",
        d / "taken",
    )
    sets = json.loads((d / "taken/window_sets.json").read_text())
    every, tested = (WindowFeatures(d / "taken", sets[k]["short"]["pools"]) for k in ("train", "test"))
    assert len(every) == 36 and len(every.features) == len(viral + other)
    assert set(tested.column("fold").tolist()) == {0, 1} and len(tested) == sets["test"]["short"]["size"]
    fold_of = dict(pq.read_table(d / "folds.parquet", columns=["source", "fold"]).to_pydict().items())
    fold_of = dict(zip(*fold_of.values(), strict=True))
    value_of = {
        i: row for n, part in enumerate((viral[:13], viral[13:], other)) for i, row in zip(part, numbers(part, n), strict=True)
    }
    for table in every.tables(["window", "source", "fold", "label"], 100):
        for n, row in enumerate(table.to_pylist()):
            assert row["fold"] == fold_of[row["source"]] and row["label"] == row["source"].startswith("v")
            rows, _ = every.rows_of(np.array([n]))
            names = [i for i in value_of if parse_id(i)[0] == row["window"]]
            expected = sorted(names, key=lambda i: FRAMES.index(i[-2:]))
            np.testing.assert_array_equal(every.rows(rows, ["dna", "protein"]), [value_of[i] for i in expected])


@pytest.mark.parametrize(
    ("files", "table", "message"),
    [
        ([(["read1F1"], "viral", 1), (["h_chunk_1F1"], "nonviral", 0)], "", "id read1: does not name its contig"),
        (
            [(["a_chunk_1F1"], "viral", 1), (["a_chunk_2F1"], "nonviral", 0)],
            "",
            "m1.pt: contig a is nonviral here, but viral in m0.pt",
        ),
        ([(["a_chunk_1F1"], "viral", 1), (["h_chunk_1F1"], "nonviral", 0)], "b\tc1\na", "t.tsv, line 3: this row has 1 cell"),
    ],
)
def test_sources_that_are_wrong_are_named(steps: Steps, capsys, files, table: str, message: str) -> None:
    more = []
    if table:
        (steps.folder / "t.tsv").write_text(f"id\tcluster\n{table}\n")
        more = ["--source-table", steps.folder / "t.tsv"]
    with pytest.raises(SystemExit):
        steps.check(files, *more)
    assert message in capsys.readouterr().err


def test_that_no_audit_can_be_made_is_said(steps: Steps) -> None:
    steps.check([(["a_chunk_1F1"], "viral", 1), (["h_chunk_1F1"], "nonviral", 0)])
    assert "their sequences are not here" in json.loads((steps.folder / "leakage.json").read_text())["message"]
