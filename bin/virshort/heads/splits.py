"""Which rows of a window set a split trains on and validates on, and the labels of the shuffled control."""

import numpy as np

from virshort.errors import InputError
from virshort.windows.apportionment import largest_remainder

VALIDATION_WINDOWS = 20_000
"""The most windows that a split validates on."""


def label_sizes(size: int, viral_share: float) -> dict[int, int]:
    """Windows by label (1 viral) in a set of `size`."""
    viral, nonviral = largest_remainder(size, np.array([viral_share, 1 - viral_share])).tolist()
    return {1: viral, 0: nonviral}


def split_rows(
    label: np.ndarray, fold: np.ndarray, test_fold: int, folds: int, size: int | None, viral_share: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Training and validation rows of the split that tests `test_fold`.

    label, fold: [n] int8 in the order of the window set. Training: per label the first rows, as many as `size` asks for,
    of all folds but the tested one and the next; validation: the first rows of the next fold, in the same shares.
    Without a `size` all rows are taken, and so many for validation, evenly spread, as there may be.
    Returns two sorted [.] int64 arrays. Raises InputError if rows are missing."""
    validation_fold = (test_fold + 1) % folds
    training = (fold != test_fold) & (fold != validation_fold)
    if size is None:
        validation = np.flatnonzero(fold == validation_fold)
        return np.flatnonzero(training), validation[:: -(-len(validation) // VALIDATION_WINDOWS) or 1]
    wanted = label_sizes(size, viral_share)
    checked = label_sizes(min(VALIDATION_WINDOWS, size // max(1, folds - 2)), viral_share)
    train = [np.flatnonzero(training & (label == y))[:n] for y, n in wanted.items()]
    validation = [np.flatnonzero((fold == validation_fold) & (label == y))[:n] for y, n in checked.items()]
    for (y, n), rows in zip(wanted.items(), train, strict=True):
        if len(rows) < n:
            raise InputError(
                f"split {test_fold}: {len(rows)} training windows with label {y} where {n} should be: "
                "delete the work folder of SAMPLE_WINDOWS and resume"
            )
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(validation))


def shuffled_labels(label: np.ndarray, cluster: np.ndarray, kingdom: np.ndarray, seed: int) -> np.ndarray:
    """Labels permuted by cluster, so that they tell nothing of the true ones.

    Half of each label's windows get each label, in every kingdom as nearly as its clusters allow: with few clusters a free
    permutation would often agree with the truth by luck. label: [n] int8; cluster, kingdom: [n] integer codes.
    Returns [n] int8."""
    rng = np.random.default_rng(seed)
    out = np.empty_like(label)
    for y in (0, 1):
        rows = np.flatnonzero(label == y)
        codes, first, member, size = np.unique(cluster[rows], return_index=True, return_inverse=True, return_counts=True)
        place = kingdom[rows][first]
        order = np.argsort(-size * rng.uniform(0.5, 1, len(codes)), kind="stable")  # the large first, more or less
        flip = rng.integers(2)
        load = np.zeros(2)
        by_kingdom = {k: np.zeros(2) for k in np.unique(place).tolist()}
        new = np.empty(len(codes), np.int8)
        for c in order:
            here = by_kingdom[int(place[c])]
            new[c] = np.lexsort((load, here))[0]
            here[new[c]] += size[c]
            load[new[c]] += size[c]
        out[rows] = new[member] ^ flip
    return out
