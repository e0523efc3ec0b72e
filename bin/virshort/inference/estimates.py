"""Intervals and tests for windows that are not independent: the cluster is the unit.

Windows of one cluster resemble each other, so 50,000 windows of 100 clusters carry the evidence of some hundred, not
of 50,000. A "stratum" is a label: a metric over both labels is a sum of one ratio per label with the label's share of
the test set fixed. Arrays over clusters are always in one order, given by the caller. Every sum that could depend on
the order of rows or on the number of threads is a sum of whole numbers, hence exact.

Sources: Obuchowski 1997 (clustered ROC), Durkalski et al. 2003 (clustered pairs), Satterthwaite 1946, Holm 1979;
the choices between them (jackknife, not BCa) were simulated, see tests/unit/test_statistics.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

MINIMUM_EFFECTIVE = 10.0  # below: no interval
WARN_EFFECTIVE = 30.0  # below: an interval, with a warning
BLOCK = 1_000_000  # numbers held at once where random ones are drawn


@dataclass(frozen=True)
class Estimate:
    """A number and what is known of its error: variance, and degrees of freedom of that variance (Satterthwaite)."""

    value: float
    variance: float
    df: float

    @property
    def known(self) -> bool:
        """Whether an interval can be given: clusters vary and there are enough of them to see it."""
        return bool(np.isfinite(self.variance) and self.variance > 0 and np.isfinite(self.df) and self.df > 0)

    def interval(self, level: float = 0.95, low: float = -np.inf, high: float = np.inf) -> tuple[float, float] | None:
        """Two-sided t interval cut to [low, high]; None where the variance is zero or unknown."""
        if not self.known:
            return None
        half = special.stdtrit(self.df, 0.5 + level / 2) * np.sqrt(self.variance)
        return max(low, float(self.value - half)), min(high, float(self.value + half))

    def p_value(self, null: float = 0.0) -> float | None:
        """Two-sided p of `value` = `null` by the same t distribution as the interval."""
        if not self.known:
            return None
        return float(2 * special.stdtr(self.df, -abs(self.value - null) / np.sqrt(self.variance)))


def effective_clusters(windows: np.ndarray) -> float:
    """(sum n)^2 / sum n^2 over clusters: how many clusters of equal size carry the same evidence. 0 without windows."""
    n = np.asarray(windows, float)
    squares = float((n * n).sum())
    return float(n.sum()) ** 2 / squares if squares else 0.0


def jackknife(sums: np.ndarray, weights: np.ndarray, shares: Sequence[float]) -> Estimate:
    """Delete-one-cluster jackknife of sum_s shares[s] * sum_g sums[s, g] / sum_g weights[s, g].

    `sums`, `weights`: [strata, clusters]; a cluster is in a stratum where its weight is above 0. `sums` of a
    difference between two arms gives the paired interval. A cluster in several strata is deleted from all of them
    at once; where no cluster is, this is s^2 = sum_s shares_s^2 s_s^2 with Welch's degrees of freedom.
    A stratum of share 0 is ignored; one with fewer than two clusters leaves the variance unknown (NaN).
    """
    sums, weights, shares = np.asarray(sums, float), np.asarray(weights, float), np.asarray(shares, float)
    value, deviations, sizes = 0.0, [], []
    for a, n, share in zip(sums, weights, shares, strict=True):
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
    # A cluster in two strata gives its joint part to them by their squares; in one stratum, all of it to that one.
    squares = parts * parts
    by_cluster = squares.sum(axis=0)
    portion = np.divide(squares, by_cluster, out=np.zeros_like(squares), where=by_cluster > 0)
    by_stratum = (portion * together).sum(axis=1)
    denominator = float((by_stratum**2 / (np.array(sizes) - 1)).sum())
    distinct = int((weights[shares != 0] > 0).any(axis=0).sum())
    df = min(variance**2 / denominator, distinct - 1) if denominator > 0 else float("nan")
    return Estimate(value, variance, df)


def with_training_noise(estimate: Estimate, replicates: Sequence[float]) -> Estimate:
    """Add the variance of a mean over S replicates, var / S, to the variance over clusters.

    The degrees of freedom are Satterthwaite's. With fewer than two replicates training noise is not known and the
    estimate comes back unchanged: say so beside the interval.
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


def placements(histogram: np.ndarray) -> np.ndarray:
    """How many windows of the other label each score bin ranks rightly against, doubled to stay whole.

    `histogram`: [2 labels, bins], rising scores. Returns int64 [2, bins]: for a positive in bin b twice the negatives
    below it plus those in its bin (a tie counts half); for a negative twice the positives above it plus those tied.
    Divided by twice the number of the other label this is the placement value V; the mean V of either label is AUROC.
    """
    counts = np.asarray(histogram, np.int64)
    below = np.cumsum(counts[0])
    above = counts[1].sum() - np.cumsum(counts[1])
    return np.stack([2 * above + counts[1], 2 * (below - counts[0]) + counts[0]])


