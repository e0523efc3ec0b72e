"""The folds of a run. A fold is a property of a cluster, so similar sources are never split between training and test.

With --hold_out it is a property of a family or of another group of clusters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from virshort.errors import InputError
from virshort.labels import LABELS
from virshort.sources.balancing import FEWER_FOLDS, deal_sources
from virshort.sources.given_split import check_splits, choose_validation, given_folds
from virshort.sources.hold_out import CLUSTER, note_joined_families, plural, unit_names, units_of_clusters


@dataclass(frozen=True)
class Folds:
    """fold: [sources] int; folds: how many there are; test_folds: those that are tested; given: whether the user gave the
    split; units: how many clusters or families were divided; notes: what a reader of the results must know, in sentences."""

    fold: np.ndarray
    folds: int
    test_folds: list[int]
    given: bool
    units: int
    notes: list[str]


class FoldCount(TypedDict):
    """What a fold has of a label and kingdom."""

    fold: int
    label: str
    kingdom: str
    clusters: int
    sources: int
    bases: int


class FoldSummary(TypedDict):
    """folds.json. hold_out: cluster, or the column whose values are held out together; units: how many of these there are,
    where a source without a family counts by its cluster; table: counts by fold, label and kingdom."""

    folds: int
    test_folds: list[int]
    given: bool
    hold_out: str
    units: int
    seed: int
    cluster_cap: float
    table: list[FoldCount]
    notes: list[str]


def choose_test_folds(text: str, folds: int) -> list[int]:
    """The folds to be tested. text: `all`, or how many. Raises InputError for anything else."""
    if text == "all":
        return list(range(folds))
    if not text.isdecimal() or not 1 <= int(text) <= folds:
        raise InputError(f"--test_folds {text}: must be all, or a number from 1 to {folds} (the number of folds)")
    return list(range(int(text)))


def assign_folds(
    source: Sequence[str],
    cluster: np.ndarray,
    label: np.ndarray,
    kingdom: np.ndarray,
    bases: np.ndarray,
    split: Sequence[str | None],
    family: Sequence[str | None],
    *,
    hold_out: str,
    folds: int,
    test_folds: str,
    cluster_cap: float,
    seed: int,
) -> Folds:
    """Assign every source to a fold: by the split that the user gives, if there is one, and otherwise by dealing clusters, or
    families where these are held out.

    source: ids; cluster, label, kingdom: [sources] strings; bases: [sources] int, A, C, G and T only; split: train, val, test
    or None; family: a name or None; hold_out: cluster, or the column that gave the family; folds, test_folds: parameters of
    the run, without effect on a given split; cluster_cap: as in `cluster_weights`. Raises InputError if the sources or their
    clusters are too few, if families are held out and none is known, and for a split that is incomplete or divides a cluster.
    """
    held, notes = cluster, list[str]()
    if hold_out != CLUSTER:
        held, notes = hold_families(cluster, family, hold_out)
    if given := any(x is not None for x in split):
        chosen, folds, tested, more = _use_split(
            source, cluster, held, label, kingdom, bases, split, hold_out, cluster_cap, seed
        )
        notes += more
    else:
        tested = choose_test_folds(test_folds, folds)
        check_enough_clusters(held, label, folds, hold_out)
        chosen = deal_sources(cluster, held, label, kingdom, bases, cluster_cap, folds, seed)
    check_whole(source, cluster, chosen)
    if hold_out != CLUSTER:
        check_whole_families(source, family, chosen, hold_out)
    notes += note_uneven_clusters(held, label, kingdom, bases, folds, cluster_cap, hold_out)
    return Folds(chosen, folds, tested, given, len(np.unique(held)), notes)


def hold_families(cluster: np.ndarray, family: Sequence[str | None], hold_out: str) -> tuple[np.ndarray, list[str]]:
    """The name of the unit that each source is held out with, [sources] strings, and notes about these.

    Raises InputError if no family is known."""
    if all(f is None for f in family):
        raise InputError(
            f"--hold_out {hold_out}: the column {hold_out} has no value for any source that is used: fill it in, or leave "
            "--hold_out out"
        )
    _, number = np.unique(cluster, return_inverse=True)
    unit = units_of_clusters(number, family)[number]
    return unit_names(cluster, family, unit), note_joined_families(family, unit)


def _use_split(
    source: Sequence[str],
    cluster: np.ndarray,
    held: np.ndarray,
    label: np.ndarray,
    kingdom: np.ndarray,
    bases: np.ndarray,
    split: Sequence[str | None],
    hold_out: str,
    cap: float,
    seed: int,
) -> tuple[np.ndarray, int, list[int], list[str]]:
    """Fold of each source, number of folds, tested folds and notes, of a split that the user gives."""
    notes = ["The input gives the split: fold 0 is its test set, fold 1 is for validation and fold 2 for training."]
    fold = given_folds(source, held, split, hold_out)
    check_splits(label, fold)
    if "val" not in split:
        train = np.flatnonzero(fold == 2)
        chosen = choose_validation(cluster[train], held[train], label[train], kingdom[train], bases[train], cap, seed)
        fold[train[chosen]] = 1
        notes.append(
            f"The given split has no val, so {chosen.sum()} of {len(train)} training sources are used for validation instead."
        )
        check_splits(label, fold)
    return fold, 3, [0], notes


def check_enough_clusters(cluster: np.ndarray, label: np.ndarray, folds: int, held_out: str = CLUSTER) -> None:
    """Raise InputError unless each label has at least one cluster, or what is held out, per fold.

    cluster, label: [sources] strings; held_out: what `cluster` names."""
    if len(np.unique(cluster)) == 1:
        raise InputError(
            f"all {len(cluster)} sources are in one {held_out} ({cluster[0]}), so no source can be tested that is unlike those "
            f"in training: give a {held_out} column, or less similar sources"
        )
    for name in LABELS:
        names = np.unique(cluster[label == name])
        if len(names) < folds:
            found = f"1 {held_out} is" if len(names) == 1 else f"{len(names)} {plural(held_out)} are"
            raise InputError(
                f"label {name}: {found} too few for {folds} folds, because each fold needs one "
                f"({', '.join(names[:3])}{', ...' if len(names) > 3 else ''}): {FEWER_FOLDS}"
            )


def check_whole(source: Sequence[str], cluster: np.ndarray, fold: np.ndarray) -> None:
    """Prove that no cluster is in two folds, and that no source is listed twice and could thus be in two clusters.

    source, cluster: [sources] strings; fold: [sources] int. Raises InputError that names the first offender."""
    names, count = np.unique(np.array(source, str), return_counts=True)
    if len(names) and count.max() > 1:
        raise InputError(
            f"{names[np.argmax(count)]}: the source is listed {count.max()} times: give each source an id of its own"
        )
    _, first, number = np.unique(cluster, return_index=True, return_inverse=True)
    apart = np.flatnonzero(fold != fold[first[number]])
    if len(apart):
        a, b = first[number[apart[0]]], apart[0]
        raise InputError(
            f"cluster {cluster[a]} is in folds {fold[a]} ({source[a]}) and {fold[b]} ({source[b]}): "
            "delete the work folder of the step SPLIT and run again with -resume"
        )


def check_whole_families(source: Sequence[str], family: Sequence[str | None], fold: np.ndarray, hold_out: str) -> None:
    """Prove that no family is in two folds. family: [sources], None if unknown. Raises InputError that names the first one."""
    first: dict[str, int] = {}
    for i, f in enumerate(family):
        if f is not None and fold[(a := first.setdefault(f, i))] != fold[i]:
            raise InputError(
                f"{hold_out} {f} is in folds {fold[a]} ({source[a]}) and {fold[i]} ({source[i]}): "
                "delete the work folder of the step SPLIT and run again with -resume"
            )


def count_sources(
    cluster: np.ndarray, label: np.ndarray, kingdom: np.ndarray, bases: np.ndarray, fold: np.ndarray
) -> list[FoldCount]:
    """Clusters, sources and bases by fold, label and kingdom, in that order.

    cluster, label, kingdom: [sources] strings; bases, fold: [sources] int."""
    rows: list[FoldCount] = []
    for f, x, k in sorted(set(zip(fold.tolist(), label.tolist(), kingdom.tolist(), strict=True))):
        mine = (fold == f) & (label == x) & (kingdom == k)
        rows.append(
            {
                "fold": f,
                "label": x,
                "kingdom": k,
                "clusters": len(np.unique(cluster[mine])),
                "sources": int(mine.sum()),
                "bases": int(bases[mine].sum()),
            }
        )
    return rows


def note_uneven_clusters(
    cluster: np.ndarray,
    label: np.ndarray,
    kingdom: np.ndarray,
    bases: np.ndarray,
    folds: int,
    cap: float,
    held_out: str = CLUSTER,
) -> list[str]:
    """Notes about clusters that are larger than a fold, and about kingdoms with fewer clusters than folds.

    cluster, label, kingdom: [sources] strings; bases: [sources] int; cap: as in `cluster_weights`; held_out: what `cluster`
    names."""
    notes = []
    many = plural(held_out)
    weighed = (
        f"It is weighed by the {cap:.0%} of the windows that one cluster may give."
        if held_out == CLUSTER
        else "The fold that tests it is larger than the others, and the other splits train on it."
    )
    for x in LABELS:
        mine = label == x
        names, number = np.unique(cluster[mine], return_inverse=True)
        of_cluster, count = np.bincount(number, bases[mine]), np.bincount(number)
        for c in np.flatnonzero(of_cluster > of_cluster.sum() / folds):
            notes.append(
                f"{held_out.capitalize()} {names[c]} has {of_cluster[c] / of_cluster.sum():.0%} of the {x} bases ({count[c]} "
                f"of {mine.sum()} sources), more than a fold's share. {weighed}"
            )
        for k in np.unique(kingdom[mine]):
            clusters = np.unique(cluster[mine & (kingdom == k)])
            if len(clusters) == 1:
                notes.append(
                    f"The {x} kingdom {k} has a single {held_out} ({clusters[0]}), which cannot be in training and test at "
                    "once: when it is tested, no source of its kingdom was in training."
                )
            elif len(clusters) < folds:
                notes.append(f"The {x} kingdom {k} has {len(clusters)} {many} for {folds} folds, so some folds do not test it.")
    return notes
