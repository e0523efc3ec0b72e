"""Where an arm's calls are wrong: by group, by source, and at each threshold.

label: [n] 0 or 1; call: [replicates, n] bool, each window's by the head that tests its fold; cluster, source, group: [n]
integer codes. Every share has an interval from a jackknife over clusters that includes the spread between replicates
(virshort.inference.estimates).
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from virshort.heads import calibration
from virshort.heads.metrics_record import ExpectedPrecision, GroupErrors, Share, ThresholdRates
from virshort.heads.model_record import Calibration
from virshort.inference.estimates import (
    MINIMUM_EFFECTIVE,
    effective_clusters,
    jackknife,
    precision_at,
    with_training_noise,
)
from virshort.labels import LABELS

PREVALENCES = (0.5, 0.1, 0.01, 0.001)
SHOWN = 25  # worst sources
ENOUGH = 5  # windows that a source needs to be among the worst
EDGES = {"gc": (0.3, 0.4, 0.5, 0.6), "peptide": (20, 30, 40, 50, 100, 200, 500)}
"""Edges of the bins of numeric columns."""


class SourceErrors(NamedTuple):
    """source: its code; wrong: the share of its windows that is called wrongly, mean over replicates."""

    source: int
    windows: int
    wrong: float


def share(right: np.ndarray, cluster: np.ndarray) -> Share:
    """A share over windows with its interval.

    right: [replicates, n], 0 to 1. The interval is None with fewer than ten effective clusters, and where clusters do not
    differ."""
    return stratified_share(right, [cluster], [np.ones(len(cluster))], (1.0,))


def stratified_share(
    right: np.ndarray, clusters: Sequence[np.ndarray], weights: Sequence[np.ndarray], fractions: Sequence[float]
) -> Share:
    """The sum over strata of each stratum's weighted share times its fixed fraction, with its interval.

    right: [replicates, n], 0 to 1, one stratum after another; clusters, weights: one array per stratum."""
    names, code = np.unique(np.concatenate(clusters), return_inverse=True)
    stratum = np.repeat(np.arange(len(clusters)), [len(c) for c in clusters])
    weight = np.concatenate(weights)
    shape = (len(clusters), len(names))
    cell = stratum * len(names) + code
    total = np.bincount(cell, weight, shape[0] * shape[1]).reshape(shape)
    sums = np.stack([np.bincount(cell, weight * r, shape[0] * shape[1]).reshape(shape) for r in right])
    each = (sums.sum(axis=2) / total.sum(axis=1) * fractions).sum(axis=1)
    estimate = with_training_noise(jackknife(sums.sum(axis=0), total * len(right), fractions), each.tolist())
    effective = min(effective_clusters(t) for t in total)
    interval = estimate.interval(low=0.0, high=1.0) if effective >= MINIMUM_EFFECTIVE else None
    return {
        "share": float(each.mean()),
        "ci95": list(interval) if interval else None,
        "windows": len(weight),
        "clusters": len(names),
        "effective": round(effective, 1),
    }


def by_group(
    label: np.ndarray, call: np.ndarray, cluster: np.ndarray, group: np.ndarray, names: Sequence[str]
) -> list[GroupErrors]:
    """For each group and label, how many windows are called wrongly: nonviral ones called viral, viral ones missed.

    names: of the groups, by code."""
    found: list[GroupErrors] = []
    key = group * 2 + label
    order = np.argsort(key, kind="stable")
    kinds, first = np.unique(key[order], return_index=True)
    for kind, where in zip(kinds.tolist(), np.split(order, first[1:]), strict=True):
        code, y = divmod(kind, 2)
        wrong = share(call[:, where] != bool(y), cluster[where])
        found.append(
            {
                "group": names[code],
                "label": LABELS[y],
                "wrong": wrong["share"],
                "ci95": wrong["ci95"],
                "windows": wrong["windows"],
                "clusters": wrong["clusters"],
                "effective": wrong["effective"],
            }
        )
    return found


def binned(values: np.ndarray, edges: Sequence[float]) -> tuple[np.ndarray, list[str]]:
    """Which bin each number [n] falls into, as codes [n], and the names of the bins."""
    text = [f"{e:g}" for e in edges]
    names = [f"under {text[0]}", *(f"{a} to {b}" for a, b in pairwise(text)), f"{text[-1]} and more"]
    return np.searchsorted(edges, values, side="right"), names


def worst_sources(label: np.ndarray, call: np.ndarray, source: np.ndarray) -> list[SourceErrors]:
    """The sources with the largest share of wrong calls among those with enough windows, the worst first."""
    windows = np.bincount(source)
    wrong = np.bincount(source, (call != (label == 1)).mean(axis=0)) / np.maximum(windows, 1)
    known = np.flatnonzero(windows >= ENOUGH)
    worst = known[np.lexsort((known, -windows[known], -wrong[known]))][:SHOWN]
    return [SourceErrors(int(s), int(windows[s]), float(wrong[s])) for s in worst]


def at_thresholds(
    label: np.ndarray,
    odds: np.ndarray,
    fold: np.ndarray,
    length: np.ndarray,
    cluster: np.ndarray,
    fitted: Sequence[Mapping[int, Sequence[Calibration]]],
) -> list[ThresholdRates]:
    """What the thresholds from validation reach on test windows, for each bin of lengths and each threshold.

    odds: [replicates, n] log-odds; fold: [n]; length: [n] bp; fitted: one mapping per replicate, from each fold to the
    calibration of the head that tests it. The rates are None where a head has no such threshold."""
    found: list[ThresholdRates] = []
    for lengths in calibration.LENGTHS:
        here = np.flatnonzero(calibration.in_bin(length, lengths))
        if not len(here):
            continue
        used = [{f: calibration.for_bin(c, lengths) for f, c in by_fold.items()} for by_fold in fitted]
        for name in calibration.THRESHOLDS:
            cuts = [{f: c["thresholds"][name] for f, c in by_fold.items()} for by_fold in used]
            rates: list[Share | None] = [None, None]
            accuracy: Share | None = None
            if all(cut is not None for by_fold in cuts for cut in by_fold.values()):
                call = np.stack([o[here] >= _of_fold(by_fold, fold[here]) for o, by_fold in zip(odds, cuts, strict=True)])
                accuracy = share(call == (label[here] == 1), cluster[here])
                for y in (0, 1):
                    windows = label[here] == y
                    rates[y] = share(call[:, windows], cluster[here][windows]) if windows.any() else None
            false_positive, true_positive = rates
            found.append(
                {
                    "lengths": list(lengths),
                    "threshold": name,
                    "windows": len(here),
                    "own": all(c["lengths"] is not None for by_fold in used for c in by_fold.values()),
                    "true_positive_rate": true_positive,
                    "false_positive_rate": false_positive,
                    "precision_at_prevalence": _expected_precision(true_positive, false_positive),
                    "accuracy": accuracy,
                }
            )
    return found


def _of_fold(cuts: Mapping[int, float | None], fold: np.ndarray) -> np.ndarray:
    """The threshold of each window's fold, [n] float32."""
    folds = sorted(cuts)
    return np.array([cuts[f] for f in folds], np.float32)[np.searchsorted(folds, fold)]


def _expected_precision(true_positive: Share | None, false_positive: Share | None) -> list[ExpectedPrecision]:
    """The precision at each prevalence that follows from both rates; None where nothing is called viral."""
    if true_positive is None or false_positive is None:
        return []
    tpr, fpr = np.array(true_positive["share"]), np.array(false_positive["share"])
    return [{"prevalence": p, "precision": float(precision_at(tpr, fpr, p)) if tpr + fpr else None} for p in PREVALENCES]
