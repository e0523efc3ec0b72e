"""Where an arm fails on a test set, how far its scores can be trusted, and what several windows of one source buy.

All from arrays over the windows of one test set: `label` [n] 0 or 1; `odds` [replicates, n] log-odds, `call`
[replicates, n] bool, each window's by the head that tests its fold; codes [n] of clusters, sources and groups. Shares
come with a jackknife over clusters and the spread between replicates, as everywhere (virshort.inference.estimates).
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.metrics import roc_curve

from virshort.heads import calibration
from virshort.inference import estimates as st
from virshort.labels import LABELS

POINTS = 101  # of a ROC or precision-recall curve
BINS = 15  # of a reliability curve, of equal mass
DRAWS = 100  # of labels for a perfectly calibrated model
PREVALENCES = (0.5, 0.1, 0.01, 0.001)
VOTES = (1, 2, 3, 5, 10)
SHOWN = 25  # worst sources
FEW = 5  # windows of a source, for it to be among the worst
EDGES = {"gc": (0.3, 0.4, 0.5, 0.6), "peptide": (20, 30, 40, 50, 100, 200, 500)}


def curves(label: np.ndarray, fold: np.ndarray, odds: np.ndarray) -> dict[str, list[list[float]]] | None:
    """ROC and precision-recall curves, means over folds (by windows) and replicates at fixed rates; None with one label.

    fold: [n]. roc: [[fpr, tpr]]; precision_recall: [[recall, precision]], at the share of viral windows of the set."""
    grid = np.linspace(0, 1, POINTS)
    tpr, fpr, weight = np.zeros(POINTS), np.zeros(POINTS), 0
    for f in np.unique(fold):
        here = fold == f
        if len(np.unique(label[here])) < 2:
            continue
        for replicate in odds:
            x, y, _ = roc_curve(label[here], replicate[here])
            tpr += here.sum() * np.interp(grid, x, y)
            fpr += here.sum() * np.interp(grid, y, x)
            weight += here.sum()
    if not weight:
        return None
    tpr, fpr = tpr / weight, fpr / weight
    share = float(label.mean())
    precision = st.precision_at(grid, fpr, share)
    return {"roc": _pairs(grid, tpr), "precision_recall": _pairs(grid[1:], precision[1:])}


def reliability(label: np.ndarray, odds: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Brier score, log loss and expected calibration error of log-odds, and the error that perfect scores would show.

    The error is biased upwards: even where each label is drawn from its own probability it is not 0. So labels are drawn
    from the scores, and the mean of the error then stands beside it. curve: [[mean probability, share viral, windows]]."""
    found: dict[str, list[float]] = {"brier": [], "log_loss": [], "ece": [], "ece_if_perfect": []}
    sums = np.zeros((3, BINS))
    for o in odds:
        replicate = 1 / (1 + np.exp(-o.astype(float)))
        order = np.argsort(replicate, kind="stable")
        part = np.empty(len(order), np.int64)
        part[order] = np.arange(len(order)) * BINS // len(order)
        expected, count = np.bincount(part, replicate, BINS), np.bincount(part, minlength=BINS)
        viral = np.bincount(part, label, BINS)
        drawn = [np.bincount(part, rng.random(len(part)) < replicate, BINS) for _ in range(DRAWS // len(odds) + 1)]
        found["brier"].append(float(np.mean((replicate - label) ** 2)))
        found["log_loss"].append(float(np.logaddexp(0, np.where(label == 1, -o, o), dtype=float).mean()))
        found["ece"].append(float(np.abs(viral - expected).sum() / len(label)))
        found["ece_if_perfect"].append(float(np.mean([np.abs(d - expected).sum() / len(label) for d in drawn])))
        sums += (expected, viral, count)
    with np.errstate(invalid="ignore"):
        curve = [[float(e / n), float(v / n), int(n)] for e, v, n in zip(*sums, strict=True) if n]
    return {name: float(np.mean(values)) for name, values in found.items()} | {"curve": curve}


def share(right: np.ndarray, cluster: np.ndarray, weight: np.ndarray | None = None) -> dict[str, Any]:
    """A share over windows with its interval: {share, ci95, windows, clusters, effective}.

    right: [replicates, n] 0 to 1; cluster: [n] codes; weight: [n], 1 each where None. Under ten effective clusters, or
    where clusters do not differ, ci95 is null."""
    return _estimated(right, [cluster], [np.ones(len(cluster)) if weight is None else weight], (1.0,))


def _estimated(
    right: np.ndarray, clusters: Sequence[np.ndarray], weights: Sequence[np.ndarray], shares: Sequence[float]
) -> dict[str, Any]:
    """`share` over strata (the rows of `right` lie one after another): each stratum's share times its fixed part."""
    names, code = np.unique(np.concatenate(clusters), return_inverse=True)
    stratum = np.repeat(np.arange(len(clusters)), [len(c) for c in clusters])
    weight = np.concatenate(weights)
    size = (len(clusters), len(names))
    at = stratum * len(names) + code
    total = np.bincount(at, weight, size[0] * size[1]).reshape(size)
    sums = np.stack([np.bincount(at, weight * r, size[0] * size[1]).reshape(size) for r in right])
    each = (sums.sum(axis=2) / total.sum(axis=1) * shares).sum(axis=1)
    estimate = st.with_training_noise(st.jackknife(sums.sum(axis=0), total * len(right), shares), each)
    effective = min(st.effective_clusters(t) for t in total)
    ci = estimate.interval(low=0.0, high=1.0) if effective >= st.MINIMUM_EFFECTIVE else None
    return {
        "share": float(each.mean()),
        "ci95": list(ci) if ci else None,
        "windows": len(weight),
        "clusters": len(names),
        "effective": round(effective, 1),
    }


def groups(
    label: np.ndarray, call: np.ndarray, cluster: np.ndarray, group: np.ndarray, names: Sequence[str]
) -> list[dict[str, Any]]:
    """Per label and group how many windows are called wrongly: nonviral ones called viral, viral ones missed.

    group: [n] codes into `names`; a row: group, label, wrong, ci95, windows, clusters, effective."""
    rows = []
    key = group * 2 + label
    order = np.argsort(key, kind="stable")
    kinds, first = np.unique(key[order], return_index=True)
    for kind, where in zip(kinds.tolist(), np.split(order, first[1:]), strict=True):
        found = share(call[:, where] != bool(kind % 2), cluster[where])
        rows.append({"group": names[kind // 2], "label": LABELS[kind % 2], "wrong": found.pop("share"), **found})
    return rows


def binned(values: np.ndarray, edges: Sequence[float], unit: str = "") -> tuple[np.ndarray, list[str]]:
    """Codes [n] of values between edges, and the names of the bins. values: [n] numbers."""
    text = [f"{e:g}" for e in edges]
    names = [f"under {text[0]}{unit}", *(f"{a} to {b}{unit}" for a, b in pairwise(text)), f"{text[-1]}{unit} and more"]
    return np.searchsorted(edges, values, side="right"), names


def worst_sources(label: np.ndarray, call: np.ndarray, source: np.ndarray, few: int = FEW) -> list[dict[str, Any]]:
    """The sources of which most windows are called wrongly, of those with at least `few` windows.

    source: [n] codes. A row: source (its code), windows, wrong (share of windows, mean over replicates)."""
    windows = np.bincount(source)
    wrong = np.bincount(source, (call != (label == 1)).mean(axis=0)) / np.maximum(windows, 1)
    known = np.flatnonzero(windows >= few)
    worst = known[np.lexsort((known, -windows[known], -wrong[known]))][:SHOWN]
    return [{"source": int(s), "windows": int(windows[s]), "wrong": float(wrong[s])} for s in worst]


def voting(label: np.ndarray, odds: np.ndarray, cut: np.ndarray, source: np.ndarray, cluster: np.ndarray) -> dict[str, Any]:
    """Accuracy where 1, 2, 3, 5 or 10 windows of one source vote by the mean of their log-odds.

    cut: [replicates, n] log-odds from which each window's head calls viral. The same sources at every number: those with
    ten windows, or with as many as leave ten clusters a label. A source's windows vote in turn, in the order of the test
    set; it counts by its number of windows, and labels by their share of the test set, so that one window alone gives the
    accuracy of a window. Returns sources, clusters, votes [{windows, accuracy, ci95}]; no votes where sources are too few."""
    order = np.argsort(source, kind="stable")
    _, first, count = np.unique(source[order], return_index=True, return_counts=True)
    y, of = label[order][first], cluster[order][first]
    empty: dict[str, Any] = {"sources": 0, "clusters": 0, "effective": 0.0, "votes": []}
    for most in reversed(VOTES[1:]):
        enough = count >= most
        if all(len(np.unique(of[enough & (y == k)])) >= st.MINIMUM_EFFECTIVE for k in (0, 1)):
            break
    else:
        return empty
    kept = np.flatnonzero(enough)
    parts = [np.flatnonzero(y[kept] == k) for k in (0, 1)]
    shares = [1 - float(label.mean()), float(label.mean())]
    sizes = [k for k in VOTES if k <= most]
    right = np.empty((len(sizes), len(odds), len(kept)))
    for r in range(len(odds)):
        # Sums of k windows in turn, by cumulated sums; what is left over at a source's end does not vote.
        summed = np.concatenate([[0.0], np.cumsum((odds[r] - cut[r])[order], dtype=float)])
        for i, k in enumerate(sizes):
            rounds = count[kept] // k
            start = np.repeat(first[kept], rounds) + k * _within(rounds)
            which = np.repeat(np.arange(len(kept)), rounds)
            viral = summed[start + k] - summed[start] >= 0
            right[i, r] = np.bincount(which, viral == (y[kept][which] == 1)) / rounds
    votes, found = [], {}
    for k, right_of in zip(sizes, right, strict=True):
        found = _estimated(
            np.concatenate([right_of[:, p] for p in parts], axis=1),
            [of[kept][p] for p in parts],
            [count[kept][p].astype(float) for p in parts],
            shares,
        )
        votes.append({"windows": k, "accuracy": found["share"], "ci95": found["ci95"]})
    return {"sources": len(kept), "clusters": found["clusters"], "effective": found["effective"], "votes": votes}


def reached(
    label: np.ndarray,
    odds: np.ndarray,
    fold: np.ndarray,
    length: np.ndarray,
    cluster: np.ndarray,
    fitted: Sequence[Mapping[int, Any]],
) -> list[dict[str, Any]]:
    """What the thresholds from validation reach on test windows, by length bin and threshold.

    fold, length, cluster: [n]; fitted: per replicate, by fold, what calibration.fit found. A row: lengths, threshold,
    windows, own (whether the bin had validation windows enough of its own), true_positive_rate and false_positive_rate
    {share, ci95, windows, clusters, effective} or null, precision_at_prevalence [{prevalence, precision}]."""
    rows = []
    for lengths in calibration.LENGTHS:
        here = np.flatnonzero(calibration.inside(length, lengths))
        if not len(here):
            continue
        for name in calibration.THRESHOLDS:
            entries = [{f: calibration.entry(e, lengths) for f, e in by_fold.items()} for by_fold in fitted]
            cuts = [{f: e["thresholds"][name] for f, e in by_fold.items()} for by_fold in entries]
            row: dict[str, Any] = {
                "lengths": list(lengths),
                "threshold": name,
                "windows": len(here),
                "own": all(e["lengths"] is not None for b in entries for e in b.values()),
                "true_positive_rate": None,
                "false_positive_rate": None,
                "precision_at_prevalence": [],
            }
            if all(c is not None for b in cuts for c in b.values()):
                folds = sorted(cuts[0])
                at = np.searchsorted(folds, fold[here])
                call = np.stack(
                    [o[here] >= np.array([b[f] for f in folds], np.float32)[at] for o, b in zip(odds, cuts, strict=True)]
                )
                for y, rate in ((1, "true_positive_rate"), (0, "false_positive_rate")):
                    of = label[here] == y
                    row[rate] = share(call[:, of], cluster[here][of]) if of.any() else None
                row["precision_at_prevalence"] = _precision(row["true_positive_rate"], row["false_positive_rate"])
            rows.append(row)
    return rows


def _precision(viral: Mapping[str, Any] | None, nonviral: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Precision at each prevalence from the two rates; null where nothing is called viral."""
    if viral is None or nonviral is None:
        return []
    tpr, fpr = np.float64(viral["share"]), np.float64(nonviral["share"])
    return [{"prevalence": p, "precision": float(st.precision_at(tpr, fpr, p)) if tpr + fpr else None} for p in PREVALENCES]


def _within(counts: np.ndarray) -> np.ndarray:
    """0 to c - 1 for each of `counts`, one after another."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)


def _pairs(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    return [[round(float(a), 6), round(float(b), 6)] for a, b in zip(x, y, strict=True)]
