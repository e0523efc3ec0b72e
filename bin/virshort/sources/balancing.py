"""Dealing clusters into folds of equal size.

Folds are balanced by bases within each label and kingdom. A cluster weighs no more than the windows that may be drawn from it:
the number of windows per cluster is capped, so a cluster with most of a label's bases must not fill a fold by itself.
"""

import numpy as np

from virshort.errors import InputError
from virshort.labels import LABELS

FEWER_FOLDS = "reduce --folds (to 3 at least), or give more sources"
_JITTER = 0.2


def cap_size(bases: np.ndarray, cap: float) -> float:
    """The size at which clusters are capped so that none has more than the fraction `cap` of the sum of capped sizes.

    bases: [clusters] positive. If there are too few clusters for that, twice an even share takes the place of `cap`.
    The size c solves c = cap * sum(min(bases, c)). If the m largest clusters are capped, c = cap * rest / (1 - m * cap).
    """
    cap = max(cap, 2 / len(bases))
    sizes = np.sort(bases)[::-1]
    rest = sizes.sum() - np.concatenate(([0], np.cumsum(sizes)))
    m = 0
    while cap * rest[m] < sizes[m] * (1 - m * cap):  # ends before 1 - m * cap is 0, since rest[m] >= sizes[m]
        m += 1
    return float(cap * rest[m] / (1 - m * cap)) if m else float(sizes[0])


def cluster_weights(cluster: np.ndarray, label: np.ndarray, kingdom: np.ndarray, bases: np.ndarray, cap: float) -> np.ndarray:
    """The weight of each cluster on each scale that is to be balanced.

    cluster: [sources] int 0..clusters-1; label, kingdom: [sources] strings; bases: [sources] int; cap: the largest share of a
    label's windows that one cluster may give. Returns [clusters, scales] float, where each scale sums to 1: the capped bases of
    each label, in the order of LABELS, and then, for each label and kingdom, the capped bases and the number of clusters.
    """
    clusters = cluster.max() + 1
    labels, strata = [], []
    for name in LABELS:
        mine = label == name
        of_label = np.bincount(cluster[mine], bases[mine], clusters)
        allowed = cap_size(of_label[of_label > 0], cap) if mine.any() else 0.0
        counted = np.minimum(of_label, allowed) / np.maximum(of_label, 1)  # the fraction of its bases that counts
        labels.append(of_label * counted)
        for k in np.unique(kingdom[mine]):
            part = np.bincount(cluster[mine & (kingdom == k)], bases[mine & (kingdom == k)], clusters)
            strata += [part * counted, (part > 0).astype(float)]
    scales = np.stack(labels + strata, axis=1)
    return scales / np.maximum(scales.sum(axis=0), 1e-300)


def unit_weights(weight: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """The weights of units, which are clusters that must stay together: the sums of what their clusters weigh.

    weight: [clusters, scales]; unit: [clusters] int 0..units-1. Returns [units, scales]."""
    sums = np.zeros((unit.max() + 1, weight.shape[1]))
    np.add.at(sums, unit, weight)
    return sums


def deal_clusters(weight: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold of each cluster. weight: [clusters, scales] from `cluster_weights`, or of units. Returns [clusters] int.

    The heaviest cluster on any scale comes first, and each goes to the fold where it increases the sum of squared loads least.
    This is the greedy rule of scheduling by longest processing time, applied to several scales. The seed changes the weight by
    which clusters are sorted by up to a fifth, and breaks ties, so that other seeds give other folds that are balanced as well.
    Raises InputError if a fold cannot be given a cluster of each label.
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
    return _give_each_fold_both_labels(fold, weight, folds)


def deal_sources(
    cluster: np.ndarray,
    held: np.ndarray,
    label: np.ndarray,
    kingdom: np.ndarray,
    bases: np.ndarray,
    cap: float,
    folds: int,
    seed: int,
) -> np.ndarray:
    """The fold of each source: [sources] int.

    cluster, label, kingdom: [sources] strings; held: [sources] strings, the unit that stays together, which is the cluster or
    holds several clusters; bases: [sources] int; cap: as in `cluster_weights`."""
    _, first, number = np.unique(cluster, return_index=True, return_inverse=True)
    _, unit = np.unique(held, return_inverse=True)
    weight = cluster_weights(number, label, kingdom, bases, cap)
    return deal_clusters(unit_weights(weight, unit[first]), folds, seed)[unit]


def _give_each_fold_both_labels(fold: np.ndarray, weight: np.ndarray, folds: int) -> np.ndarray:
    """Move light clusters from folds that can spare them to folds that lack a label."""
    has = weight[:, : len(LABELS)] > 0
    for label in range(len(LABELS)):
        for empty in range(folds):
            if (has[:, label] & (fold == empty)).any():
                continue
            count = np.stack([np.bincount(fold[has[:, x]], minlength=folds) for x in range(len(LABELS))], axis=1)
            spare = ((count[fold] > 1) | ~has).all(axis=1) & has[:, label]
            if not spare.any():
                raise InputError(
                    f"label {LABELS[label]}: too few clusters for {folds} folds, since some clusters have both labels: "
                    f"{FEWER_FOLDS}"
                )
            movable = np.flatnonzero(spare)
            fold[movable[np.argmin(weight[movable].sum(axis=1))]] = empty
    return fold
