"""How well an arm's scores rank windows, and how well they are probabilities.

label: [n] 0 or 1; odds: [replicates, n] log-odds, each window's by the head that tests its fold.
"""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from virshort.heads.metrics_record import Curves, RankMetrics, Reliability
from virshort.inference.estimates import precision_at

POINTS = 101  # of a curve
BINS = 15  # of a reliability curve, with equal numbers of windows
DRAWS = 100  # of labels for a perfectly calibrated model


def rank_metrics(label: np.ndarray, score: np.ndarray) -> RankMetrics:
    """AUROC and average precision of one head's scores [n]; None with one label."""
    if len(np.unique(label)) < 2:
        return {"auroc": None, "auprc": None}
    return {"auroc": float(roc_auc_score(label, score)), "auprc": float(average_precision_score(label, score))}


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
            x, y, _ = roc_curve(label[here], replicate[here])
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
        score = 1 / (1 + np.exp(-o.astype(float)))
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
