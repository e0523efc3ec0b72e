"""What each fold is for in the split that tests a fold: the next fold validates, and all others are trained on."""

from collections.abc import Sequence

import numpy as np


def validation_fold(test_fold: int, folds: int) -> int:
    """The fold that the split of a test fold validates on."""
    return (test_fold + 1) % folds


def trained_on(folds: int, kept: int | None = None) -> np.ndarray:
    """Whether the split that tests the fold of a row trains on the fold of a column: [folds, folds] bool.

    kept: how many of its training folds a split learns from, the first after its validation fold (None: all)."""
    ahead = (np.arange(folds) - np.arange(folds)[:, None]) % folds
    return (ahead > 1) & (ahead <= 1 + (folds if kept is None else kept))


def training_folds(test_fold: int, folds: int, kept: int | None = None) -> np.ndarray:
    """The folds that the split of a test fold trains on: ascending int64. kept: as in `trained_on`."""
    return np.flatnonzero(trained_on(folds, kept)[test_fold])


def validated_by(fold: np.ndarray, folds: int, test_folds: Sequence[int]) -> np.ndarray:
    """The tested fold of the split that each window's fold validates; -1 where it validates none. fold: [n]. Returns [n]."""
    split = (fold.astype(np.int64) - 1) % folds
    return np.where(np.isin(split, test_folds), split, -1)
