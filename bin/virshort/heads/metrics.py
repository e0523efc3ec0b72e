"""Metrics of a binary classifier's calls, and the threshold chosen on validation.

Training needs them after each epoch. Of scikit-learn's they are the numbers (a test compares), without what it takes to import
it, a second and more in each task.
"""

import numpy as np


def threshold_of_best_mcc(label: np.ndarray, score: np.ndarray) -> float:
    """The score at and above which calling viral gives the highest Matthews correlation; of equals that nearest to .5.

    label: [n] 0 or 1, both present; score: [n] in [0, 1]. It lies halfway between two scores that occur."""
    values, rank = np.unique(score, return_inverse=True)
    positives = np.bincount(rank, label == 1, len(values))
    negatives = np.bincount(rank, label == 0, len(values))
    tp = np.cumsum(positives[::-1])[::-1]  # calling viral from values[i] on
    fp = np.cumsum(negatives[::-1])[::-1]
    tn, fn = negatives.sum() - fp, positives.sum() - tp
    with np.errstate(invalid="ignore", divide="ignore"):
        mcc = (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    mcc = np.nan_to_num(mcc, nan=0.0)
    cut = np.concatenate([[values[0] / 2], (values[1:] + values[:-1]) / 2])
    best = np.flatnonzero(mcc >= mcc.max() - 1e-12)
    return float(cut[best[np.argmin(np.abs(cut[best] - 0.5))]])


def of_calls(label: np.ndarray, call: np.ndarray) -> dict[str, float | int | None]:
    """accuracy, precision, recall, f1, mcc and the confusion counts. None where a metric has no value (0 / 0).

    label, call: [n] 0 or 1."""
    tn, fp, fn, tp = (int(c) for c in np.bincount(2 * label.astype(np.int64) + call, minlength=4))

    def ratio(a: float, b: float) -> float | None:
        return a / b if b else None

    root = float(np.sqrt(float(tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))
    return {
        "accuracy": ratio(tp + tn, len(label)),
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "mcc": ratio(tp * tn - fp * fn, root),
        "tp": tp,
        "fp": fp,
        "tn": tn,
        "fn": fn,
    }
