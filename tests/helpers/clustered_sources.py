"""Random sources in clusters of uneven size, for the tests of balancing and folds."""

import numpy as np

from virshort.sources.folds import Folds, assign_folds


def clustered_sources(seed: int, clusters: int, both: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sources of two labels with three kingdoms each; `both` is the share of sources whose label is not that of their cluster.

    Returns [sources] cluster, label, kingdom and bases."""
    rng = np.random.default_rng(seed)
    count = 1 + rng.geometric(0.4, clusters)
    cluster = np.repeat([f"c{i:04d}" for i in range(clusters)], count)
    of_label = np.where(np.arange(clusters) % 2, "viral", "nonviral")
    label = np.repeat(of_label, count)
    swapped = rng.random(len(label)) < both
    label[swapped] = np.where(label[swapped] == "viral", "nonviral", "viral")
    kingdom = np.repeat(rng.choice(["a", "b", "c"], clusters, p=[0.7, 0.25, 0.05]), count)
    return cluster, label, kingdom, rng.lognormal(9, 1, len(label)).astype(np.int64)


def assigned(
    sources: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    split: list[str | None] | None = None,
    family: list[str | None] | None = None,
    hold_out: str = "cluster",
    folds: int = 3,
    test_folds: str = "all",
) -> Folds:
    """The folds of sources, which are their cluster, label, kingdom and bases. split, family: of each source, if known."""
    unknown: list[str | None] = [None] * len(sources[0])
    return assign_folds(
        [f"s{i}" for i in range(len(unknown))],
        *sources,
        split or unknown,
        family or unknown,
        hold_out=hold_out,
        folds=folds,
        test_folds=test_folds,
        cluster_cap=0.05,
        seed=42,
    )
