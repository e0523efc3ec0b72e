"""Scores, calls and metrics of one arm's heads on a test set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import logit
from sklearn.metrics import average_precision_score, roc_auc_score

from virshort.features.window_features import WindowFeatures
from virshort.heads import diagnostics as details
from virshort.heads.calibration import calibrated
from virshort.heads.metrics import of_calls
from virshort.labels import LABELS


def log_odds(weights: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Log-odds of viral, z1 - z0, by a head in evaluation mode (the numpy twin of virshort.heads.head, so that evaluating needs
    no torch).

    weights: a head's tensors by name; x: [n, inputs]. Returns [n] float32."""
    hidden = x.astype(np.float32, copy=False) @ weights["hidden_layer.weight"].T + weights["hidden_layer.bias"]
    scale = weights["bn1.weight"] / np.sqrt(weights["bn1.running_var"] + 1e-5)
    hidden = (hidden - weights["bn1.running_mean"]) * scale + weights["bn1.bias"]
    out = weights["output_layer.weight"][1] - weights["output_layer.weight"][0]
    bias = weights["output_layer.bias"][1] - weights["output_layer.bias"][0]
    return np.maximum(hidden, 0) @ out + bias


def score_of(odds: np.ndarray) -> np.ndarray:
    """Probability of viral, float32, from log-odds [n]."""
    return (1 / (1 + np.exp(-odds.astype(np.float64)))).astype(np.float32)


@dataclass
class Heads:
    """One replicate's heads, thresholds and calibration (calibration.fit), by the fold that they test."""

    weights: Mapping[int, Mapping[str, np.ndarray]]
    threshold: Mapping[int, float]
    calibration: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def log_odds(self, x: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """x: [n, inputs]; fold: [n]. Returns [n] float32."""
        out = np.empty(len(x), np.float32)
        for f in np.unique(fold).tolist():
            out[fold == f] = log_odds(self.weights[f], x[fold == f])
        return out

    def calls(self, score: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """Whether each score reaches its own head's threshold. [n] bool."""
        return score >= self.cuts(fold)

    def cuts(self, fold: np.ndarray) -> np.ndarray:
        """The threshold of the head that tests each window. [n] float32."""
        folds = sorted(self.threshold)
        return np.array([self.threshold[f] for f in folds], np.float32)[np.searchsorted(folds, fold)]

    def calibrated(self, odds: np.ndarray, fold: np.ndarray, length: np.ndarray) -> np.ndarray:
        """Log-odds on the scale of probabilities. odds, fold, length: [n]. Returns [n]."""
        out = np.empty(len(odds))
        for f in np.unique(fold).tolist():
            out[fold == f] = calibrated(self.calibration[f], odds[fold == f], length[fold == f])
        return out


def metrics(label: np.ndarray, fold: np.ndarray, odds: np.ndarray, heads: list[Heads]) -> dict[str, Any]:
    """Metrics by fold and replicate (`rows`) and by replicate over all folds (`pooled`).

    label, fold: [n]; odds: [replicates, n]. Scores of different heads are on no common scale, so AUROC and AUPRC over all
    folds are means over folds, weighted by windows; the other metrics are of the calls, each by its head's threshold."""
    rows, pooled = [], []
    for r, replicate in enumerate(heads):
        call = replicate.calls(score_of(odds[r]), fold)
        by_fold = []
        for f in np.unique(fold).tolist():
            here = fold == f
            by_fold.append(
                {
                    "fold": f,
                    "replicate": r,
                    "windows": int(here.sum()),
                    **of_calls(label[here], call[here]),
                    **of_scores(label[here], odds[r, here]),
                }
            )
        rows += by_fold
        total: dict[str, Any] = {"replicate": r, "windows": len(label), **of_calls(label, call)}
        for name in ("auroc", "auprc"):
            known = [row for row in by_fold if row[name] is not None]
            total[name] = (
                float(np.average([row[name] for row in known], weights=[row["windows"] for row in known])) if known else None
            )
        pooled.append(total)
    return {"rows": rows, "pooled": pooled}


def describe(
    windows: WindowFeatures, odds: np.ndarray, heads: list[Heads], test_set: str, rng: np.random.Generator
) -> dict[str, Any]:
    """What metrics.json says beyond metrics: reliability and thresholds of every test set; curves, groups and worst sources
    of `short` and `full`; voting of `short`.

    windows: or anything else with its `column`, `codes`, `knows` and `length`; odds: [replicates, n]; rng: draws the labels
    of a perfectly calibrated model."""
    label, fold, length = windows.column("label"), windows.column("fold"), windows.length
    cluster, clusters = windows.codes("cluster")
    raw = details.reliability(label, odds, rng)
    raw.pop("curve")
    scaled = np.stack([h.calibrated(o, fold, length).astype(np.float32) for h, o in zip(heads, odds, strict=True)])
    found: dict[str, Any] = {
        "calibration": {"before": raw, "after": details.reliability(label, scaled, rng)},
        "thresholds": details.reached(label, odds, fold, length, cluster, [h.calibration for h in heads]),
    }
    if test_set not in ("short", "full"):
        return found
    del scaled
    call = np.stack([h.calls(score_of(o), fold) for h, o in zip(heads, odds, strict=True)])
    found["curves"] = details.curves(label, fold, odds)
    source, sources = windows.codes("source")
    _, first = np.unique(source, return_index=True)
    about = {
        "source": sources,
        "cluster": [clusters[c] for c in cluster[first]],
        "label": [LABELS[y] for y in label[first]],
    }
    found["groups"] = {}
    for name in ("kingdom", "family", *details.EDGES):
        if windows.knows(name):  # one at a time: each is a number a window
            edges = details.EDGES.get(name)
            code, texts = details.binned(windows.column(name), edges) if edges else windows.codes(name)
            found["groups"][name] = details.groups(label, call, cluster, code, [t or "unknown" for t in texts])
            if not edges:
                about[name] = [texts[c] for c in code[first]]
    found["worst_sources"] = [
        row | {name: values[row["source"]] for name, values in about.items()}
        for row in details.worst_sources(label, call, source)
    ]
    if test_set == "short":
        cut = np.stack([logit(np.clip(h.cuts(fold).astype(float), 1e-12, 1 - 1e-12)).astype(np.float32) for h in heads])
        found["voting"] = details.voting(label, odds, cut, source, cluster)
    return found


def of_scores(label: np.ndarray, score: np.ndarray) -> dict[str, float | None]:
    """auroc and auprc (average precision); None where only one label is present."""
    if len(np.unique(label)) < 2:
        return {"auroc": None, "auprc": None}
    return {"auroc": float(roc_auc_score(label, score)), "auprc": float(average_precision_score(label, score))}
