"""Scores and calls of the models of an arm."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load_file

from virshort.errors import InputError
from virshort.features.tensors import FRAMES, join, spread
from virshort.features.window_features import WindowFeatures
from virshort.files import read_json, whole
from virshort.fold_roles import validation_fold
from virshort.heads.calibration import calibrated
from virshort.heads.model_files import RECORD, TENSORS, ensemble_of, folder_of
from virshort.heads.model_record import Calibration, EnsembleRecord, Model
from virshort.heads.scoring import log_odds, matched, parts_of, score_of

PREDICTIONS = pa.schema(
    [
        ("window", pa.string()),
        ("source", pa.string()),
        ("cluster", pa.string()),
        ("fold", pa.int8()),
        ("replicate", pa.int8()),
        ("label", pa.int8()),
        ("score", pa.float32()),
        ("log_odds", pa.float32()),
        ("call", pa.bool_()),
    ]
)
"""Columns of predictions.parquet, which has one row for each window and replicate."""
_MANIFEST = ("window", "source", "cluster", "fold", "label")
_BLOCK = 1 << 14  # rows of features that are read at once
_MOST_ROWS = len(FRAMES) - 1  # of one window


@dataclass
class Heads:
    """The heads of one replicate with their thresholds (on the score) and calibrations, by the fold whose windows they judge:
    the one that they test."""

    weights: Mapping[int, Mapping[str, np.ndarray]]
    threshold: Mapping[int, float]
    calibration: Mapping[int, Sequence[Calibration]] = field(default_factory=dict)

    def log_odds(self, x: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """Log-odds of rows by the heads of their folds. x: [n, inputs]; fold: [n]. Returns [n] float32, NaN where a fold has no
        head."""
        out = np.full(len(x), np.nan, np.float32)
        for f in self.weights.keys() & {*np.unique(fold).tolist()}:
            out[fold == f] = log_odds(self.weights[f], x[fold == f])
        return out

    def matched(self, x: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """Whether rows have a match above the cut of the models that test their folds, which read matches only.

        x: [n, inputs]; fold: [n]. Returns [n] bool."""
        out = np.empty(len(x), bool)
        for f in np.unique(fold).tolist():
            (part,) = parts_of(self.weights[f])
            out[fold == f] = matched(part, x[fold == f])
        return out

    def calls(self, score: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """Whether each score reaches the threshold of its own head. score, fold: [n]. Returns [n] bool."""
        return score >= self.thresholds(fold)

    def thresholds(self, fold: np.ndarray) -> np.ndarray:
        """The threshold of the head that tests each window. fold: [n]. Returns [n] float32."""
        folds, place = np.unique(fold, return_inverse=True)
        return np.array([self.threshold[f] for f in folds.tolist()], np.float32)[place]

    def calibrated(self, odds: np.ndarray, fold: np.ndarray, length: np.ndarray) -> np.ndarray:
        """Log-odds on the scale of probabilities. odds, fold, length: [n]. Returns [n], NaN where a fold has no head."""
        out = np.full(len(odds), np.nan)
        for f in self.calibration.keys() & {*np.unique(fold).tolist()}:
            out[fold == f] = calibrated(self.calibration[f], odds[fold == f], length[fold == f])
        return out

    def by_validation_fold(self, folds: int) -> "Heads":
        """The same heads by the fold that they validate on, so that they judge windows of that fold. folds: how many there
        are."""
        judged = {f: validation_fold(f, folds) for f in self.threshold}
        return Heads(
            {judged[f]: weights for f, weights in self.weights.items()},
            {judged[f]: threshold for f, threshold in self.threshold.items()},
            {judged[f]: fitted for f, fitted in self.calibration.items()},
        )


def read_heads(folder: Path, folds: Sequence[int]) -> tuple[list[Heads], Model]:
    """The heads of each replicate of an arm, and the record of the first, which describes their inputs.

    Raises InputError where a replicate lacks the head of a fold."""
    replicates = sorted(int(p.name.removeprefix("replicate_")) for p in (folder / f"fold_{folds[0]}").glob("replicate_*"))
    if not replicates:
        raise InputError(f"{folder.name}: has no models of fold {folds[0]}: resume the run")
    where = [{f: folder / folder_of(f, r) for f in folds} for r in replicates]
    for path in (path for by_fold in where for path in by_fold.values()):
        if not (path / RECORD).exists():
            raise InputError(f"{folder.name}: no model in {path.relative_to(folder)}: resume the run")
    records: list[dict[int, Model]] = [{f: read_json(path / RECORD) for f, path in by_fold.items()} for by_fold in where]
    heads = [
        Heads(
            {f: load_file(path / TENSORS) for f, path in by_fold.items()},
            {f: m["threshold"] for f, m in models.items()},
            {f: m["calibration"] for f, m in models.items()},
        )
        for by_fold, models in zip(where, records, strict=True)
    ]
    return heads, records[0][folds[0]]


def read_ensemble(folder: Path, folds: Sequence[int]) -> Heads | None:
    """The thresholds and calibrations for the mean log-odds of an arm's replicates, without weights; None if it has none."""
    if not all((folder / ensemble_of(f)).exists() for f in folds):
        return None
    records: dict[int, EnsembleRecord] = {f: read_json(folder / ensemble_of(f)) for f in folds}
    return Heads({}, {f: r["threshold"] for f, r in records.items()}, {f: r["calibration"] for f, r in records.items()})


