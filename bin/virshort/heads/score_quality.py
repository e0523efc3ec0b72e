"""How well an arm's scores rank windows, and how well they are probabilities.

label: [n] 0 or 1; odds: [replicates, n] log-odds, each window's by the head that tests its fold.

AUROC and average precision are computed here because importing scikit-learn would add two seconds to the evaluation of each
arm; a test compares them with scikit-learn's, bit for bit.
"""

import numpy as np

from virshort.heads.metrics import probability_of
from virshort.heads.metrics_record import Curves, RankMetrics, Reliability
from virshort.inference.estimates import precision_at

POINTS = 101  # of a curve
BINS = 15  # of a reliability curve, with equal numbers of windows
DRAWS = 100  # of labels for a perfectly calibrated model


def counts_above(label: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positives [t] when all windows from a score on are called viral, for each score that occurs, falling.
    label, score: [n]."""
    falling = np.argsort(score, kind="stable")[::-1]
    last = np.append(np.flatnonzero(np.diff(score[falling])), len(score) - 1)  # of the windows with equal scores
    tp = np.cumsum(label[falling], dtype=float)[last]
    return last + 1 - tp, tp


def roc_curve(label: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rate [t] at the corners of the ROC curve, from (0, 0) to (1, 1). label, score: [n], with both
    labels."""
    fp, tp = (np.append(0, count) for count in counts_above(label, score))
    corner = np.ones(len(fp), bool)
    corner[2:-1] = (np.diff(fp[1:], 2) != 0) | (np.diff(tp[1:], 2) != 0)
    return fp[corner] / fp[-1], tp[corner] / tp[-1]


def average_precision(label: np.ndarray, score: np.ndarray) -> float:
    """Mean precision over the viral windows, at each one's score. label, score: [n], with a viral window."""
    fp, tp = counts_above(label, score)
    # From the lowest score, the order in which scikit-learn adds them
    precision, recall = (tp / (tp + fp))[::-1], np.append((tp / tp[-1])[::-1], 0)
    return float(max(0.0, -np.sum(np.diff(recall) * precision)))


def rank_metrics(label: np.ndarray, score: np.ndarray) -> RankMetrics:
    """AUROC and average precision of one head's scores [n]; None with one label."""
    if len(np.unique(label)) < 2:
        return {"auroc": None, "auprc": None}
    x, y = roc_curve(label, score)
    return {"auroc": float(np.trapezoid(y, x)), "auprc": average_precision(label, score)}


def curves(label: np.ndarray, fold: np.ndarray, odds: np.ndarray) -> Curves | None:
    """ROC and precision-recall curves at fixed rates; None if no fold has both labels. fold: [n].

    Both are means over replicates and folds, weighted by windows, since scores of different heads are on no common scale.
    Precision is at the test set's share of viral windows."""
    grid = np.linspace(0, 1, POINTS)
    tpr, fpr, weight = np.zeros(POINTS), np.zeros(POINTS), 0
    for f in np.unique(fold):
        here = fold == f
        if len(np.unique(label[here])) < 2:
            continue
        for replicate in odds:
            x, y = roc_curve(label[here], replicate[here])
            tpr += here.sum() * np.interp(grid, x, y)
            fpr += here.sum() * np.interp(grid, y, x)
            weight += here.sum()
    if not weight:
        return None
    tpr, fpr = tpr / weight, fpr / weight
    precision = precision_at(grid, fpr, float(label.mean()))
    return {"roc": _points(grid, tpr), "precision_recall": _points(grid[1:], precision[1:])}


def reliability(label: np.ndarray, odds: np.ndarray, rng: np.random.Generator) -> Reliability:
    """Brier score, log loss and expected calibration error (means over replicates) and the reliability curve.

    The calibration error is biased upwards: it is not 0 even where each label is drawn from its own probability. So labels are
    drawn from the scores, and the mean error of these draws, `ece_if_perfect`, is there for comparison."""
    brier, log_loss, ece, ece_if_perfect = [], [], [], []
    sums = np.zeros((3, BINS))
    for o in odds:
        score = probability_of(o)
        order = np.argsort(score, kind="stable")
        part = np.empty(len(order), np.int64)
        part[order] = np.arange(len(order)) * BINS // len(order)
        expected, count = np.bincount(part, score, BINS), np.bincount(part, minlength=BINS)
        viral = np.bincount(part, label, BINS)
        drawn = [np.bincount(part, rng.random(len(part)) < score, BINS) for _ in range(DRAWS // len(odds) + 1)]
        brier.append(float(np.mean((score - label) ** 2)))
        log_loss.append(float(np.logaddexp(0, np.where(label == 1, -o, o), dtype=float).mean()))
        ece.append(float(np.abs(viral - expected).sum() / len(label)))
        ece_if_perfect.append(float(np.mean([np.abs(d - expected).sum() / len(label) for d in drawn])))
        sums += (expected, viral, count)
    return {
        "brier": float(np.mean(brier)),
        "log_loss": float(np.mean(log_loss)),
        "ece": float(np.mean(ece)),
        "ece_if_perfect": float(np.mean(ece_if_perfect)),
        "curve": [(float(e / n), float(v / n), int(n)) for e, v, n in zip(*sums, strict=True) if n],
    }


def _points(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    return [[round(float(a), 6), round(float(b), 6)] for a, b in zip(x, y, strict=True)]
