"""Predictions of one arm on one test set, read as a stream and kept as counts by cluster.

Everything the intervals need is a sum by cluster: windows, calls, and what each window adds to AUROC and to average
precision. Memory depends on the number of clusters, not of windows. All sums are of whole numbers, so neither the order
of the rows nor the number of threads can change them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import InputError
from virshort.inference.estimates import placements, precision_pulls

BATCH = 1 << 16
KEYS = 1 << 16  # a float32's upper 16 bits: sign, exponent, 7 bits; 0.8 % apart, a tie only within
STEPS = 1 << 30  # pulls are added up as whole numbers of this fineness
MAX_UNITS = 4000  # resampling units; more clusters than that are pooled, which a bootstrap of sums allows


@dataclass(frozen=True)
class TestClusters:
    """The clusters of one test set, in the order of their names, with fold and windows by label."""

    clusters: list[str]
    fold: np.ndarray  # int64 [G], index into `folds`
    folds: list[int]
    windows: np.ndarray  # int64 [2 labels, G]
    unit: np.ndarray  # int64 [G], resampling unit
    units: int
    unit_fold: np.ndarray  # int64 [units]
    strata: list[np.ndarray]  # units by the label most of their windows have: nonviral, viral

    @property
    def shares(self) -> np.ndarray:
        """Share of the windows with label 0 and 1: [2]."""
        total = self.windows.sum()
        return self.windows.sum(axis=1) / total if total else np.zeros(2)


@dataclass(frozen=True)
class ArmCounts:
    """What one arm's replicates (S) did on the clusters (G) of a test set."""

    replicates: list[int]
    called: np.ndarray  # int64 [S, 2, G]: windows called viral
    placed: np.ndarray  # float64 [S, 2, G]: sum of placement values (of the fold's own model)
    pulled: np.ndarray  # float64 [S, 2, G]: sum of pulls on average precision (of the fold's own model)

    def right(self, groups: TestClusters) -> np.ndarray:
        """Windows called as they are labelled: int64 [S, 2, G]."""
        return np.stack([groups.windows[0] - self.called[:, 0], self.called[:, 1]], axis=1)


