"""The predictions of one arm on one test set, read as a stream and summed by cluster.

Everything that the intervals need is a sum by cluster: the windows, the calls, and what each window contributes to AUROC and
to average precision. Memory depends on the number of clusters, not on the number of windows. All sums are of whole numbers,
so neither the order of the rows nor the number of threads can change them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import InputError
from virshort.inference.ranking import placements, precision_pulls

BATCH = 1 << 16  # rows read at a time
KEYS = 1 << 16  # scores by the upper 16 bits of a float32: sign, exponent, 7 bits; only scores within 0.8 % are tied
STEPS = 1 << 30  # pulls are added up as whole multiples of 1 / STEPS
MAX_UNITS = 4000  # resampling units; where there are more clusters, some share a unit, which a bootstrap of sums allows


@dataclass(frozen=True)
class TestClusters:
    """The clusters (G) of one test set, in the order of their names, with their folds and their windows by label."""

    names: list[str]
    fold: np.ndarray  # int64 [G], index into `folds`
    folds: list[int]
    windows: np.ndarray  # int64 [2 labels, G]
    unit: np.ndarray  # int64 [G], the unit with which a cluster is resampled
    units: int
    strata: list[np.ndarray]  # units by the label of most of their windows: nonviral, viral

    @property
    def shares(self) -> np.ndarray:
        """The shares of the windows with labels 0 and 1: float64 [2]."""
        total = self.windows.sum()
        return self.windows.sum(axis=1) / total if total else np.zeros(2)

    @property
    def with_both_labels(self) -> int:
        """The number of clusters that hold windows of both labels."""
        return int((self.windows > 0).all(axis=0).sum())


@dataclass(frozen=True)
class ArmCounts:
    """What the replicates (S) of one arm did on the clusters (G) of a test set."""

    replicates: list[int]
    called: np.ndarray  # int64 [S, 2, G]: windows called viral
    placed: np.ndarray  # float64 [S, 2, G]: sums of placement values, each by the model that tests the fold
    pulled: np.ndarray  # float64 [S, 2, G]: sums of pulls on average precision, likewise

    def right(self, test: TestClusters) -> np.ndarray:
        """The number of windows that are called correctly: int64 [S, 2, G]."""
        return np.stack([test.windows[0] - self.called[:, 0], self.called[:, 1]], axis=1)


def make_test_clusters(names: list[str], fold: np.ndarray, folds: list[int], windows: np.ndarray) -> TestClusters:
    """TestClusters with their resampling units.

    A unit is one cluster; where there are more than MAX_UNITS clusters, it is several clusters of one fold and label.
    `fold`: int64 [G], index into `folds`; `windows`: int64 [2 labels, G].
    """
    kind = fold * 2 + (windows[1] > windows[0])
    unit = np.zeros(len(names), np.int64)
    unit_kind: list[int] = []
    for k in np.unique(kind):
        members = np.flatnonzero(kind == k)
        parts = len(members)
        if len(names) > MAX_UNITS:
            parts = max(1, MAX_UNITS * len(members) // len(names))
        unit[members] = len(unit_kind) + np.arange(len(members)) % parts
        unit_kind += [int(k)] * parts
    kinds = np.array(unit_kind, np.int64)
    strata = [np.flatnonzero(kinds % 2 == y) for y in (0, 1)]
    return TestClusters(names, fold, folds, windows, unit, len(kinds), strata)


def read_test_clusters(path: Path) -> TestClusters:
    """Find the clusters of a test set, with their folds and windows, in the rows of one arm's first replicate.

    Raises InputError if a cluster is in two folds (it would be both trained on and tested) or if a value is missing.
    """
    fold_of: dict[str, int] = {}
    counts: dict[tuple[str, int], int] = {}
    first: int | None = None
    for batch in prediction_batches(path, ["cluster", "fold", "replicate", "label"]):
        replicate = numbers(batch, "replicate", path)
        if first is None and len(replicate):
            first = int(replicate[0])
        names, codes = _cluster_codes(batch, path)
        fold, label = numbers(batch, "fold", path), numbers(batch, "label", path)
        if ((label != 0) & (label != 1)).any():
            raise InputError(f"{path}: a label is neither 0 nor 1: run EVALUATE again")
        keep = replicate == first
        packed = (codes[keep] * 256 + (fold[keep] & 255)) * 2 + label[keep]
        for value, count in zip(*np.unique(packed, return_counts=True), strict=True):
            name, f, y = names[value // 512], int(value // 2 % 256), int(value % 2)
            if fold_of.setdefault(name, f) != f:
                raise InputError(
                    f"{path}: cluster '{name}' is in folds {fold_of[name]} and {f}: assign the clusters to folds again (SPLIT)"
                )
            counts[name, y] = counts.get((name, y), 0) + int(count)
    clusters = sorted(fold_of)
    folds = sorted(set(fold_of.values()))
    windows = np.array([[counts.get((c, y), 0) for c in clusters] for y in (0, 1)], np.int64).reshape(2, len(clusters))
    fold = np.array([folds.index(fold_of[c]) for c in clusters], np.int64)
    return make_test_clusters(clusters, fold, folds, windows)


def read_arm_counts(path: Path, test: TestClusters) -> ArmCounts:
    """Count the predictions of one arm by replicate, label and cluster, in two passes over the file.

    Raises InputError if the rows are not those of `test`, because a cluster, its fold or its number of windows in any
    replicate differs, or if a score is not a finite number (the message names the window).
    """
    index = {name: i for i, name in enumerate(test.names)}
    replicates = replicates_of(path)
    size, s, f = len(test.names), len(replicates), len(test.folds)
    windows, called = np.zeros((s, 2, size), np.int64), np.zeros((s, 2, size), np.int64)
    fine = np.zeros((s, f, 2, KEYS), np.int32)
    for code, replicate, label, key, call in _rows(path, test, index, replicates):
        _add(windows, (replicate, label, code))
        _add(called, (replicate, label, code), call)
        np.add.at(fine.ravel(), np.ravel_multi_index((replicate, test.fold[code], label, key), fine.shape), np.int32(1))
    for r, counts in zip(replicates, windows, strict=True):
        if (counts != test.windows).any():
            name = test.names[int((counts != test.windows).any(axis=0).argmax())]
            raise InputError(
                f"{path}: replicate {r} has other windows of cluster '{name}' than the first arm on this test set, but every "
                "arm must be evaluated on the same windows: run EVALUATE again"
            )
    used = fine.any(axis=(0, 1, 2))
    dense = np.cumsum(used) - 1
    fine = fine[..., used]
    ranks = np.stack([[placements(fine[r, k]) for k in range(f)] for r in range(s)]) if s and f else fine
    pulls = np.stack([[precision_pulls(fine[r, k]) for k in range(f)] for r in range(s)]) if s and f else fine
    pulls = np.rint(pulls * STEPS).astype(np.int64)
    doubled, steps = np.zeros((s, 2, size), np.int64), np.zeros((s, 2, size), np.int64)
    for code, replicate, label, key, _ in _rows(path, test, index, replicates):
        at = np.ravel_multi_index((replicate, test.fold[code], label, dense[key]), ranks.shape)
        _add(doubled, (replicate, label, code), ranks.ravel()[at])
        _add(steps, (replicate, label, code), pulls.ravel()[at])
    others = fine.sum(axis=-1, dtype=np.int64)[:, :, ::-1]  # [S, F, 2]: the fold's windows of the other label
    scale = np.moveaxis(others[:, test.fold], 1, 2) * 2.0
    placed = np.divide(doubled, scale, out=np.zeros(doubled.shape), where=scale > 0)
    return ArmCounts(replicates, called, placed, steps / STEPS)


def first_bad_score(path: Path) -> str | None:
    """The id of the first window whose score is not a finite number."""
    for batch in prediction_batches(path, ["window", _score_column(path)]):
        bad = ~np.isfinite(batch.column(1).to_numpy(zero_copy_only=False))
        if bad.any():
            return str(batch.column(0)[int(bad.argmax())].as_py())
    return None


def _add(sums: np.ndarray, at: tuple[np.ndarray, ...], values: np.ndarray | None = None) -> None:
    """Add `values` (1 each if None) to sums[at], also where a place occurs several times. Whole numbers, so exact."""
    flat = np.bincount(np.ravel_multi_index(at, sums.shape), values, sums.size)
    sums += flat.reshape(sums.shape).astype(sums.dtype)


def _rows(path: Path, test: TestClusters, index: dict[str, int], replicates: list[int]) -> Iterator[tuple[np.ndarray, ...]]:
    score = _score_column(path)
    position = np.full(256, -1)
    position[np.array(replicates, int) & 255] = np.arange(len(replicates))
    folds = np.array(test.folds)
    for batch in prediction_batches(path, ["cluster", "fold", "replicate", "label", "call", score]):
        names, codes = _cluster_codes(batch, path)
        known = np.array([index.get(n, -1) for n in names], np.int64)
        code = known[codes]
        if (code < 0).any():
            name = names[int(codes[(code < 0).argmax()])]
            raise InputError(f"{path}: cluster '{name}' is not in the test set that the other arms have: run EVALUATE again")
        fold = numbers(batch, "fold", path)
        if (folds[test.fold[code]] != fold).any():
            name = test.names[int(code[(folds[test.fold[code]] != fold).argmax()])]
            raise InputError(f"{path}: cluster '{name}' is not in the fold that it has for the other arms: run EVALUATE again")
        values = batch.column(score).to_numpy(zero_copy_only=False).astype(np.float32)
        if not np.isfinite(values).all():
            raise InputError(f"{path}: window {first_bad_score(path)}: its score is not a finite number: train this arm again")
        label = numbers(batch, "label", path)
        call = batch.column("call").cast(pa.int8()).to_numpy(zero_copy_only=False).astype(np.int64)
        yield code, position[numbers(batch, "replicate", path) & 255], label, _keys(values), call


def _keys(values: np.ndarray) -> np.ndarray:
    """The upper 16 bits of float32 as int64 keys that rise with the value."""
    bits = (values + np.float32(0)).view(np.uint32)  # adding 0 turns -0 into 0
    rising = np.where(bits >> 31 == 1, ~bits, bits | np.uint32(1 << 31))
    return (rising >> 16).astype(np.int64)


def _score_column(path: Path) -> str:
    return "log_odds" if "log_odds" in pq.read_schema(path).names else "score"


def replicates_of(path: Path) -> list[int]:
    """The replicates in predictions.parquet, sorted."""
    seen = np.zeros(256, bool)
    for batch in prediction_batches(path, ["replicate"]):
        seen[numbers(batch, "replicate", path) & 255] = True
    return [int(r) for r in np.flatnonzero(seen)]


def prediction_batches(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Some columns of predictions.parquet, block by block. Raises InputError if the file is damaged or lacks a column."""
    try:
        file = pq.ParquetFile(path, read_dictionary=["cluster"] if "cluster" in columns else None, pre_buffer=False)
    except (OSError, pa.ArrowInvalid) as e:
        raise InputError(f"{path}: cannot be read as Parquet ({e}): run EVALUATE again") from None
    missing = [c for c in columns if c not in file.schema_arrow.names]
    if missing:
        raise InputError(f"{path}: column '{missing[0]}' is missing: run EVALUATE again")
    yield from file.iter_batches(batch_size=BATCH, columns=columns, use_threads=False)


def numbers(batch: pa.RecordBatch, column: str, path: Path) -> np.ndarray:
    """A column of whole numbers, int64. Raises InputError if a value is missing."""
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
