"""The leakage audit: how many test windows share a 31-mer with the training windows of their split.

Windows are streamed from the manifests, so that memory does not grow with their number.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from virshort.errors import InputError
from virshort.manifest_files import open_manifest
from virshort.sequence.canonical_31mers import K
from virshort.windows.leakage import LeakingOccurrences, SharedKmers, WindowCoverage
from virshort.windows.source_table import SourceTable
from virshort.windows.window_sets import WindowSets

BATCH = 1 << 17
WORST = 5
SOURCES = "sources"
"""Stands for a training set that consists of all bases of the training folds, which no choice of windows can exceed."""


class SetLeakage(TypedDict):
    """The windows of a test set that share a 31-mer with a training set, over all folds; ok: whether their share is within the
    limit."""

    train_set: str
    test_set: str
    test_windows: int
    shared_windows: int
    share: float
    ok: bool


class FoldLeakage(TypedDict):
    """The windows of a test set in one fold that share a 31-mer with a training set."""

    train_set: str
    test_set: str
    fold: int
    test_windows: int
    shared_windows: int
    share: float


class LeakingWindow(TypedDict):
    """A test window, its 31-mers that are trained on, and a source that holds one of them."""

    train_set: str
    test_set: str
    window: str
    shared_kmers: int
    training_source: str


class SourceLeakage(TypedDict):
    """The audit of the sources themselves: 31-mers in two folds or more, their occurrences, and the tables for SOURCES."""

    shared_kmers: int
    occurrences: int
    clusters_whole: bool
    summary: list[SetLeakage]
    sets: list[FoldLeakage]
    worst: list[LeakingWindow]


class LeakageReport(TypedDict):
    """leakage.json. k, limit and ok are None where no audit was possible, and `message` then says why; hold_out: what is in one
    fold only, besides clusters."""

    k: int | None
    limit: float | None
    ok: bool | None
    message: str
    hold_out: NotRequired[str]
    summary: list[SetLeakage]
    sets: list[FoldLeakage]
    worst: list[LeakingWindow]
    sources: NotRequired[SourceLeakage]


@dataclass
class WindowBlock:
    """Some windows of a pool. ids: [n] strings; start, end: [n] int64 in the sequence file; fold: [n] int8."""

    ids: pa.Array
    start: np.ndarray
    end: np.ndarray
    fold: np.ndarray


def read_windows(sources: SourceTable, root: Path, pools: list[str]) -> Iterator[WindowBlock]:
    """Stream the windows of pools from their manifests in root/<pool>. Raises InputError where a pool has none."""
    names = pa.array(sources.source, pa.string())
    for pool in pools:
        shards = sorted((root / pool).glob("*.windows.parquet"))
        if not shards:
            raise InputError(f"{pool}: there is no window manifest: delete the work folder of SAMPLE_WINDOWS and resume")
        for shard in shards:
            with open_manifest(shard) as manifest:
                for rows in manifest.iter_batches(BATCH, columns=["window", "source", "start", "end", "fold"]):
                    yield locate(sources, names, rows, shard)


def locate(sources: SourceTable, names: pa.Array, rows: pa.RecordBatch, shard: Path) -> WindowBlock:
    """The windows of a manifest's rows, with their places in the sequence file. names: [sources] strings.

    Raises InputError naming the first window that lies in no source of its fold."""
    number = pc.index_in(rows["source"], names)
    start, end, fold = (rows[c].to_numpy() for c in ("start", "end", "fold"))
    known = number.is_valid().to_numpy(zero_copy_only=False)
    number = number.fill_null(0).to_numpy()
    valid = known & (start >= 0) & (start < end) & (end <= sources.length[number]) & (fold == sources.fold[number])
    if not valid.all():
        window = rows["window"][int(np.argmin(valid))].as_py()
        raise InputError(
            f"{shard.name}: window {window} lies in no source of its fold, so the windows belong to another run: "
            "delete the work folder of SAMPLE_WINDOWS and resume"
        )
    return WindowBlock(rows["window"], start + sources.offset[number], end + sources.offset[number], fold)


def find_leaks(sources: SourceTable, shared: SharedKmers, root: Path, sets: WindowSets) -> dict[str, LeakingOccurrences]:
    """The leaking occurrences of each training set, and of SOURCES."""
    by_pool = {}
    for pool in sorted({pool for entry in sets["train"].values() for pool in entry["pools"]}):
        coverage = WindowCoverage(shared)
        for block in read_windows(sources, root, [pool]):
            coverage.add(block.start, block.end)
        by_pool[pool] = coverage.folds()
    held = {}
    for name, entry in sets["train"].items():
        held[name] = np.zeros(len(shared.folds), np.uint64)
        for pool in entry["pools"]:
            held[name] |= by_pool[pool]
    return {name: LeakingOccurrences(shared, h, sets["folds"]) for name, h in (held | {SOURCES: shared.folds}).items()}


class SharedWindowCounts:
    """The windows of one test set, and those that share a 31-mer with one training set, by fold; and the worst windows."""

    def __init__(self, leak: LeakingOccurrences, folds: int):
        self.leak, self.folds = leak, folds
        self.windows, self.shared = np.zeros(folds, np.int64), np.zeros(folds, np.int64)
        self.worst: list[tuple[int, int, str, int, int]] = []
        """Shared 31-mers, minus the row, id, start and end: sorts the worst first, and of equals the first."""
        self._seen = 0

    def add(self, block: WindowBlock) -> None:
        """Count the windows of a block."""
        count = self.leak.count(block.start, block.end)
        self.windows += np.bincount(block.fold, minlength=self.folds)
        self.shared += np.bincount(block.fold[count > 0], minlength=self.folds)
        for i in np.argsort(-count, kind="stable")[:WORST].tolist():
            if count[i]:
                start, end = int(block.start[i]), int(block.end[i])
                self.worst.append((int(count[i]), -self._seen - i, block.ids[i].as_py(), start, end))
        self.worst = heapq.nlargest(WORST, self.worst)
        self._seen += len(count)


def count_shared_windows(
    sources: SourceTable, root: Path, sets: WindowSets, leaks: dict[str, LeakingOccurrences]
) -> tuple[list[FoldLeakage], list[LeakingWindow]]:
    """For each test set and training set, the windows that share a 31-mer in each tested fold, and the worst of them."""
    rows: list[FoldLeakage] = []
    worst: list[LeakingWindow] = []
    for test_set, entry in sets["test"].items():
        counts = {train_set: SharedWindowCounts(leak, sets["folds"]) for train_set, leak in leaks.items()}
        for block in read_windows(sources, root, entry["pools"]):
            for one in counts.values():
                one.add(block)
        for train_set, one in counts.items():
            rows += [
                FoldLeakage(
                    train_set=train_set, test_set=test_set, fold=fold, test_windows=n, shared_windows=hits, share=hits / n
                )
                for fold, (n, hits) in enumerate(zip(one.windows.tolist(), one.shared.tolist(), strict=True))
                if n
            ]
            worst += [
                LeakingWindow(
                    train_set=train_set,
                    test_set=test_set,
                    window=window,
                    shared_kmers=kmers,
                    training_source=sources.source[sources.at(np.array([leaks[train_set].example(start, end)]))[0]],
                )
                for kmers, _, window, start, end in one.worst
            ]
    return rows, worst


def over_folds(rows: list[FoldLeakage], limit: float) -> list[SetLeakage]:
    """The rows of each training and test set, added up over their folds."""
    totals: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        total = totals.setdefault((row["train_set"], row["test_set"]), [0, 0])
        total[0] += row["test_windows"]
        total[1] += row["shared_windows"]
    return [
        {
            "train_set": train_set,
            "test_set": test_set,
            "test_windows": n,
            "shared_windows": hits,
            "share": hits / n,
            "ok": hits / n <= limit,
        }
        for (train_set, test_set), (n, hits) in totals.items()
    ]


def conclusion(totals: list[SetLeakage], limit: float, pretrained: bool, hold_out: str = "cluster") -> str:
    """What the audit found, in sentences for the user. totals: of the training sets, at least one; pretrained: whether a head
    that was trained elsewhere takes part; hold_out: what is in one fold only."""
    highest = max(totals, key=lambda t: t["share"])
    message = (
        f"At most {highest['share']:.3%} of the windows of a test set share a 31-mer with a training window of their split "
        f"(test set '{highest['test_set']}', training set '{highest['train_set']}'; the limit is {limit:.3%})."
    )
    if hold_out != "cluster":
        message += f" No {hold_out} is in two folds."
    if not all(t["ok"] for t in totals):
        message = (
            f"LEAKAGE ABOVE THE LIMIT. {message} Do not trust the test results: the clusters separate similar sources. "
            "Give wider clusters, leave out the cluster column, or mask what folds share."
        )
    if pretrained:
        message += " What the pretrained head was trained on is not known here and not covered."
    return message


def audit(
    sources: SourceTable,
    shared: SharedKmers,
    root: Path,
    sets: WindowSets,
    limit: float,
    pretrained: bool,
    hold_out: str = "cluster",
) -> LeakageReport:
    """Audit all test sets against all training sets and against the sources.

    shared: the 31-mers that occur in two folds or more of these sources; root: the folder that holds the pools; limit: the
    largest share of the windows of a test set that may share a 31-mer; pretrained: whether a head that was trained
    elsewhere takes part; hold_out: what the caller has found to be in one fold only. Raises InputError where there are no
    training or no test windows."""
    rows, worst = count_shared_windows(sources, root, sets, find_leaks(sources, shared, root, sets))
    totals = over_folds(rows, limit)
    of_windows = [t for t in totals if t["train_set"] != SOURCES]
    if not of_windows:
        missing = "test" if sets["train"] else "training"
        raise InputError(
            f"window_sets.json: there are no {missing} windows, so nothing can be trained and tested: give more or longer "
            "sources, and ask for training windows (--short_windows) and test windows (--test_windows)"
        )
    return {
        "k": K,
        "limit": limit,
        "ok": all(t["ok"] for t in of_windows),
        "message": conclusion(of_windows, limit, pretrained, hold_out),
        "hold_out": hold_out,
        "summary": of_windows,
        "sets": [r for r in rows if r["train_set"] != SOURCES],
        "worst": [w for w in worst if w["train_set"] != SOURCES],
        "sources": {
            "shared_kmers": len(shared.folds),
            "occurrences": len(shared.position),
            "clusters_whole": True,
            "summary": [t for t in totals if t["train_set"] == SOURCES],
            "sets": [r for r in rows if r["train_set"] == SOURCES],
            "worst": [w for w in worst if w["train_set"] == SOURCES],
        },
    }
