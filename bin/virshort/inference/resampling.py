"""Resampling of whole clusters: the bootstrap and its percentile interval, and the sign-flip test.

Every sum that could depend on the order of rows or on the number of threads is a sum of whole numbers, and so is exact.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy import special

from virshort.inference.estimates import Estimate, with_training_noise

BLOCK = 1_000_000  # random numbers held in memory at a time


def bootstrap_weights(strata: Sequence[np.ndarray], clusters: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """How often each cluster is drawn, with replacement within its stratum: float32 [draws, clusters].

    `strata`: arrays of indices, one per stratum; together they hold every cluster once.
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
    """weights @ counts for whole numbers, in float32 where every sum is exact, otherwise in float64."""
    bound = float(weights.sum(axis=1).max(initial=0)) * float(np.abs(counts).max(initial=0))
    kind = np.float32 if bound < 2**24 else np.float64
    return weights.astype(kind, copy=False) @ counts.astype(kind, copy=False)


def percentile_interval(
    draws: np.ndarray,
    value: float,
    replicates: Sequence[float] | np.ndarray,
    clusters: int,
    low: float = 0.0,
    high: float = 1.0,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """Percentile interval of a cluster bootstrap, widened on both sides by the noise of training between replicates.

    Each side is scaled by what that noise adds to a t interval with the variance of the draws (`clusters` - 1 degrees of
    freedom, combined with those of the replicates by Satterthwaite). None if the draws do not vary or if more than a tenth of
    them are undefined.
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
    """Two-sided p value per arm that it does not differ from the baseline, by flipping the sign of whole clusters.

    `differences`: [arms, clusters], whole numbers: correct calls of the arm minus those of the baseline. The observed signs
    count as one of the flips, so no p value is 0; an arm that differs in no cluster has p = 1.
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


def _blocks(total: int, size: int) -> Iterator[int]:
    for start in range(0, total, size):
        yield min(size, total - start)
