"""Simulated log-odds of reads whose clusters differ: held-out windows, and samples that are mixtures of both labels."""

import numpy as np

MEANS, SPREADS = (-2.0, 1.5), (1.0, 2.0)
"""Of clusters' mean log-odds, nonviral and viral."""
WITHIN = 1.5


def held_out(rng: np.random.Generator, clusters: int = 200, windows: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Label, cluster and log-odds of held-out windows, whose clusters have many sizes."""
    sizes = rng.geometric(1 / windows, 2 * clusters)
    label, code = np.repeat([0, 1], clusters).repeat(sizes), np.repeat(np.arange(2 * clusters), sizes)
    means = np.concatenate([rng.normal(MEANS[y], SPREADS[y], clusters) for y in (0, 1)])
    return label, code, rng.normal(means[code], WITHIN)


def sample(rng: np.random.Generator, reads: int, share: float, clusters: int = 200) -> np.ndarray:
    """Log-odds of a sample's reads, of other clusters."""
    viral = rng.binomial(reads, share)
    parts = [(0, reads - viral), (1, viral)]
    return np.concatenate(
        [rng.normal(rng.normal(MEANS[y], SPREADS[y], clusters)[rng.integers(0, clusters, n)], WITHIN) for y, n in parts]
    )
