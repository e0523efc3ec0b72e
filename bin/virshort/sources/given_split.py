"""A split into training, validation and test that the user gives."""

from collections.abc import Sequence

import numpy as np

from virshort.errors import InputError
from virshort.labels import LABELS
from virshort.sources.balancing import deal_sources

SPLITS = ("test", "val", "train")
"""The splits in the order of their folds: fold 0 is tested, fold 1 validates, and fold 2 trains."""


def given_folds(
    source: Sequence[str], cluster: np.ndarray, split: Sequence[str | None], held_out: str = "cluster"
) -> np.ndarray:
    """The fold of each source, by SPLITS. cluster: [sources] strings, of what `held_out` names. Returns [sources] int.

    Raises InputError if a cluster is in two splits, if only some sources have a split, or if no source is test or train."""
    without = [s for s, x in zip(source, split, strict=True) if x is None]
    if without:
        raise InputError(
            f"split: {without[0]} has no split, like {len(without)} of {len(source)} sources: give train, val or test for "
            "every source, or for none"
        )
    fold = np.array([SPLITS.index(x) for x in split if x is not None])
    _, first, number = np.unique(cluster, return_index=True, return_inverse=True)
    apart = np.flatnonzero(fold != fold[first[number]])
    if len(apart):
        a, b = first[number[apart[0]]], apart[0]
        raise InputError(
            f"split: {held_out} {cluster[a]} is in two splits, with {source[a]} in {split[a]} and {source[b]} in {split[b]}: "
            + (
                "put similar sources into one split, or give a cluster column that separates them"
                if held_out == "cluster"
                else "put it into one split, or leave --hold_out out"
            )
        )
    for name in ("test", "train"):
        if name not in split:
            raise InputError(f"split: no source is {name}: give both test and train, or leave the column out")
    return fold


def choose_validation(
    cluster: np.ndarray,
    held: np.ndarray,
    label: np.ndarray,
    kingdom: np.ndarray,
    bases: np.ndarray,
    cap: float,
    seed: int,
) -> np.ndarray:
    """Choose whole clusters with about a quarter of the training sources for validation.

    cluster, label, kingdom: [training sources] strings; held: [training sources] strings, of what stays together; bases:
    [training sources] int; cap: as in `cluster_weights`. Returns [training sources] bool. Raises InputError if a label has a
    single cluster."""
    parts = min(4, *(len(np.unique(held[label == name])) for name in LABELS))
    if parts < 2:
        raise InputError(
            "split: no source is val, and train has too few clusters of a label to take validation from: mark some sources "
            "as val"
        )
    return deal_sources(cluster, held, label, kingdom, bases, cap, parts, seed) == 0


def check_splits(label: np.ndarray, fold: np.ndarray) -> None:
    """Raise InputError unless each split has both labels. label: [sources] strings; fold: [sources] int by SPLITS."""
    for f in np.unique(fold).tolist():
        for x in LABELS:
            if not ((fold == f) & (label == x)).any():
                raise InputError(f"split: {SPLITS[f]} has no {x} source: each of {', '.join(SPLITS)} needs both labels")