def score_windows(windows: WindowFeatures, modalities: Sequence[str], heads: Sequence[Heads]) -> np.ndarray:
    """Log-odds of windows by several sets of heads, [sets, windows] float32; NaN where a set has no head for a window's fold.

    A window with several rows has the largest log-odds of its rows."""
    fold = windows.column("fold")
    odds = np.empty((len(heads), len(windows)), np.float32)
    size = _block(windows)
    for first in range(0, len(windows), size):
        which = np.arange(first, min(first + size, len(windows)))
        rows, begin = windows.rows_of(which)
        x, of_row = windows.rows(rows, modalities), spread(fold[which], begin, len(rows))
        for judge, known in zip(heads, odds, strict=True):
            known[which] = join(judge.log_odds(x, of_row), begin)
    return odds


def _block(windows: WindowFeatures) -> int:
    """How many windows are read at once."""
    return _BLOCK // _MOST_ROWS if windows.frame_rows else _BLOCK


def matched_windows(windows: WindowFeatures, modalities: Sequence[str], heads: Heads, which: np.ndarray) -> np.ndarray:
    """Whether windows have a match above the cut, in any of their rows. which: [k], their numbers. Returns [k] bool."""
    fold = windows.column("fold")
    out = np.empty(len(which), bool)
    for first in range(0, len(which), _BLOCK // _MOST_ROWS):
        block = which[first : first + _BLOCK // _MOST_ROWS]
        rows, begin = windows.rows_of(block)
        found = heads.matched(windows.rows(rows, modalities), spread(fold[block], begin, len(rows)))
        out[first : first + len(block)] = join(found, begin)
    return out


def described(windows: WindowFeatures) -> Iterator[pa.Table]:
    """What predictions.parquet says of each window besides its scores, block by block."""
    return windows.tables(_MANIFEST, _block(windows))


def write_predictions(path: Path, blocks: Iterable[pa.Table], odds: np.ndarray, heads: Sequence[Heads]) -> None:
    """Write predictions.parquet. blocks: as from `described`; odds: [replicates, n]; heads: one entry per replicate."""
    done = 0
    with whole(path) as temporary, pq.ParquetWriter(temporary, PREDICTIONS, compression="zstd") as writer:
        for block in blocks:
            for table in prediction_tables(block, odds[:, done : done + block.num_rows], heads):
                writer.write_table(table)
            done += block.num_rows


def prediction_tables(manifest: pa.Table, odds: np.ndarray, heads: Sequence[Heads]) -> Iterator[pa.Table]:
    """The rows of predictions.parquet for a block of windows, one table per replicate.

    manifest: the block's columns of the manifest; odds: [replicates, block]."""
    fold = manifest["fold"].to_numpy()
    for r, (replicate, of_replicate) in enumerate(zip(heads, odds, strict=True)):
        score = score_of(of_replicate)
        columns = {name: manifest[name] for name in _MANIFEST} | {
            "replicate": np.full(len(score), r, np.int8),
            "score": score,
            "log_odds": of_replicate,
            "call": replicate.calls(score, fold),
        }
        yield pa.table(columns, schema=PREDICTIONS)