def bootstrap_weights(strata: Sequence[np.ndarray], clusters: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """How often each cluster is drawn, with replacement within its stratum: float32 [draws, clusters].

    `strata`: index arrays that part the clusters (by the label most of their windows have).
    """
    weights = np.zeros((draws, clusters), np.float32)
    for members in strata:
        size, start = len(members), 0
        for count in _blocks(draws, max(1, BLOCK // max(1, size))) if size else ():
            drawn = rng.integers(0, size, size=(count, size)) + np.arange(count)[:, None] * size
            times = np.bincount(drawn.ravel(), minlength=count * size).reshape(count, size)
            weights[start : start + count, members] = times
            start += count
    return weights


def exact_product(weights: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """weights @ counts for whole numbers: in float32 where every sum stays exact, else in float64."""
    bound = float(weights.sum(axis=1).max(initial=0)) * float(np.abs(counts).max(initial=0))
    kind = np.float32 if bound < 2**24 else np.float64
    return weights.astype(kind, copy=False) @ counts.astype(kind, copy=False)


def rates_to_metrics(tpr: np.ndarray, fpr: np.ndarray, share: float) -> dict[str, np.ndarray]:
    """Accuracy, precision, F1 and MCC from rates and the share of positives; 0 where a denominator is 0, as sklearn."""
    tp, fn, fp, tn = share * tpr, share * (1 - tpr), (1 - share) * fpr, (1 - share) * (1 - fpr)
    root = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    return {
        "accuracy": tp + tn,
        "precision": _divide(tp, tp + fp),
        "f1": _divide(2 * tp, 2 * tp + fp + fn),
        "mcc": _divide(tp * tn - fp * fn, root),
    }


def precision_at(tpr: np.ndarray, fpr: np.ndarray, prevalence: float) -> np.ndarray:
    """Precision expected where `prevalence` of the windows are positive; 0 where nothing is called positive."""
    return _divide(tpr * prevalence, tpr * prevalence + fpr * (1 - prevalence))


def precision_pulls(histogram: np.ndarray) -> np.ndarray:
    """How a window in each score bin pulls on average precision: its derivative by the window's weight, times the label's
    windows (the infinitesimal jackknife; Efron 1982).

    `histogram`: [2 labels, bins], rising scores. Returns [2, bins], each label's mean over windows 0; with one cluster
    deleted, average precision at fixed shares of the labels moves by -(sum of its windows' pulls) / (windows left).
    """
    counts = np.asarray(histogram, float)[:, ::-1]
    total = counts.sum(axis=1)
    if not total.all():
        return np.zeros(counts.shape)
    share = total[1] / total.sum()
    steps = counts[1] / total[1]
    above, below = share * np.cumsum(steps), (1 - share) * np.cumsum(counts[0]) / total[0]
    called = np.where(above + below > 0, above + below, 1.0)
    precision = above / called
    # A window changes the precision of every bin from its own down.
    by_fpr = -_from_here_on(steps * (1 - share) * above / called**2)
    by_tpr = _from_here_on(steps * share * below / called**2)
    pulls = np.stack([by_fpr, precision + by_tpr])
    pulls -= (pulls * counts).sum(axis=1, keepdims=True) / total[:, None]
    return pulls[:, ::-1]


def percentile_interval(
    draws: np.ndarray,
    value: float,
    replicates: Sequence[float],
    clusters: int,
    low: float = 0.0,
    high: float = 1.0,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """Percentile interval of a cluster bootstrap, both arms lengthened by the training noise of the replicates.

    Each arm is scaled by what the noise adds to a t interval of the draws' variance (`clusters` - 1 degrees of freedom,
    Satterthwaite with the replicates'). None where the draws do not vary or more than a tenth are undefined.
    """
    finite = draws[np.isfinite(draws)]
    if len(finite) < max(2, 0.9 * len(draws)) or np.ptp(finite) == 0 or not np.isfinite(value):
        return None
    lower, upper = np.quantile(finite, [0.5 - level / 2, 0.5 + level / 2])
    sampling = Estimate(value, float(finite.var(ddof=1)), max(1, clusters - 1))
    total = with_training_noise(sampling, replicates)
    plain, widened = (special.stdtrit(e.df, 0.5 + level / 2) * np.sqrt(e.variance) for e in (sampling, total))
    scale = max(1.0, widened / plain)
    down, up = max(0.0, value - float(lower)) * scale, max(0.0, float(upper) - value) * scale
    return max(low, float(value - down)), min(high, float(value + up))


def sign_flip_p(differences: np.ndarray, rng: np.random.Generator, flips: int = 10_000) -> np.ndarray:
    """Two-sided p of "no difference" per arm by flipping the sign of whole clusters.

    `differences`: [arms, clusters], whole numbers (right calls of the arm less those of the baseline). The observed
    signs count as one of the flips, so no p is 0; an arm that differs nowhere has p = 1.
    """
    differences = np.asarray(differences, np.int64)
    total = differences.sum(axis=1)
    extreme = np.zeros(len(differences), np.int64)
    width = differences.shape[1]
    for count in _blocks(flips, max(1, BLOCK // max(1, width))):
        packed = np.frombuffer(rng.bytes(count * -(-width // 8)), np.uint8).reshape(count, -1)
        flipped = np.unpackbits(packed, axis=1, count=width)
        sums = total - 2 * exact_product(flipped.astype(np.float32), differences.T).astype(np.int64)
        extreme += (np.abs(sums) >= np.abs(total)).sum(axis=0)
    return (extreme + 1) / (flips + 1)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction, in the order given."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate([(len(order) - i) * p[k] for i, k in enumerate(order)]) if len(order) else []
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(1.0, stepped)
    return [float(v) for v in corrected]


def _blocks(total: int, size: int) -> Iterator[int]:
    for start in range(0, total, size):
        yield min(size, total - start)


def _from_here_on(values: np.ndarray) -> np.ndarray:
    return np.cumsum(values[::-1])[::-1]


def _divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
    return np.divide(a, b, out=np.zeros(a.shape), where=b > 0)
