"""metrics.json: metrics by fold and over all folds, and that any test set can be described."""

import json

import numpy as np
import pytest

from virshort.heads import calibration
from virshort.heads.evaluation import describe, metrics
from virshort.heads.prediction import Heads


def test_pooled_ranks_are_means_over_the_folds_that_have_both_labels():
    heads = Heads({}, {1: 0.9, 3: 0.1})
    found = metrics(np.array([0, 1, 1]), np.array([1, 3, 1]), np.array([[0.0, 0.0, 3.0]]), [heads])
    assert found["pooled"][0]["accuracy"] == 1 and found["rows"][1]["auroc"] is None
    assert found["pooled"][0]["auroc"] == 1


@pytest.mark.parametrize(("clusters", "viral"), [(3, 1), (3, 3), (6, 3), (40, 2), (40, 20)])
@pytest.mark.parametrize("informative", [True, False])
def test_tiny_and_unbalanced_test_sets_are_described(window_features, clusters, viral, informative):
    """Three clusters, one label, 95 % of one label, or the same score for every window: numbers or None, and never NaN."""
    cluster = np.repeat(np.arange(clusters), 20)
    label, fold = (cluster < viral).astype(np.int8), cluster % 3
    windows = window_features(label, cluster, fold, "test/short")
    odds = np.zeros((2, len(label)), np.float32)
    if informative:
        odds += np.random.default_rng(0).normal(label, 1, odds.shape)
    fitted = calibration.fit(label, odds[0], windows.length, cluster)
    heads = [Heads({}, dict.fromkeys(range(3), 0.5), dict.fromkeys(range(3), fitted)) for _ in range(2)]
    found = {**metrics(label, fold, odds, heads), **describe(windows, odds, heads, "short", np.random.default_rng(0))}
    json.dumps(found, allow_nan=False)
    assert [g["windows"] for g in found["groups"]["kingdom"]] == [
        int(np.sum((cluster % 2 == k) & (label == y)))
        for k in (0, 1)
        for y in (0, 1)
        if np.any((cluster % 2 == k) & (label == y))
    ]
    assert all(v["ci95"] is None for v in found["groups"]["kingdom"] if v["clusters"] < 10)
    assert (found["voting"]["votes"] != []) == (viral == 20)
    assert {w["kingdom"] for w in found["worst_sources"]} <= {"plants", "animals"}
    rates = {row["threshold"]: row for row in found["thresholds"]}
    assert (rates["balanced"]["true_positive_rate"] is None) == (viral == 0)
    assert (rates["balanced"]["false_positive_rate"] is None) == (viral == clusters)
