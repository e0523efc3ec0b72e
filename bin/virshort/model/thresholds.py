"""The scale of an exported model, its thresholds, and how it reads two mates together.

The head of each fold has a scale of its own. Its log-odds are therefore brought to the scale of probabilities by its
calibration, and only then are folds averaged. A threshold of the model is the mean of the folds'
thresholds on the same scale. If all folds said the same of a read, exactly those reads would be called that each fold calls. In
fact they differ, and their mean is less spread out than each of them, so that fewer nonviral reads exceed the threshold than
in evaluation (docs/model.md has figures).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from virshort.errors import InputError
from virshort.heads.calibration import LENGTHS, THRESHOLDS, for_bin, in_bin
from virshort.heads.model_record import Calibration
from virshort.heads.pair_record import MateRule
from virshort.heads.pairing import pooled_log_odds
from virshort.model.record import ModelRecord, Thresholds


def model_thresholds(fitted: Mapping[str, Sequence[Calibration]]) -> list[Thresholds]:
    """The thresholds of a model for each bin of lengths. fitted: the calibration of each fold."""
    found: list[Thresholds] = []
    for lengths in LENGTHS:
        used = [for_bin(of_fold, lengths) for of_fold in fitted.values()]
        found.append(
            {
                "lengths": list(lengths),
                "own": all(c["lengths"] is not None for c in used),
                "thresholds": {name: _mean([_calibrated(c, name) for c in used]) for name in THRESHOLDS},
            }
        )
    return found


def _calibrated(fitted: Calibration, name: str) -> float | None:
    """A threshold on the scale of probabilities."""
    cut = fitted["thresholds"][name]
    return None if cut is None else cut / fitted["temperature"] + fitted["bias"]


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean; None if a value is not known."""
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if len(known) == len(values) else None


def thresholds_for(record: ModelRecord, length: np.ndarray, name: str, pairs: bool = False) -> np.ndarray:
    """The calibrated log-odds from which each read, or each pair, is called viral.

    length: [n] bp, of a mate for pairs; name: balanced, fpr_1e-2 or fpr_1e-3. Where validation had too few pairs for a rate,
    the threshold for single reads stands in, on the same scale. Returns [n] float32. Raises InputError for another name, and
    where validation had too few windows for the rate."""
    if name not in THRESHOLDS:
        raise InputError(f"threshold {name}: is not one of {', '.join(THRESHOLDS)}: choose one of these, or give a number")
    out = np.empty(len(length), np.float32)
    for row in record["thresholds"]:
        here = in_bin(length, row["lengths"])
        if not here.any():
            continue
        cut = threshold_of(record, row, name, pairs)
        if cut is None:
            known = " or ".join(other for other in THRESHOLDS if threshold_of(record, row, other, pairs) is not None)
            raise InputError(
                f"threshold {name}: the model of {record['arm']} has none for reads of {row['lengths'][0]} bp and more, since "
                f"validation had too few nonviral windows for this rate: choose {known}, or train on more windows"
            )
        out[here] = cut
    return out


def check_threshold(record: ModelRecord, name: str) -> None:
    """Raise InputError where validation had too few windows of any length for a named threshold, before anything is scored."""
    if all(threshold_of(record, row, name, pairs=False) is None for row in record["thresholds"]):
        thresholds_for(record, np.array([record["thresholds"][0]["lengths"][0]]), name)


def threshold_of(record: ModelRecord, row: Thresholds, name: str, pairs: bool) -> float | None:
    """The threshold of one bin of lengths; None if it is not known. row: of the record's thresholds."""
    if pairs and record["pairs"]:
        own = _calibrated(for_bin(record["pairs"]["calibration"], row["lengths"]), name)
        if own is not None:
            return own
    return row["thresholds"][name]


def pair_log_odds(record: ModelRecord, mates: np.ndarray, overlap: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Calibrated log-odds of pairs.

    mates: [n, 2] calibrated log-odds of both mates; overlap: [n], the share of a mate's bases that the other reads too; length:
    [n] bp of a mate. Returns [n] float32. Raises InputError if the run that made the model drew no pairs."""
    rule: MateRule | None = record["pairs"]
    if rule is None:
        raise InputError(
            f"the model of {record['arm']} cannot read two mates together, because its run drew no pairs (--pair_windows 0): "
            "call mates singly, or make the model again with pairs"
        )
    return pooled_log_odds(mates, overlap, length, rule).astype(np.float32)
