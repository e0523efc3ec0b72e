#!/usr/bin/env python3
"""Prove how much leaks: 31-mers, on either strand, that test windows share with the training windows of their split."""

import argparse
import heapq
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from virshort.errors import InputError, run
from virshort.files import read_json, write_json
from virshort.sequence.canonical_31mers import K
from virshort.sources.folds import check_whole
from virshort.windows.leakage import Coverage, Leak, Shared, shared_kmers
from virshort.windows.shards import open_manifest

BATCH = 1 << 17
WORST = 5
SOURCES = "sources"
"""Stands for a training set that is every base of the training folds: what no choice of windows can exceed."""


class Sources:
    """Where each source lies, and its fold."""

    def __init__(self, folds: Path):
        table = pq.read_table(folds, columns=["source", "cluster", "fold", "offset", "length"])
        self.name = table["source"].combine_chunks()
        self.offset, self.length, self.fold = (table[c].to_numpy() for c in ("offset", "length", "fold"))
        check_whole(self.name.to_pylist(), np.array(table["cluster"].to_pylist(), str), self.fold)

    def at(self, position: int) -> str:
        return self.name[int(np.searchsorted(self.offset, position, side="right")) - 1].as_py()


def manifests(sources: Sources, root: Path, pools: list[str]) -> Iterator[tuple[np.ndarray, ...]]:
    """Stream the windows of some pools: (ids, start, end, fold), positions in the sequence file."""
    for pool in pools:
        shards = sorted((root / pool).glob("*.windows.parquet"))
        if not shards:
            raise InputError(f"{pool}: no window manifest: delete the work folder of the step that samples and resume")
        for shard in shards:
            with open_manifest(shard) as file:
                for rows in file.iter_batches(BATCH, columns=["window", "source", "start", "end", "fold"]):
                    yield rows["window"], *located(sources, rows, shard)


def located(sources: Sources, rows: pa.RecordBatch, shard: Path) -> tuple[np.ndarray, ...]:
    """Start and end of windows in the sequence file, and their folds; InputError names a window that cannot be."""
    number = pc.index_in(rows["source"], sources.name)
    start, end, fold = (rows[c].to_numpy() for c in ("start", "end", "fold"))
    known = number.is_valid().to_numpy(zero_copy_only=False)
    number = number.fill_null(0).to_numpy()
    right = known & (start >= 0) & (start < end) & (end <= sources.length[number]) & (fold == sources.fold[number])
    if not right.all():
        wrong = rows["window"][int(np.argmin(right))].as_py()
        raise InputError(
            f"{shard.name}: window {wrong} does not lie in a source of its fold: the windows are of "
            "another run: delete the work folder of the step that samples and resume"
        )
    return start + sources.offset[number], end + sources.offset[number], fold


def leaks(sources: Sources, shared: Shared, root: Path, sets: dict) -> dict[str, Leak]:
    """What each training set gives away, and the sources as a whole."""
    by_pool = {}
    for pool in sorted({pool for s in sets["train"].values() for pool in s["pools"]}):
        coverage = Coverage(shared)
        for _, start, end, _ in manifests(sources, root, [pool]):
            coverage.add(start, end)
        by_pool[pool] = coverage.folds()
    none = np.zeros(len(shared.folds), np.uint64)
    held = {name: np.bitwise_or.reduce([none, *map(by_pool.get, s["pools"])]) for name, s in sets["train"].items()}
    return {name: Leak(shared, h, sets["folds"]) for name, h in (held | {SOURCES: shared.folds}).items()}


class Tally:
    """The windows of one test set that share a 31-mer with one training set: how many by fold, and the worst."""

    def __init__(self, leak: Leak, folds: int):
        self.leak, self.folds = leak, folds
        self.windows, self.hits = np.zeros(folds, np.int64), np.zeros(folds, np.int64)
        self.worst: list[tuple[int, int, str, int, int]] = []
        self._seen = 0

    def add(self, ids: pa.Array, start: np.ndarray, end: np.ndarray, fold: np.ndarray) -> None:
        count = self.leak.count(start, end)
        self.windows += np.bincount(fold, minlength=self.folds)
        self.hits += np.bincount(fold[count > 0], minlength=self.folds)
        for i in np.argsort(-count, kind="stable")[:WORST].tolist():
            if count[i]:  # of two that are as bad, the earlier one
                self.worst.append((int(count[i]), -self._seen - i, ids[i].as_py(), int(start[i]), int(end[i])))
        self.worst = heapq.nlargest(WORST, self.worst)
        self._seen += len(fold)


