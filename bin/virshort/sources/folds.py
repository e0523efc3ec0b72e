"""Clusters dealt into folds: the fold is a property of the cluster, so nothing similar is ever parted.

Folds are balanced within label and kingdom by bases, where a cluster counts for no more than the windows it can give:
windows are capped a cluster, so a cluster that holds most of a label must not take a fold for itself.
"""

from collections.abc import Sequence

import numpy as np

from virshort.errors import InputError
from virshort.labels import LABELS

SPLITS = ("test", "val", "train")
"""A given split as fold numbers: fold 0 is tested, fold 1 validates, the rest trains."""
_FEW = "--folds (3 or more) may be made smaller, or give more sources"
_JITTER = 0.2


def level(bases: np.ndarray, cap: float) -> float:
    """What a cluster may weigh so that none has more than `cap` of the sum of min(bases, level).

    bases: [clusters] positive. With too few clusters for that, twice an even share is allowed instead of `cap`.
    The level c solves c = cap * sum(min(bases, c)): with the m largest at the level, c = cap * rest / (1 - m * cap).
    """
    cap = max(cap, 2 / len(bases))
    sizes = np.sort(bases)[::-1]
    rest = sizes.sum() - np.concatenate(([0], np.cumsum(sizes)))
    m = 0
    while cap * rest[m] < sizes[m] * (1 - m * cap):  # ends before 1 - m * cap is 0, since rest[m] >= sizes[m]
        m += 1
    return float(cap * rest[m] / (1 - m * cap)) if m else float(sizes[0])


def weights(cluster: np.ndarray, label: np.ndarray, kingdom: np.ndarray, bases: np.ndarray, cap: float) -> np.ndarray:
    """What each cluster weighs on each scale that is to be balanced.

    cluster: [sources] int 0..clusters-1; label, kingdom: [sources] strings; bases: [sources] int. Returns
    [clusters, scales] float, each scale adding up to 1: capped bases of each label, in the order of LABELS, then capped
    bases and number of clusters of each label and kingdom.
    """
    clusters = cluster.max() + 1
    labels, strata = [], []
    for name in LABELS:
        mine = label == name
        of = np.bincount(cluster[mine], bases[mine], clusters)
        allowed = level(of[of > 0], cap) if mine.any() else 0.0
        counted = np.minimum(of, allowed) / np.maximum(of, 1)  # the share of its bases that counts
        labels.append(of * counted)
        for k in np.unique(kingdom[mine]):
            part = np.bincount(cluster[mine & (kingdom == k)], bases[mine & (kingdom == k)], clusters)
            strata += [part * counted, (part > 0).astype(float)]
    scales = np.stack(labels + strata, axis=1)
    return scales / np.maximum(scales.sum(axis=0), 1e-300)


def deal(weight: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Deal clusters into folds. weight: [clusters, scales] as `weights` returns it. Returns [clusters] int.

    The heaviest first (on the scale where it weighs most), each to the fold where it adds least to the sum of squared
    loads: the greedy rule of scheduling by longest processing time, over several scales. The seed moves each cluster in
    the order by up to a fifth of its weight and breaks ties, so other seeds give other folds, as well balanced.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0xF01D]))
    tie = rng.permutation(folds)
    order = np.argsort(-weight.max(axis=1) * rng.uniform(1 - _JITTER, 1 + _JITTER, len(weight)), kind="stable")
    load = np.zeros((folds, weight.shape[1]))
    fold = np.empty(len(weight), np.int64)
    for c in order:
        w = weight[c]
        used = np.flatnonzero(w)
        cost = load[:, used] @ w[used] + 0.5 * (w[used] @ w[used])
        fold[c] = tie[np.argmin(cost[tie])]
        load[fold[c]] += w
    return _fill(fold, weight, folds)


def _fill(fold: np.ndarray, weight: np.ndarray, folds: int) -> np.ndarray:
    """Give every fold a cluster of each label, moving light clusters out of folds that can spare them."""
    has = weight[:, : len(LABELS)] > 0
    for label in range(len(LABELS)):
        for empty in range(folds):
            if (has[:, label] & (fold == empty)).any():
                continue
            count = np.stack([np.bincount(fold[has[:, x]], minlength=folds) for x in range(len(LABELS))], axis=1)
            spare = ((count[fold] > 1) | ~has).all(axis=1) & has[:, label]
            if not spare.any():
                raise InputError(
                    f"label {LABELS[label]}: too few clusters for {folds} folds, since some hold both labels: {_FEW}"
                )
            movable = np.flatnonzero(spare)
            fold[movable[np.argmin(weight[movable].sum(axis=1))]] = empty
    return fold


def check_enough(cluster: np.ndarray, label: np.ndarray, folds: int) -> None:
    """Raise InputError unless each label has clusters enough for the folds. cluster, label: [sources] strings."""
    if len(np.unique(cluster)) == 1:
        raise InputError(
            f"all {len(cluster)} sources are in one cluster ({cluster[0]}), so none can be tested that is "
            "unlike what was trained on: give a cluster column, or sources that are less alike"
        )
    for name in LABELS:
        names = np.unique(cluster[label == name])
        if len(names) < folds:
            raise InputError(
                f"label {name}: {len(names)} clusters are too few for {folds} folds, each of which needs "
                f"one ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''}): {_FEW}"
            )


