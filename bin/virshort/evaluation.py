"""Scores, calls and metrics of one arm's heads on a test set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from virshort.metrics import of_calls, of_scores


def log_odds(weights: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Log-odds of viral, z1 - z0, by a head in evaluation mode (the numpy twin of virshort.head, so that evaluating needs
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
    """One replicate's heads and thresholds, by the fold that they test."""

    weights: Mapping[int, Mapping[str, np.ndarray]]
    threshold: Mapping[int, float]

    def log_odds(self, x: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """x: [n, inputs]; fold: [n]. Returns [n] float32."""
        out = np.empty(len(x), np.float32)
        for f in np.unique(fold).tolist():
            out[fold == f] = log_odds(self.weights[f], x[fold == f])
        return out

    def calls(self, score: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """Whether each score reaches its own head's threshold. [n] bool."""
        folds = sorted(self.threshold)
        return score >= np.array([self.threshold[f] for f in folds], np.float32)[np.searchsorted(folds, fold)]


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
            by_fold.append({"fold": f, "replicate": r, "windows": int(here.sum()), **of_calls(label[here], call[here]),
                            **of_scores(label[here], odds[r, here])})
        rows += by_fold
        total: dict[str, Any] = {"replicate": r, "windows": len(label), **of_calls(label, call)}
        for name in ("auroc", "auprc"):
            known = [row for row in by_fold if row[name] is not None]
            total[name] = float(np.average([row[name] for row in known], weights=[row["windows"] for row in known])) \
                if known else None
        pooled.append(total)
    return {"rows": rows, "pooled": pooled}