def audit(sources: Sources, root: Path, sets: dict, leak: dict[str, Leak]) -> tuple[list[dict], list[dict]]:
    """Count the windows of each test set that share a 31-mer with each training set, by fold; and the worst of them."""
    rows, worst = [], []
    for test_set, entry in sets["test"].items():
        tallies = {name: Tally(one, sets["folds"]) for name, one in leak.items()}
        for block in manifests(sources, root, entry["pools"]):
            for tally in tallies.values():
                tally.add(*block)
        for name, tally in tallies.items():
            sets_of = {"train_set": name, "test_set": test_set}
            counts = enumerate(zip(tally.windows.tolist(), tally.hits.tolist(), strict=True))
            rows += [sets_of | {"fold": f, "test_windows": n, "shared_windows": h, "share": h / n} for f, (n, h) in counts if n]
            worst += [
                sets_of
                | {"window": window, "shared_kmers": count, "training_source": sources.at(leak[name].example(start, end))}
                for count, _, window, start, end in tally.worst
            ]
    return rows, worst


def summary(rows: list[dict], limit: float) -> list[dict]:
    """The rows of all folds of a training and a test set together."""
    total: dict[tuple[str, str], list[int]] = {}
    for r in rows:
        t = total.setdefault((r["train_set"], r["test_set"]), [0, 0])
        t[0] += r["test_windows"]
        t[1] += r["shared_windows"]
    return [
        {"train_set": a, "test_set": b, "test_windows": n, "shared_windows": h, "share": h / n, "ok": h / n <= limit}
        for (a, b), (n, h) in total.items()
    ]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--windows-root", type=Path, required=True, help="holds train/<pool> and test/<pool>")
    p.add_argument("--window-sets", type=Path, required=True, help="window_sets.json")
    p.add_argument("--folds", type=Path, required=True, help="folds.parquet")
    p.add_argument("--sequences", type=Path, required=True, help="the sequences that the windows were cut from")
    p.add_argument("--limit", type=float, required=True, help="largest share of test windows that may share a 31-mer")
    p.add_argument("--pretrained", action="store_true", help="a head that was trained elsewhere takes part")
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    sets, sources = read_json(args.window_sets), Sources(args.folds)
    bases = np.memmap(args.sequences, np.uint8, "r")
    shared = shared_kmers(bases, sources.offset, sources.length, sources.fold)
    rows, worst = audit(sources, args.windows_root, sets, leaks(sources, shared, args.windows_root, sets))
    totals = summary(rows, args.limit)

    of_windows = [t for t in totals if t["train_set"] != SOURCES]
    highest = max(of_windows, key=lambda t: t["share"])
    ok = all(t["ok"] for t in of_windows)
    message = (
        f"at most {highest['share']:.3%} of the windows of a test set share a 31-mer with a training window of "
        f"their split (test set {highest['test_set']}, training set {highest['train_set']}; the limit is "
        f"{args.limit:.3%})"
    )
    if not ok:
        message = (
            f"LEAKAGE ABOVE THE LIMIT: {message}. Do not trust the test results: the clusters part sources that "
            "are alike; give wider clusters, leave the cluster column out, or mask what folds share"
        )

    if args.pretrained:
        message += ". What the pretrained head was trained on is not known here and not covered"

    def part(table: list[dict], of_sources: bool) -> list[dict]:
        return [r for r in table if (r["train_set"] == SOURCES) is of_sources]

    write_json(
        args.out,
        {
            "k": K,
            "limit": args.limit,
            "ok": ok,
            "message": message,
            "summary": part(totals, False),
            "sets": part(rows, False),
            "worst": part(worst, False),
            "sources": {
                "shared_kmers": len(shared.folds),
                "occurrences": len(shared.position),
                "clusters_whole": True,
                "summary": part(totals, True),
                "sets": part(rows, True),
                "worst": part(worst, True),
            },
        },
    )
    print(
        f"{sum(t['test_windows'] for t in part(totals, True))} test windows in {len(sets['test'])} sets against "
        f"{len(sets['train'])} training sets: {message}"
    )


if __name__ == "__main__":
    run(main)
