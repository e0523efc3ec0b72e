"""Intervals of whole arms cover a known truth."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from virshort.inference import cluster_counts
from virshort.inference.cluster_counts import ArmCounts, make_test_clusters
from virshort.inference.intervals import (
    arm_metrics,
    auroc_difference,
    auroc_with_model_noise,
    average_precision,
    resampled_rates,
)
from virshort.inference.ranking import placements, precision_pulls


def scored(
    rng: np.random.Generator, clusters: int, gains: list[float]
) -> tuple[cluster_counts.TestClusters, list[ArmCounts], list[float]]:
    """Arms of one replicate whose scores share effects of clusters and windows, with an AUROC known from `gains`, and their "
    "AUPRCs."""
    n = np.repeat(np.maximum(2, rng.lognormal(3, 0.6, clusters // 2)).astype(int), 2)  # so each fold's labels have equal shares
    label, cluster = np.repeat(np.arange(clusters) % 2, n), np.repeat(np.arange(clusters), n)
    windows = np.stack([np.where(np.arange(clusters) % 2 == y, n, 0) for y in (0, 1)]).astype(np.int64)
    test = make_test_clusters([f"c{i:03}" for i in range(clusters)], np.arange(clusters) // 2 % 3, [0, 1, 2], windows)
    effect, window = rng.normal(0, 0.7, clusters)[cluster], rng.normal(0, 1, len(label))
    arms, precisions = [], []
    for gain in gains:
        score = gain * label + effect + rng.normal(0, 0.3, clusters)[cluster] + window + rng.normal(0, 0.5, len(label))
        placed = np.zeros((1, 2, clusters))
        called = np.zeros((1, 2, clusters), np.int64)
        pulled = np.zeros((1, 2, clusters))
        for f in range(3):
            here = test.fold[cluster] == f
            order = np.argsort(np.argsort(score[here]))
            histogram = np.stack([np.bincount(order[label[here] == y], minlength=here.sum()) for y in (0, 1)])
            ranks, pulls = placements(histogram), precision_pulls(histogram)
            other = np.array([(label[here] == 1).sum(), (label[here] == 0).sum()])
            np.add.at(placed[0], (label[here], cluster[here]), ranks[label[here], order] / 2 / other[label[here]])
            np.add.at(called[0], (label[here], cluster[here]), score[here] > gain / 2)
            np.add.at(pulled[0], (label[here], cluster[here]), pulls[label[here], order])
        arms.append(ArmCounts([0], called, placed, pulled))
        fold = test.fold[cluster]
        by_fold = [sk.average_precision_score(label[fold == f], score[fold == f]) for f in range(3)]
        precisions.append(float(np.average(by_fold, weights=np.bincount(fold))))
    return test, arms, precisions


def auroc_of(test: cluster_counts.TestClusters, arm: ArmCounts) -> float:
    positives = np.bincount(test.fold, weights=test.windows[1])
    by_fold = np.bincount(test.fold, weights=arm.placed[0, 1]) / positives
    return float(np.average(by_fold, weights=np.bincount(test.fold, weights=test.windows.sum(axis=0))))


def test_auroc_intervals_cover_the_truth() -> None:
    rng = np.random.default_rng(5)
    truth = [stats.norm.cdf(g / np.sqrt(2 * (0.49 + 0.09 + 1 + 0.25))) for g in (0.5, 1.2)]
    hits, experiments = np.zeros(2), 200
    for _ in range(experiments):
        test, (a, b), _ = scored(rng, 60, [0.5, 1.2])
        rates = resampled_rates(test, [b], 20, rng)[0]
        found = arm_metrics(test, b, [{"auroc": auroc_of(test, b)}], rates)["metrics"]["auroc"]["ci95"]
        difference = auroc_difference(test, b, a).interval()
        hits += [found[0] <= truth[1] <= found[1], difference[0] <= truth[1] - truth[0] <= difference[1]]
    assert (hits / experiments >= 0.905).all(), hits / experiments
    assert (hits / experiments <= 0.99).all(), hits / experiments


@pytest.mark.parametrize(("folds", "replicates"), [(1, 2), (2, 2), (5, 3)])
def test_the_shuffled_control_is_rarely_off_chance(folds: int, replicates: int) -> None:
    """However few the permutations are: the AUROC of each model varies by .06 by luck, beside the noise of the clusters."""
    rng = np.random.default_rng(9)
    clusters, n = 60, 40
    windows = np.where(np.arange(clusters) % 2 == np.array([[0], [1]]), n, 0).astype(np.int64)
    test = make_test_clusters(
        [f"c{i:02}" for i in range(clusters)], np.arange(clusters) // 2 % folds, list(range(folds)), windows
    )
    held = 0
    for _ in range(400):
        luck = rng.normal(0, 0.06, (replicates, folds))
        mean = 0.5 + luck[:, test.fold] + rng.normal(0, 0.1, clusters)
        arm = ArmCounts(list(range(replicates)), np.zeros((replicates, 2, clusters)), windows * mean[:, None], windows * 0.0)
        by_fold = [(arm.placed / n)[:, :, test.fold == f].sum(axis=1).mean(axis=1) for f in range(folds)]
        models = np.concatenate(by_fold).tolist()
        low, high = auroc_with_model_noise(test, arm, models).interval()
        held += low <= 0.5 <= high
    assert held / 400 >= 0.92, held / 400


def test_auprc_intervals_cover_its_expectation() -> None:
    """The true value is known only as the mean over experiments, so the intervals are centred there."""
    rng = np.random.default_rng(7)
    values, halves = [], []
    for _ in range(300):
        test, (arm,), precision = scored(rng, 60, [1.0])
        low, high = average_precision(test, arm, 0.0).interval()
        values += precision
        halves.append((high - low) / 2)
    covered = np.mean(np.abs(np.array(values) - np.mean(values)) <= halves)
    assert 0.92 <= covered <= 0.985, covered
