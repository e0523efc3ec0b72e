"""What metrics.json says of one arm on one test set."""

from typing import Protocol

import numpy as np
from scipy.special import logit

from virshort.heads.error_rates import EDGES, at_thresholds, binned, by_group, share, worst_sources
from virshort.heads.metrics import of_calls
from virshort.heads.metrics_record import (
    Description,
    Ensemble,
    FoldAndPooledMetrics,
    FoldMetrics,
    GroupErrors,
    PooledMetrics,
    Share,
    WorstSource,
)
from virshort.heads.prediction import Heads
from virshort.heads.score_quality import curves, rank_metrics, reliability
from virshort.heads.scoring import mean_of_replicates, score_of
from virshort.heads.voting import voting
from virshort.labels import LABELS


class WindowColumns(Protocol):
    """What is read of the windows of a test set (virshort.features.window_features.WindowFeatures)."""

    def column(self, name: str) -> np.ndarray: ...

    def codes(self, name: str) -> tuple[np.ndarray, list[str]]: ...

    def knows(self, name: str) -> bool: ...

    @property
    def length(self) -> np.ndarray: ...


def metrics(label: np.ndarray, fold: np.ndarray, odds: np.ndarray, heads: list[Heads]) -> FoldAndPooledMetrics:
    """Metrics of each fold and replicate (`rows`), and of each replicate over all folds (`pooled`).

    label, fold: [n]; odds: [replicates, n]; heads: one entry per replicate. Each window is called by the threshold of its own
    head. Scores of different heads are on no common scale, so the pooled AUROC and AUPRC are means over folds, weighted by
    windows."""
    rows: list[FoldMetrics] = []
    pooled: list[PooledMetrics] = []
    for r, replicate in enumerate(heads):
        call = replicate.calls(score_of(odds[r]), fold)
        by_fold: list[FoldMetrics] = []
        for f in np.unique(fold).tolist():
            here = fold == f
            by_fold.append(
                {
                    "fold": f,
                    "replicate": r,
                    "windows": int(here.sum()),
                    **of_calls(label[here], call[here]),
                    **rank_metrics(label[here], odds[r, here]),
                }
            )
        rows += by_fold
        windows = [row["windows"] for row in by_fold]
        pooled.append(
            {
                "replicate": r,
                "windows": len(label),
                **of_calls(label, call),
                "auroc": _weighted_mean([row["auroc"] for row in by_fold], windows),
                "auprc": _weighted_mean([row["auprc"] for row in by_fold], windows),
            }
        )
    return {"rows": rows, "pooled": pooled}


def _weighted_mean(values: list[float | None], weights: list[int]) -> float | None:
    """The mean of the values that are known; None if none is."""
    known = [(v, w) for v, w in zip(values, weights, strict=True) if v is not None]
    return float(np.average([v for v, _ in known], weights=[w for _, w in known])) if known else None


def describe(
    windows: WindowColumns, odds: np.ndarray, heads: list[Heads], test_set: str, rng: np.random.Generator
) -> Description:
    """Reliability and thresholds of any test set; curves, groups and worst sources of `short` and `full`; votes of `short`.

    odds: [replicates, n]; heads: one entry per replicate; rng: draws the labels of a perfectly calibrated model."""
    label, fold, length = windows.column("label"), windows.column("fold"), windows.length
    cluster, _ = windows.codes("cluster")
    before = reliability(label, odds, rng)
    del before["curve"]
    scaled = np.stack([h.calibrated(o, fold, length).astype(np.float32) for h, o in zip(heads, odds, strict=True)])
    found: Description = {
        "calibration": {"before": before, "after": reliability(label, scaled, rng)},
        "thresholds": at_thresholds(label, odds, fold, length, cluster, [h.calibration for h in heads]),
    }
    if test_set not in ("short", "full"):
        return found
    call = np.stack([h.calls(score_of(o), fold) for h, o in zip(heads, odds, strict=True)])
    found["curves"] = curves(label, fold, odds)
    found["groups"] = _groups(windows, label, call, cluster)
    found["worst_sources"] = _worst_sources(windows, label, call)
    if test_set == "short":
        cut = np.stack([logit(np.clip(h.thresholds(fold).astype(float), 1e-12, 1 - 1e-12)).astype(np.float32) for h in heads])
        found["voting"] = voting(label, odds, cut, windows.codes("source")[0], cluster)
    return found


def ensemble_metrics(windows: WindowColumns, odds: np.ndarray, judged: Heads) -> Ensemble:
    """The replicates as one. odds: [replicates, n]; judged: the thresholds and calibrations for the mean of the replicates."""
    label, fold = windows.column("label"), windows.column("fold")
    cluster, _ = windows.codes("cluster")
    mean = mean_of_replicates(odds)[None]
    right = judged.calls(score_of(mean[0]), fold) == (label == 1)
    return {
        **metrics(label, fold, mean, [judged])["pooled"][0],
        "share": share(right[None], cluster),
        "thresholds": at_thresholds(label, mean, fold, windows.length, cluster, [judged.calibration]),
    }


def without_match(windows: WindowColumns, matched: np.ndarray) -> dict[str, Share]:
    """The share of each label's windows that have no match. matched: [n] bool."""
    label = windows.column("label")
    cluster, _ = windows.codes("cluster")
    return {name: share(~matched[None, label == y], cluster[label == y]) for y, name in enumerate(LABELS) if (label == y).any()}


def _groups(windows: WindowColumns, label: np.ndarray, call: np.ndarray, cluster: np.ndarray) -> dict[str, list[GroupErrors]]:
    """Errors by kingdom and family, GC content and peptide length, as far as they are known.

    One column is read at a time, since each holds one number per window."""
    found = {}
    for name in ("kingdom", "family", *EDGES):
        if windows.knows(name):
            code, texts = binned(windows.column(name), EDGES[name]) if name in EDGES else windows.codes(name)
            found[name] = by_group(label, call, cluster, code, [t or "unknown" for t in texts])
    return found


def _worst_sources(windows: WindowColumns, label: np.ndarray, call: np.ndarray) -> list[WorstSource]:
    """The sources with the largest share of wrong calls, and what is known of them."""
    source, names = windows.codes("source")
    found: list[WorstSource] = []
    first = np.unique(source, return_index=True)[1]  # one window of each source stands for all
    clusters = _texts(windows, "cluster", first)
    groups: dict[str, list[str]] = {n: _texts(windows, n, first) for n in ("kingdom", "family") if windows.knows(n)}
    for code, count, wrong in worst_sources(label, call, source):
        row: WorstSource = {
            "source": names[code],
            "windows": count,
            "wrong": wrong,
            "cluster": clusters[code],
            "label": LABELS[label[first[code]]],
        }
        if "kingdom" in groups:
            row["kingdom"] = groups["kingdom"][code]
        if "family" in groups:
            row["family"] = groups["family"][code]
        found.append(row)
    return found


def _texts(windows: WindowColumns, name: str, which: np.ndarray) -> list[str]:
    """The texts of a column in some windows."""
    code, texts = windows.codes(name)
    return [texts[c] for c in code[which]]
