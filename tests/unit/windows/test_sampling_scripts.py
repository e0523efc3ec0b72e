"""The scripts that mask, sample and audit, run one after another on a few random sources."""

import json
import runpy
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness import ROOT
from synthetic_sources import FOLDS, random_bases, source_table, write_source_table
from virshort.manifest_files import read_manifest
from virshort.windows.shards import read_shard


class Scripts:
    """Sources in a folder, and the scripts of bin/ run on them in this process."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch):
        self.folder, self.monkeypatch = folder, monkeypatch
        number = np.arange(60)
        length = np.full(60, 4000)
        bases = random_bases(np.random.default_rng(0), int(length.sum()), 0)
        bases[8000:8100] = bases[:100]  # sources 0 and 2, in folds 0 and 1, have a stretch in common
        (folder / "sources.seq").write_bytes(bases.tobytes())
        kingdom = np.where(number % 4 < 2, "a", "b")
        self.sources = source_table(length, np.array([f"c{n // 2}" for n in number]), number < 30, kingdom, number // 2 % FOLDS)
        write_source_table(self.sources, folder / "folds.parquet")
        (folder / "folds.json").write_text(json.dumps({"folds": FOLDS, "test_folds": [0, 1]}))

    def run(self, script: str, *words: object) -> None:
        self.monkeypatch.setattr("sys.argv", [script, *map(str, words)])
        runpy.run_path(str(ROOT / "bin" / script), run_name="__main__")

    def mask(self) -> None:
        self.run("mask.py", "--folds", self.folder / "folds.parquet", "--sequences", self.folder / "sources.seq",
                 "--outdir", self.folder)  # fmt: skip

    def sample(self, **changed: object) -> None:
        options = {
            "train_sets": "scratch", "window_length": 150, "short": 200, "scratch": 400, "mixed": 0, "full": 0, "test": 100,
            "sweep": 40, "sweep_lengths": "300,100,5000", "pair": 60, "insert_mean": 350, "insert_sd": 75, "viral_share": 0.52,
            "max_n": 0.1, "cluster_cap": 0.25, "windows_per_shard": 150, "genetic_code": 1, "seed": 42,
        } | changed  # fmt: skip
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        self.run("sample_windows.py", "--folds", self.folder / "folds.parquet", "--folds-json", self.folder / "folds.json",
                 "--sequences", self.folder / "masked.seq", "--outdir", self.folder, *words)  # fmt: skip

    def audit(self) -> None:
        self.run("audit.py", "--windows-root", self.folder / "windows", "--window-sets", self.folder / "window_sets.json",
                 "--folds", self.folder / "folds.parquet", "--sequences", self.folder / "masked.seq", "--limit", 0.001,
                 "--out", self.folder / "leakage.json")  # fmt: skip

    def read(self, name: str) -> dict:
        return json.loads((self.folder / name).read_text())


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scripts:
    return Scripts(tmp_path, monkeypatch)


def test_the_scripts_hand_on_what_the_next_one_reads(scripts: Scripts) -> None:
    scripts.mask()
    before, after = ((scripts.folder / name).read_bytes() for name in ("sources.seq", "masked.seq"))
    assert [i for i in range(len(before)) if before[i] != after[i]] == [*range(100), *range(8000, 8100)]
    assert after[:100] == after[8000:8100] == b"N" * 100
    assert scripts.read("mask.json")["masked"] == 200

    scripts.sample()
    sets = scripts.read("window_sets.json")
    assert list(sets) == ["train", "test", "viral_share", "folds", "test_folds"]
    assert {name: (s["pools"], s["size"]) for name, s in sets["train"].items()} == {
        "short": (["train/short"], 200),
        "scratch": (["train/short", "train/scratch"], 400),
    }
    assert {name: s["size"] for name, s in sets["test"].items()} == {
        "short": 100,
        "full": 100,
        "pair": 60,
        "length_100": 40,
        "length_300": 40,
    }
    bases = np.frombuffer(after, np.uint8)
    for pool in (p for purpose in ("train", "test") for s in sets[purpose].values() for p in s["pools"]):
        folder = scripts.folder / "windows" / pool
        metadata = json.loads((folder / "metadata.json").read_text())
        shards = sorted(folder.glob("*.fa.gz"))
        assert len(shards) == metadata["shards"]
        rows = []
        for shard, digest in zip(shards, metadata["digests"], strict=True):
            table, written = read_manifest(shard.with_name(shard.name.replace(".fa.gz", ".windows.parquet")))
            sequences = read_shard(shard)
            assert digest == written == sequences.digest and sequences.ids == table["window"].to_pylist()
            rows += list(zip(table.to_pylist(), sequences.sequences, strict=True))
        assert len(rows) == metadata["windows"] == sum(c["windows"] for c in metadata["counts"])
        for row, sequence in rows:
            s = int(row["source"][1:])
            assert row["kingdom"] == scripts.sources.kingdom[s] and row["label"] == scripts.sources.label[s]
            if row["strand"] == "+":
                offset = int(scripts.sources.offset[s])
                assert bases[offset + row["start"] : offset + row["end"]].tobytes() == sequence
    left_out = scripts.read("windows/test/length_5000/metadata.json")
    assert left_out["size"] == 0 and "length_5000 is left out" in left_out["notes"][0]

    scripts.audit()
    assert scripts.read("leakage.json")["ok"] is True


def test_the_mates_of_a_fragment_are_neighbours_in_a_shard(scripts: Scripts) -> None:
    scripts.mask()
    scripts.sample(windows_per_shard=35)
    tables = [read_manifest(p)[0] for p in sorted((scripts.folder / "windows/test/pair").glob("*.parquet"))]
    assert [t.num_rows for t in tables] == [34, 34, 34, 34, 34, 12]
    for table in tables:
        assert table["mate"].to_pylist() == [1, 2] * (table.num_rows // 2)
        fragment = table["fragment"].to_pylist()
        assert fragment[::2] == fragment[1::2] == list(range(fragment[0], fragment[0] + len(fragment) // 2))
    ids = [i for t in tables for i in t["window"].to_pylist()]
    assert len(set(ids)) == len(ids) == 182
    folds = np.concatenate([t["fold"].to_numpy()[::2] for t in tables])
    assert np.bincount(folds).tolist() == [31, 29, 31]  # the fold that only validates rounds up each label


def test_pairs_move_no_other_window(scripts: Scripts) -> None:
    def digests() -> dict[str, str]:
        folder = scripts.folder / "windows"
        return {str(p.parent.relative_to(folder)): p.read_text() for p in folder.glob("*/*/metadata.json")}

    scripts.mask()
    scripts.sample(pair=0)
    before = digests()
    scripts.sample()
    after = digests()
    assert set(after) - set(before) == {"test/pair"} and before.items() <= after.items()
    assert "pair" in scripts.read("window_sets.json")["test"]


def test_a_scratch_set_smaller_than_the_short_set_is_refused(scripts: Scripts, capsys: pytest.CaptureFixture[str]) -> None:
    scripts.mask()
    with pytest.raises(SystemExit):
        scripts.sample(scratch=100)
    assert "--scratch_windows 100: this set contains the set `short`" in capsys.readouterr().err
    assert not (scripts.folder / "windows").exists()


def test_a_cluster_in_two_folds_is_found(scripts: Scripts, capsys: pytest.CaptureFixture[str]) -> None:
    scripts.mask()
    scripts.sample()
    table = pq.read_table(scripts.folder / "folds.parquet").to_pydict()
    table["cluster"][58] = "c0"
    scripts.sources.cluster = np.array(table["cluster"])
    write_source_table(scripts.sources, scripts.folder / "folds.parquet")
    with pytest.raises(SystemExit):
        scripts.audit()
    assert "cluster c0 is in folds 0 (s0) and 4 (s58)" in capsys.readouterr().err