def make_test_clusters(clusters: list[str], fold: np.ndarray, folds: list[int], windows: np.ndarray) -> TestClusters:
    """TestClusters with their resampling units: a cluster each, or some clusters of one fold and label where there are many.

    fold: int64 [G], index into `folds`; windows: int64 [2 labels, G].
    """
    kind = fold * 2 + (windows[1] > windows[0])
    unit = np.zeros(len(clusters), np.int64)
    unit_kind: list[int] = []
    for k in np.unique(kind):
        members = np.flatnonzero(kind == k)
        parts = len(members)
        if len(clusters) > MAX_UNITS:
            parts = max(1, MAX_UNITS * len(members) // len(clusters))
        unit[members] = len(unit_kind) + np.arange(len(members)) % parts
        unit_kind += [int(k)] * parts
    kinds = np.array(unit_kind, np.int64)
    strata = [np.flatnonzero(kinds % 2 == y) for y in (0, 1)]
    return TestClusters(clusters, fold, folds, windows, unit, len(kinds), kinds // 2, strata)


def read_test_clusters(path: Path) -> TestClusters:
    """Find the clusters of a test set, their folds and their windows, from the first replicate's rows of one arm.

    Raises InputError if a cluster stands in two folds (it would be in training and in test) or a value is missing.
    """
    fold_of: dict[str, int] = {}
    counts: dict[tuple[str, int], int] = {}
    first: int | None = None
    for batch in _batches(path, ["cluster", "fold", "replicate", "label"]):
        replicate = _numbers(batch, "replicate", path)
        if first is None and len(replicate):
            first = int(replicate[0])
        names, codes = _cluster_codes(batch, path)
        fold, label = _numbers(batch, "fold", path), _numbers(batch, "label", path)
        if ((label != 0) & (label != 1)).any():
            raise InputError(f"{path}: a label is neither 0 nor 1: run EVALUATE again")
        keep = replicate == first
        packed = (codes[keep] * 256 + (fold[keep] & 255)) * 2 + label[keep]
        for value, count in zip(*np.unique(packed, return_counts=True), strict=True):
            name, f, y = names[value // 512], int(value // 2 % 256), int(value % 2)
            if fold_of.setdefault(name, f) != f:
                raise InputError(
                    f"{path}: cluster '{name}' is in folds {fold_of[name]} and {f}: deal the clusters again (SPLIT)"
                )
            counts[name, y] = counts.get((name, y), 0) + int(count)
    clusters = sorted(fold_of)
    folds = sorted(set(fold_of.values()))
    windows = np.array([[counts.get((c, y), 0) for c in clusters] for y in (0, 1)], np.int64).reshape(2, len(clusters))
    fold = np.array([folds.index(fold_of[c]) for c in clusters], np.int64)
    return make_test_clusters(clusters, fold, folds, windows)


def read_arm_counts(path: Path, groups: TestClusters) -> ArmCounts:
    """Count one arm's predictions by replicate, label and cluster, in two passes over the file.

    Raises InputError where the rows are not the test set of `groups`: another cluster, fold or number of windows in
    any replicate, or a score that is not a number (the window is named).
    """
    index = {name: i for i, name in enumerate(groups.clusters)}
    replicates = _replicates(path)
    size, s, f = len(groups.clusters), len(replicates), len(groups.folds)
    windows, called = np.zeros((s, 2, size), np.int64), np.zeros((s, 2, size), np.int64)
    fine = np.zeros((s, f, 2, KEYS), np.int32)
    for code, replicate, label, key, call in _rows(path, groups, index, replicates):
        _add(windows, (replicate, label, code))
        _add(called, (replicate, label, code), call)
        np.add.at(fine.ravel(), np.ravel_multi_index((replicate, groups.fold[code], label, key), fine.shape), np.int32(1))
    for r, counts in zip(replicates, windows, strict=True):
        if (counts != groups.windows).any():
            name = groups.clusters[int((counts != groups.windows).any(axis=0).argmax())]
            raise InputError(
                f"{path}: replicate {r} has other windows of cluster '{name}' than the test set's first arm: "
                "every arm is evaluated on the same windows, run EVALUATE again"
            )
    used = fine.any(axis=(0, 1, 2))
    dense = np.cumsum(used) - 1
    fine = fine[..., used]
    ranks = np.stack([[placements(fine[r, k]) for k in range(f)] for r in range(s)]) if s and f else fine
    pulls = np.stack([[precision_pulls(fine[r, k]) for k in range(f)] for r in range(s)]) if s and f else fine
    pulls = np.rint(pulls * STEPS).astype(np.int64)
    doubled, steps = np.zeros((s, 2, size), np.int64), np.zeros((s, 2, size), np.int64)
    for code, replicate, label, key, _ in _rows(path, groups, index, replicates):
        at = np.ravel_multi_index((replicate, groups.fold[code], label, dense[key]), ranks.shape)
        _add(doubled, (replicate, label, code), ranks.ravel()[at])
        _add(steps, (replicate, label, code), pulls.ravel()[at])
    others = fine.sum(axis=-1, dtype=np.int64)[:, :, ::-1]  # [S, F, 2]: windows of the other label in the fold
    scale = np.moveaxis(others[:, groups.fold], 1, 2) * 2.0
    placed = np.divide(doubled, scale, out=np.zeros(doubled.shape), where=scale > 0)
    return ArmCounts(replicates, called, placed, steps / STEPS)


def first_bad_score(path: Path) -> str | None:
    """The id of the first window whose score is not a finite number."""
    for batch in _batches(path, ["window", _score_column(path)]):
        bad = ~np.isfinite(batch.column(1).to_numpy(zero_copy_only=False))
        if bad.any():
            return str(batch.column(0)[int(bad.argmax())].as_py())
    return None


def _add(sums: np.ndarray, at: tuple[np.ndarray, ...], values: np.ndarray | None = None) -> None:
    """sums[at] += values (1 each where None), places that occur several times included; whole numbers, so exact."""
    flat = np.bincount(np.ravel_multi_index(at, sums.shape), values, sums.size)
    sums += flat.reshape(sums.shape).astype(sums.dtype)


def _rows(path: Path, groups: TestClusters, index: dict[str, int], replicates: list[int]) -> Iterator[tuple[np.ndarray, ...]]:
    score = _score_column(path)
    position = np.full(256, -1)
    position[np.array(replicates, int) & 255] = np.arange(len(replicates))
    folds = np.array(groups.folds)
    for batch in _batches(path, ["cluster", "fold", "replicate", "label", "call", score]):
        names, codes = _cluster_codes(batch, path)
        known = np.array([index.get(n, -1) for n in names], np.int64)
        code = known[codes]
        if (code < 0).any():
            name = names[int(codes[(code < 0).argmax()])]
            raise InputError(f"{path}: cluster '{name}' is not in the test set of the other arms: run EVALUATE again")
        fold = _numbers(batch, "fold", path)
        if (folds[groups.fold[code]] != fold).any():
            name = groups.clusters[int(code[(folds[groups.fold[code]] != fold).argmax()])]
            raise InputError(f"{path}: cluster '{name}' is in another fold than for the other arms: run EVALUATE again")
        values = batch.column(score).to_numpy(zero_copy_only=False).astype(np.float32)
        if not np.isfinite(values).all():
            raise InputError(f"{path}: window {first_bad_score(path)}: its score is not a number: train this arm again")
        label = _numbers(batch, "label", path)
        call = batch.column("call").cast(pa.int8()).to_numpy(zero_copy_only=False).astype(np.int64)
        yield code, position[_numbers(batch, "replicate", path) & 255], label, _keys(values), call


def _keys(values: np.ndarray) -> np.ndarray:
    """The upper 16 bits of float32, rising with the value: int64."""
    bits = (values + np.float32(0)).view(np.uint32)  # + 0 turns -0 into 0
    rising = np.where(bits >> 31 == 1, ~bits, bits | np.uint32(1 << 31))
    return (rising >> 16).astype(np.int64)


def _score_column(path: Path) -> str:
    return "log_odds" if "log_odds" in pq.read_schema(path).names else "score"


def _replicates(path: Path) -> list[int]:
    seen = np.zeros(256, bool)
    for batch in _batches(path, ["replicate"]):
        seen[_numbers(batch, "replicate", path) & 255] = True
    return [int(r) for r in np.flatnonzero(seen)]


def _batches(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    try:
        file = pq.ParquetFile(path, read_dictionary=["cluster"] if "cluster" in columns else None, pre_buffer=False)
    except (OSError, pa.ArrowInvalid) as e:
        raise InputError(f"{path}: not readable as Parquet ({e}): run EVALUATE again") from None
    missing = [c for c in columns if c not in file.schema_arrow.names]
    if missing:
        raise InputError(f"{path}: column '{missing[0]}' is missing: run EVALUATE again")
    yield from file.iter_batches(batch_size=BATCH, columns=columns, use_threads=False)


def _numbers(batch: pa.RecordBatch, column: str, path: Path) -> np.ndarray:
    values = batch.column(column)
    if values.null_count:
        raise InputError(f"{path}: column '{column}' has {values.null_count} empty values: run EVALUATE again")
    return values.to_numpy(zero_copy_only=False).astype(np.int64)


def _cluster_codes(batch: pa.RecordBatch, path: Path) -> tuple[list[str], np.ndarray]:
    values = batch.column("cluster")
    if values.null_count:
        raise InputError(f"{path}: column 'cluster' has {values.null_count} empty values: run EVALUATE again")
    if not isinstance(values, pa.DictionaryArray):
        values = values.dictionary_encode()
    return values.dictionary.to_pylist(), values.indices.to_numpy(zero_copy_only=False).astype(np.int64)
