"""Metrics of a binary classifier, from scikit-learn, and the threshold chosen on validation."""

import numpy as np
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score


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
    tn, fp, fn, tp = (int(c) for c in confusion_matrix(label, call, labels=[0, 1]).ravel())

    def ratio(a: float, b: float) -> float | None:
        return a / b if b else None

    root = float(np.sqrt(float(tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))
    return {"accuracy": ratio(tp + tn, len(label)), "precision": ratio(tp, tp + fp), "recall": ratio(tp, tp + fn),
            "f1": ratio(2 * tp, 2 * tp + fp + fn), "mcc": ratio(tp * tn - fp * fn, root),
            "tp": tp, "fp": fp, "tn": tn, "fn": fn}


def of_scores(label: np.ndarray, score: np.ndarray) -> dict[str, float | None]:
    """auroc and auprc (average precision); None where only one label is present."""
    if len(np.unique(label)) < 2:
        return {"auroc": None, "auprc": None}
    return {"auroc": float(roc_auc_score(label, score)), "auprc": float(average_precision_score(label, score))}
