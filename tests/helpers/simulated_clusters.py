"""Clusters of windows whose correct calls are correlated, with a known accuracy."""

import numpy as np
from scipy import stats

EXPERIMENTS = 1200


def sizes(rng: np.random.Generator, clusters: int, mean: int = 40) -> np.ndarray:
    """Skewed numbers of windows per cluster: int64 [experiments, clusters]."""
    return np.maximum(1, rng.lognormal(np.log(mean) - 0.25, 0.7, (EXPERIMENTS, clusters))).astype(np.int64)


def right_calls(
    rng: np.random.Generator, n: np.ndarray, shared: np.ndarray, accuracy: float, seeds: int, seed_sd: float = 0.05
) -> np.ndarray:
    """Correct calls by cluster, [experiments, seeds, clusters], with mean accuracy `accuracy` over clusters and seeds."""
    own = rng.normal(0, 0.4, n.shape)
    spread = np.sqrt(1 + 0.8**2 + 0.4**2 + seed_sd**2)
    noise = rng.normal(0, seed_sd, (len(n), seeds, 1))
    p = stats.norm.cdf(spread * stats.norm.ppf(accuracy) + (0.8 * shared + own)[:, None] + noise)
    return rng.binomial(n[:, None], p)
