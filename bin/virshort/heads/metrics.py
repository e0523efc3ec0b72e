"""Metrics of a binary classifier's calls, and the threshold that is chosen on validation.

Training needs both after every epoch. They are computed here because importing scikit-learn would add a second or more to each
task; a test compares them with scikit-learn's.
"""

import numpy as np

from virshort.heads.model_record import CallMetrics, EpochMetrics, ValidationMetrics


def probability_of(odds: np.ndarray) -> np.ndarray:
    """The probability of viral, float64, from log-odds [n]."""
    return 1 / (1 + np.exp(-odds.astype(np.float64)))


def threshold_of_best_mcc(label: np.ndarray, score: np.ndarray) -> float:
    """The threshold at and above which calling viral gives the highest Matthews correlation; of several, the nearest to 0.5.

    label: [n] 0 or 1, both present; score: [n] in [0, 1]. The threshold lies halfway between two scores that occur."""
    values, rank = np.unique(score, return_inverse=True)
    positives = np.bincount(rank, label == 1, len(values))
    negatives = np.bincount(rank, label == 0, len(values))
    tp = np.cumsum(positives[::-1])[::-1]  # entry i: if everything from values[i] on is called viral
    fp = np.cumsum(negatives[::-1])[::-1]
    tn, fn = negatives.sum() - fp, positives.sum() - tp
    with np.errstate(invalid="ignore", divide="ignore"):
        mcc = (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    mcc = np.nan_to_num(mcc, nan=0.0)
    cut = np.concatenate([[values[0] / 2], (values[1:] + values[:-1]) / 2])
    best = np.flatnonzero(mcc >= mcc.max() - 1e-12)
    return float(cut[best[np.argmin(np.abs(cut[best] - 0.5))]])


def of_calls(label: np.ndarray, call: np.ndarray) -> CallMetrics:
    """Accuracy, precision, recall, F1, Matthews correlation and the confusion matrix. label, call: [n] 0 or 1."""
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


def judge(label: np.ndarray, odds: np.ndarray, threshold: float | None = None) -> tuple[ValidationMetrics, float]:
    """Metrics of calls at a threshold on the score, and the threshold; if None, the one with the best Matthews correlation.

    label: [n] 0 or 1; odds: [n] log-odds."""
    score = probability_of(odds)
    cut = threshold_of_best_mcc(label, score) if threshold is None else threshold
    return {**epoch_metrics(label, odds), **of_calls(label, score >= cut)}, cut


def epoch_metrics(label: np.ndarray, odds: np.ndarray) -> EpochMetrics:
    """Mean cross-entropy, and accuracy and F1 at log-odds 0. label: [n] 0 or 1; odds: [n]."""
    y, call = label == 1, odds >= 0
    loss = np.logaddexp(0, np.where(y, -odds, odds).astype(np.float64)).mean()
    hits = np.sum(y & call)
    return {"loss": float(loss), "accuracy": float(np.mean(y == call)), "f1": float(2 * hits / max(1, y.sum() + call.sum()))}
