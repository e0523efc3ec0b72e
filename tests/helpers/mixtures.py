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


MATCHED = (-5.0, 5.0)
"""Mean log-odds of reads with a match."""
KNOWN = {"all": (0.4, 0.4), "known": (40, 1), "new": (0.1, 20)}
"""By what viruses a sample holds, the beta distribution of the share of a cluster's reads that match."""
FOUND_MORE = 2.0
"""How much higher the log-odds of a known virus are that does not match, than those of a new one."""


def _with_matches(
    rng: np.random.Generator, label: np.ndarray, code: np.ndarray, clusters: int, viruses: str
) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of reads, and whether they match. label, code: [n]; clusters of a label have codes of their own."""
    known = np.concatenate([rng.beta(0.5, 1.5, clusters), rng.beta(*KNOWN[viruses], clusters)])
    shift = np.concatenate([rng.normal(0, SPREADS[y], clusters) for y in (0, 1)])
    matched = rng.random(len(code)) < known[code]
    composition = np.array(MEANS)[label] + (label == 1) * FOUND_MORE * (known[code] - 0.5)
    return rng.normal(np.where(matched, np.array(MATCHED)[label], composition) + shift[code], WITHIN), matched


def held_out_with_matches(
    rng: np.random.Generator, clusters: int = 200, windows: int = 60
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Label, cluster and log-odds of held-out windows, and whether they match."""
    sizes = rng.geometric(1 / windows, 2 * clusters)
    label, code = np.repeat([0, 1], clusters).repeat(sizes), np.repeat(np.arange(2 * clusters), sizes)
    return label, code, *_with_matches(rng, label, code, clusters, "all")


def sample_with_matches(
    rng: np.random.Generator, reads: int, share: float, viruses: str, clusters: int = 200
) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of a sample's reads, of other clusters, and whether they match. viruses: a key of KNOWN."""
    label = (rng.random(reads) < share).astype(int)
    return _with_matches(rng, label, rng.integers(0, clusters, reads) + clusters * label, clusters, viruses)
