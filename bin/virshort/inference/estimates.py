"""Estimates and intervals for windows that are not independent: the unit of evidence is the cluster.

Windows of one cluster resemble each other, so 50,000 windows of 100 clusters carry about as much evidence as a hundred
independent windows. A "stratum" is a label: a metric over both labels is a sum of one ratio per label, in which the label's
share of the test set is fixed. Arrays over clusters are always in one order, which the caller chooses.

Sources: Obuchowski 1997 (clustered ROC curves), Durkalski et al. 2003 (clustered pairs), Satterthwaite 1946, Holm 1979. The
choice between methods (jackknife rather than BCa) rests on simulations; tests/unit/inference/ repeats them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

MINIMUM_EFFECTIVE = 10.0  # effective clusters per label, below which no interval is given
WARN_EFFECTIVE = 30.0  # below which an interval comes with a warning


@dataclass(frozen=True)
class Estimate:
    """A number, its variance, and the degrees of freedom of that variance (Satterthwaite)."""

    value: float
    variance: float
    df: float

    @property
    def known(self) -> bool:
        """Whether an interval can be given: the clusters differ, and there are enough of them to show it."""
        return bool(np.isfinite(self.variance) and self.variance > 0 and np.isfinite(self.df) and self.df > 0)

    def interval(self, level: float = 0.95, low: float = -np.inf, high: float = np.inf) -> tuple[float, float] | None:
        """Two-sided t interval, cut to [low, high]; None if the variance is zero or unknown."""
        if not self.known:
            return None
        half = special.stdtrit(self.df, 0.5 + level / 2) * np.sqrt(self.variance)
        return max(low, float(self.value - half)), min(high, float(self.value + half))

    def p_value(self, null: float = 0.0) -> float | None:
        """Two-sided p value of `value` = `null`, by the t distribution of the interval; None if the variance is unknown."""
        if not self.known:
            return None
        return float(2 * special.stdtr(self.df, -abs(self.value - null) / np.sqrt(self.variance)))


def effective_clusters(windows: np.ndarray) -> float:
    """How many clusters of equal size would carry the same evidence: (sum n)^2 / sum n^2; 0 without windows."""
    n = np.asarray(windows, float)
    squares = float((n * n).sum())
    return float(n.sum()) ** 2 / squares if squares else 0.0


def jackknife(sums: np.ndarray, weights: np.ndarray, shares: Sequence[float] | np.ndarray) -> Estimate:
    """Delete-one-cluster jackknife of sum_s shares[s] * sum_g sums[s, g] / sum_g weights[s, g].

    `sums`, `weights`: [strata, clusters]; a cluster belongs to a stratum if its weight there is above 0. Where `sums` are
    differences between two arms, the interval is the paired one. A cluster in several strata is deleted from all of them
    at once; if no cluster is in several, the variance is sum_s shares_s^2 s_s^2 with Welch's degrees of freedom. A
    stratum with a share of 0 is ignored; one with fewer than two clusters leaves the variance unknown (NaN).
    """
    sums, weights, fixed = np.asarray(sums, float), np.asarray(weights, float), np.asarray(shares, float)
    value, deviations, sizes = 0.0, [], []
    for a, n, share in zip(sums, weights, fixed, strict=True):
        if share == 0:
            continue
        inside = n > 0
        groups, total = int(inside.sum()), float(n.sum())
        if groups == 0:
            return Estimate(float("nan"), float("nan"), float("nan"))
        value += share * float(a.sum()) / total
        deviation = np.zeros(len(n))
        if groups > 1:
            without = (a.sum() - a[inside]) / (total - n[inside])
            deviation[inside] = share * np.sqrt((groups - 1) / groups) * (without - without.mean())
        deviations.append(deviation)
        sizes.append(groups)
    if not sizes or min(sizes) < 2:
        return Estimate(value, float("nan"), float("nan"))
    parts = np.array(deviations)
    together = parts.sum(axis=0) ** 2
    variance = float(together.sum())
    # The joint part of a cluster in two strata is divided between them in proportion to their squares.
    squares = parts * parts
    by_cluster = squares.sum(axis=0)
    portion = np.divide(squares, by_cluster, out=np.zeros_like(squares), where=by_cluster > 0)
    by_stratum = (portion * together).sum(axis=1)
    denominator = float((by_stratum**2 / (np.array(sizes) - 1)).sum())
    distinct = int((weights[fixed != 0] > 0).any(axis=0).sum())
    df = min(variance**2 / denominator, distinct - 1) if denominator > 0 else float("nan")
    return Estimate(value, variance, df)


def with_training_noise(estimate: Estimate, replicates: Sequence[float | None] | np.ndarray) -> Estimate:
    """Add the variance of a mean over S replicates, var / S, to the variance over clusters.

    The degrees of freedom are Satterthwaite's. With fewer than two replicates the noise of training is not known and the
    estimate is returned unchanged; whoever shows the interval must say so.
    """
    values = np.asarray([v for v in replicates if v is not None and np.isfinite(v)], float)
    if len(values) < 2 or not np.isfinite(estimate.variance):
        return estimate
    noise = float(values.var(ddof=1)) / len(values)
    variance = estimate.variance + noise
    if variance == 0:
        return estimate
    clusters = estimate.variance**2 / estimate.df if estimate.variance > 0 else 0.0
    return Estimate(estimate.value, variance, variance**2 / (clusters + noise**2 / (len(values) - 1)))


def rates_to_metrics(tpr: np.ndarray, fpr: np.ndarray, share: float) -> dict[str, np.ndarray]:
    """Accuracy, precision, F1 and MCC from rates and the share of positives; 0 where a denominator is 0, as in sklearn."""
    tp, fn, fp, tn = share * tpr, share * (1 - tpr), (1 - share) * fpr, (1 - share) * (1 - fpr)
    root = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return {
        "accuracy": tp + tn,
        "precision": _divide(tp, tp + fp),
        "f1": _divide(2 * tp, 2 * tp + fp + fn),
        "mcc": _divide(tp * tn - fp * fn, root),
    }


def precision_at(tpr: np.ndarray, fpr: np.ndarray, prevalence: float) -> np.ndarray:
    """The precision to expect if a share `prevalence` of the windows is positive; 0 where nothing is called positive."""
    return _divide(tpr * prevalence, tpr * prevalence + fpr * (1 - prevalence))


def holm(p: Sequence[float]) -> list[float]:
    """p values corrected by Holm's step-down method, in the order given."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(np.array([(len(order) - i) * p[k] for i, k in enumerate(order)]))
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(1.0, stepped)
    return [float(v) for v in corrected]


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
    return np.divide(a, b, out=np.zeros(a.shape), where=b > 0)
