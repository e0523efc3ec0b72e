"""Which windows of a set a split trains on and validates on, and the labels of the shuffled control."""

import numpy as np

from virshort.errors import InputError
from virshort.fold_roles import trained_on, validation_fold
from virshort.labels import LABELS
from virshort.windows.apportionment import largest_remainder

VALIDATION_WINDOWS = 20_000
"""The most windows that a split validates on."""


def label_sizes(size: int, viral_share: float) -> dict[int, int]:
    """How many windows of each label (1: viral) are in a set of `size` windows."""
    viral, nonviral = largest_remainder(size, np.array([viral_share, 1 - viral_share])).tolist()
    return {1: viral, 0: nonviral}


def split_rows(
    label: np.ndarray,
    fold: np.ndarray,
    test_fold: int,
    folds: int,
    size: int | None,
    viral_share: float | None,
    kept: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The training and validation windows of the split that tests `test_fold`, as two sorted int64 arrays.

    label, fold: [n] int8, in the order of the window set. The next fold is for validation, all others but the tested one for
    training. With a size and a viral share, training takes the first windows of each label, as many as `size` asks for, and
    validation the first windows of its fold in the same shares. Without them, training takes all windows, and validation
    evenly spaced ones. kept: of these training windows, only those of so many training folds (virshort.fold_roles) are used;
    None: all. Raises InputError if training windows are missing, or one label in training or validation."""
    may_train = trained_on(folds)[test_fold][fold]
    may_validate = fold == validation_fold(test_fold, folds)
    if size is None or viral_share is None:
        training, validation = np.flatnonzero(may_train), np.flatnonzero(may_validate)
        validation = validation[:: -(-len(validation) // VALIDATION_WINDOWS) or 1]
    else:
        training = _first_of_labels(label, may_train, label_sizes(size, viral_share))
        for y, n in label_sizes(size, viral_share).items():
            if (found := np.count_nonzero(label[training] == y)) < n:
                raise InputError(
                    f"split {test_fold}: {found} training windows with label {y} where {n} are needed: "
                    "delete the work folder of SAMPLE_WINDOWS and run again with -resume"
                )
        checked = min(VALIDATION_WINDOWS, size // max(1, folds - 2))
        validation = _first_of_labels(label, may_validate, label_sizes(checked, viral_share))
    training = training[trained_on(folds, kept)[test_fold][fold[training]]]
    for purpose, rows in (("training", training), ("validation", validation)):
        for y, name in enumerate(LABELS):
            if not (label[rows] == y).any():
                raise InputError(
                    f"split {test_fold}: none of its {len(rows)} {purpose} windows is {name}, so no threshold can be chosen: "
                    "use more windows (such as --short_windows), fewer folds or a --viral_share closer to 0.5"
                )
    return training, validation


def _first_of_labels(label: np.ndarray, allowed: np.ndarray, sizes: dict[int, int]) -> np.ndarray:
    """The first windows of each label among those that are allowed, as many as `sizes` says, sorted. allowed: [n] bool."""
    return np.sort(np.concatenate([np.flatnonzero(allowed & (label == y))[:n] for y, n in sizes.items()]))


def shuffled_labels(label: np.ndarray, cluster: np.ndarray, kingdom: np.ndarray, seed: int) -> np.ndarray:
    """Labels permuted between clusters, so that they say nothing about the true ones.

    Of each label's windows half get each label, in every kingdom as nearly as its clusters allow; with few clusters a free
    permutation would often agree with the truth by chance. label: [n] int8; cluster, kingdom: [n] integer codes.
    Returns [n] int8."""
    rng = np.random.default_rng(seed)
    out = np.empty_like(label)
    for y in (0, 1):
        rows = np.flatnonzero(label == y)
        codes, member, size = np.unique(cluster[rows], return_inverse=True, return_counts=True)
        kingdoms, place = np.unique(kingdom[rows], return_inverse=True)
        windows = np.zeros((len(codes), len(kingdoms)))  # of each cluster in each kingdom; a cluster may have several
        np.add.at(windows, (member, place), 1)
        order = np.argsort(-size * rng.uniform(0.5, 1, len(codes)), kind="stable")  # large clusters first, roughly
        flip = rng.integers(2)
        load = np.zeros(2)
        by_kingdom = np.zeros((len(kingdoms), 2))
        new = np.empty(len(codes), np.int8)
        for c in order:
            new[c] = np.lexsort((load, windows[c] @ by_kingdom))[0]
            by_kingdom[:, new[c]] += windows[c]
            load[new[c]] += size[c]
        out[rows] = new[member] ^ flip
    return out
