"""The audit of six sources of which two share 60 bases, and masking as the remedy."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthetic_sources import COMPLEMENT, source_table, store
from virshort.errors import InputError
from virshort.windows.audit import LeakageReport, audit
from virshort.windows.leakage import SharedKmers, find_shared_kmers, shared_stretches
from virshort.windows.masking import mask_summary, masked_bases
from virshort.windows.source_table import SourceTable
from virshort.windows.window_sets import WindowSets

LIMIT = 0.001


def six_sources() -> tuple[SourceTable, np.ndarray]:
    """Six sources in three folds. The first and the last share 60 bases, one of them on the other strand."""
    rng = np.random.default_rng(3)
    texts = ["".join(rng.choice(list("ACGT"), 400)) for _ in range(6)]
    # The bases beside the shared ones differ: G in the first source, and A, which reads T on the other strand, in the last.
    texts[0] = texts[0][:199] + "G" + texts[0][200:260] + "G" + texts[0][261:]
    texts[5] = texts[5][:99] + "A" + texts[0][200:260].translate(COMPLEMENT)[::-1] + "A" + texts[5][161:]
    bases, _, length = store(texts)
    cluster, label = np.array([f"s{i}" for i in range(6)]), np.array([1, 0] * 3)
    return source_table(length, cluster, label, np.full(6, "unknown"), np.array([0, 0, 1, 1, 2, 2])), bases.copy()


def write_windows(root: Path, sources: SourceTable, pool: str, rows: list[tuple[int, int, int]], **changed: Any) -> None:
    """Write a manifest of windows (source, start, end)."""
    number = [s for s, _, _ in rows]
    manifest = {
        "window": [f"s{s}:{a + 1}-{b}(+)" for s, a, b in rows],
        "source": [f"s{s}" for s in number],
        "start": np.array([a for _, a, _ in rows]),
        "end": np.array([b for _, _, b in rows]),
        "fold": sources.fold[number],
    }
    (root / pool).mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(manifest | changed), root / pool / "shard_00000.windows.parquet")


TEST = [(s, a, a + 150) for s in range(6) for a in (0, 100, 200)]
SETS: WindowSets = {
    "train": {
        "short": {"pools": ["train/short"], "size": 18, "notes": []},
        "scratch": {"pools": ["train/short", "train/scratch"], "size": 20, "notes": []},
    },
    "test": {"short": {"pools": ["test/short"], "size": 18, "notes": []}},
    "viral_share": 0.5,
    "folds": 3,
    "test_folds": [0, 1, 2],
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    sources, _ = six_sources()
    write_windows(tmp_path, sources, "test/short", TEST)
    write_windows(tmp_path, sources, "train/short", [(s, a, a + 150) for s in range(6) for a in (0, 30, 200)])
    write_windows(tmp_path, sources, "train/scratch", [(5, 120, 150), (5, 125, 165)])
    return tmp_path


def shared_by(sources: SourceTable, bases: np.ndarray) -> SharedKmers:
    return find_shared_kmers(bases, sources.offset, sources.length, sources.fold)


def audited(root: Path, sets: WindowSets = SETS, pretrained: bool = False) -> LeakageReport:
    sources, bases = six_sources()
    return audit(sources, shared_by(sources, bases), root, sets, LIMIT, pretrained)


def test_the_audit_names_what_leaks(root: Path) -> None:
    found = audited(root)
    assert found["ok"] is False
    assert found["message"].startswith("LEAKAGE ABOVE THE LIMIT. At most 11.111% of the windows of a test set share")
    row = {(r["train_set"], r["fold"]): (r["shared_windows"], r["test_windows"]) for r in found["sets"]}
    assert row == {
        ("short", 0): (2, 6),
        ("short", 1): (0, 6),
        ("short", 2): (0, 6),  # fold 2 is tested with fold 1 as its only training fold
        ("scratch", 0): (2, 6),
        ("scratch", 1): (0, 6),
        ("scratch", 2): (0, 6),
    }
    assert [(t["train_set"], t["shared_windows"], t["test_windows"], t["ok"]) for t in found["summary"]] == [
        ("short", 2, 18, False),
        ("scratch", 2, 18, False),
    ]
    assert {(w["window"], w["training_source"]) for w in found["worst"] if w["train_set"] == "short"} == {
        ("s0:101-250(+)", "s5"),
        ("s0:201-350(+)", "s5"),
    }
    assert found["sources"]["shared_kmers"] == 30
    assert found["sources"]["clusters_whole"]
    assert "pretrained" not in found["message"]


def test_a_pretrained_head_is_said_not_to_be_covered(root: Path) -> None:
    message = audited(root, pretrained=True)["message"]
    assert message.endswith(" What the pretrained head was trained on is not known here and not covered.")


def test_masking_leaves_nothing_to_leak(root: Path) -> None:
    sources, bases = six_sources()
    shared = shared_by(sources, bases)
    start, end = shared_stretches(shared)
    assert list(zip(start.tolist(), end.tolist(), strict=True)) == [(200, 260), (2100, 2160)]
    summary = mask_summary(sources, shared, len(start), masked_bases(sources, start, end))
    assert (summary["masked"], summary["bases"], summary["share"], summary["notes"]) == (120, 2400, 0.05, [])
    assert summary["table"] == [
        {"label": "nonviral", "kingdom": "unknown", "bases": 1200, "masked": 60},
        {"label": "viral", "kingdom": "unknown", "bases": 1200, "masked": 60},
    ]
    for a, b in zip(start, end, strict=True):
        bases[a:b] = ord("N")
    found = audit(sources, shared_by(sources, bases), root, SETS, LIMIT, False)
    assert found["ok"] is True and found["message"].startswith("At most 0.000% of the windows")
    assert not found["worst"] and not found["sources"]["worst"]


def test_masking_much_of_a_label_or_of_a_source_is_noted() -> None:
    sources, bases = six_sources()
    masked = np.array([0, 300, 0, 0, 0, 0])
    notes = mask_summary(sources, shared_by(sources, bases), 1, masked)["notes"]
    assert notes[0].startswith("25% of the nonviral bases are masked because they lie in 31-mers that other folds have too.")
    assert notes[1].startswith("In 1 source more than half of the bases are masked (s1), because similar sources")
    assert len(notes) == 2


def test_a_window_of_another_run_is_found(root: Path) -> None:
    sources, _ = six_sources()
    ends = np.array([b for _, _, b in TEST])
    ends[4] = 999
    write_windows(root, sources, "test/short", TEST, end=ends)
    with pytest.raises(InputError, match=r"window s1:101-250\(\+\) lies in no source of its fold"):
        audited(root)


def test_a_pool_without_windows_is_named(root: Path) -> None:
    (root / "train/scratch/shard_00000.windows.parquet").unlink()
    with pytest.raises(InputError, match="train/scratch: there is no window manifest"):
        audited(root)


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"train": {}}, "training"),
        ({"test": {}}, "test"),
        ({"test": {"short": {"pools": [], "size": 0, "notes": []}}}, "test"),
    ],
)
def test_a_run_without_training_or_test_windows_is_refused(root: Path, changed: Any, missing: str) -> None:
    with pytest.raises(InputError, match=f"there are no {missing} windows, so nothing can be trained and tested"):
        audited(root, SETS | changed)