def given_folds(source: Sequence[str], cluster: np.ndarray, split: Sequence[str | None]) -> np.ndarray:
    """Folds of a given split: [sources] int by SPLITS. Raises InputError where a cluster lies in two splits, where only
    some sources have a split, or where test or train is missing."""
    without = [s for s, x in zip(source, split, strict=True) if x is None]
    if without:
        raise InputError(
            f"split: {without[0]} has none, like {len(without)} of {len(source)} sources: give train, val "
            "or test for every source, or for none"
        )
    fold = np.array([SPLITS.index(x) for x in split])
    _, first, number = np.unique(cluster, return_index=True, return_inverse=True)
    apart = np.flatnonzero(fold != fold[first[number]])
    if len(apart):
        a, b = first[number[apart[0]]], apart[0]
        raise InputError(
            f"split: cluster {cluster[a]} lies in two splits, {source[a]} in {split[a]} and {source[b]} "
            f"in {split[b]}: put them in one split, or give a cluster column that parts them"
        )
    for name in ("test", "train"):
        if name not in split:
            raise InputError(f"split: no source is {name}: give both test and train, or leave the column out")
    return fold


def validation_of(
    cluster: np.ndarray, label: np.ndarray, kingdom: np.ndarray, bases: np.ndarray, cap: float, seed: int
) -> np.ndarray:
    """Set about a quarter of the training sources aside for validation, by clusters.

    Arrays of [training sources], as for `table`. Returns [training sources] bool. Raises InputError where a label has a
    single cluster."""
    _, number = np.unique(cluster, return_inverse=True)
    parts = min(4, *(len(np.unique(cluster[label == name])) for name in LABELS))
    if parts < 2:
        raise InputError(
            "split: there is no val, and train has too few clusters of a label to take it from: mark some sources val"
        )
    return deal(weights(number, label, kingdom, bases, cap), parts, seed)[number] == 0


def check_splits(label: np.ndarray, fold: np.ndarray) -> None:
    """Raise InputError unless each split that is there holds both labels. label: [sources] strings; fold: [sources]
    int by SPLITS."""
    for f in np.unique(fold).tolist():
        for x in LABELS:
            if not ((fold == f) & (label == x)).any():
                raise InputError(f"split: {SPLITS[f]} has no {x} source: each of {', '.join(SPLITS)} needs both labels")


def check_whole(source: Sequence[str], cluster: np.ndarray, fold: np.ndarray) -> None:
    """Prove that no cluster is in two folds and no source is listed twice, so none is in two clusters.

    source, cluster: [sources] strings; fold: [sources] int. Raises InputError naming the culprit."""
    names, count = np.unique(np.array(source, str), return_counts=True)
    if len(names) and count.max() > 1:
        raise InputError(f"{names[np.argmax(count)]}: the source is listed {count.max()} times: give each its own id")
    _, first, number = np.unique(cluster, return_index=True, return_inverse=True)
    apart = np.flatnonzero(fold != fold[first[number]])
    if len(apart):
        a, b = first[number[apart[0]]], apart[0]
        raise InputError(
            f"cluster {cluster[a]} is in folds {fold[a]} ({source[a]}) and {fold[b]} ({source[b]}): "
            "delete the work folder of the step that splits and resume"
        )


def table(cluster: np.ndarray, label: np.ndarray, kingdom: np.ndarray, bases: np.ndarray, fold: np.ndarray) -> list[dict]:
    """Clusters, sources and bases by fold, label and kingdom: rows in that order.

    cluster, label, kingdom: [sources] strings; bases, fold: [sources] int."""
    rows = []
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


def notes(cluster: np.ndarray, label: np.ndarray, kingdom: np.ndarray, bases: np.ndarray, folds: int, cap: float) -> list[str]:
    """What a reader of the results must know about the dealing, in sentences. Arrays as for `table`."""
    found = []
    for x in LABELS:
        mine = label == x
        names, number = np.unique(cluster[mine], return_inverse=True)
        of, count = np.bincount(number, bases[mine]), np.bincount(number)
        for c in np.flatnonzero(of > of.sum() / folds):
            found.append(
                f"cluster {names[c]} holds {of[c] / of.sum():.0%} of the {x} bases ({count[c]} of "
                f"{mine.sum()} sources), more than a fold's share: it counts for what the cap of {cap:.0%} "
                "of the windows lets it give"
            )
        for k in np.unique(kingdom[mine]):
            clusters = np.unique(cluster[mine & (kingdom == k)])
            if len(clusters) == 1:
                found.append(
                    f"{x} kingdom {k} has a single cluster ({clusters[0]}), which cannot be in training and "
                    "test at once: where it is tested, nothing of its kingdom was trained on"
                )
            elif len(clusters) < folds:
                found.append(f"{x} kingdom {k} has {len(clusters)} clusters for {folds} folds: some folds test none of it")
    return found
