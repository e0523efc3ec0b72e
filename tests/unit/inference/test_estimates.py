"""The intervals hold what they promise: many synthetic experiments with correlated windows and a known truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats
from sklearn import metrics as sk

from virshort.inference import cluster_counts
from virshort.inference import estimates as st
from virshort.inference.cluster_counts import ArmCounts, make_test_clusters
from virshort.inference.intervals import (
    arm_metrics,
    auroc_difference,
    auroc_with_model_noise,
    average_precision,
    resampled_rates,
)
from virshort.inference.ranking import placements, precision_pulls
from virshort.inference.resampling import bootstrap_weights, percentile_interval, sign_flip_p

EXPERIMENTS = 1200


def sizes(rng: np.random.Generator, clusters: int, mean: int = 40) -> np.ndarray:
    """Windows a cluster, skewed: int64 [experiments, clusters]."""
    return np.maximum(1, rng.lognormal(np.log(mean) - 0.25, 0.7, (EXPERIMENTS, clusters))).astype(np.int64)


def right_calls(
    rng: np.random.Generator, n: np.ndarray, shared: np.ndarray, accuracy: float, seeds: int, seed_sd: float = 0.05
) -> np.ndarray:
    """Right calls by cluster, [experiments, seeds, clusters], with mean accuracy `accuracy` over clusters and seeds."""
    own = rng.normal(0, 0.4, n.shape)
    spread = np.sqrt(1 + 0.8**2 + 0.4**2 + seed_sd**2)
    noise = rng.normal(0, seed_sd, (len(n), seeds, 1))
    p = stats.norm.cdf(spread * stats.norm.ppf(accuracy) + (0.8 * shared + own)[:, None] + noise)
    return rng.binomial(n[:, None], p)


@pytest.mark.parametrize("clusters", [20, 50, 200])
def test_interval_of_a_difference_covers_the_truth_and_the_naive_one_does_not(clusters: int) -> None:
    rng = np.random.default_rng(clusters)
    n = sizes(rng, clusters)
    shared = rng.normal(0, 1, n.shape)
    label = np.arange(clusters) % 2
    arms = [right_calls(rng, n, shared, a, 3) for a in (0.55, 0.70)]
    seeds = arms[1] - arms[0]
    covered = naive = 0
    for e in range(EXPERIMENTS):
        strata = np.stack([np.where(label == y, n[e], 0) for y in (0, 1)])
        total = n[e].sum()
        shares = strata.sum(axis=1) / total
        sums = np.stack([np.where(label == y, seeds[e].sum(axis=0), 0) for y in (0, 1)])
        estimate = st.with_training_noise(st.jackknife(sums, strata * 3, shares), seeds[e].sum(axis=1) / total)
        low, high = estimate.interval()
        covered += low <= 0.15 <= high
        # By window: the paired variance of one replicate as if the discordant windows were independent.
        p, q = (arm[e, 0] / n[e] for arm in arms)
        discordant = (n[e] * (p * (1 - q) + q * (1 - p))).sum() / total
        d = seeds[e, 0].sum() / total
        naive += abs(d - 0.15) <= 1.96 * np.sqrt((discordant - d * d) / total)
    print(f"{clusters} clusters: {covered / EXPERIMENTS:.3f} covered, {naive / EXPERIMENTS:.3f} by window")
    assert 0.92 <= covered / EXPERIMENTS <= 0.97, covered / EXPERIMENTS
    assert naive / EXPERIMENTS < 0.85, naive / EXPERIMENTS


@pytest.mark.parametrize("clusters", [20, 50, 200])
def test_no_difference_is_rarely_called_one(clusters: int) -> None:
    rng = np.random.default_rng(clusters)
    n = sizes(rng, clusters)
    shared = rng.normal(0, 1, n.shape)
    a, b = (right_calls(rng, n, shared, 0.6, 1, 0.0)[:, 0] for _ in range(2))
    p = [sign_flip_p((b[e] - a[e])[None], rng, 1000)[0] for e in range(len(n))]
    print(f"{clusters} clusters: {np.mean(np.array(p) <= 0.05):.3f} called different")
    assert np.mean(np.array(p) <= 0.05) <= 0.06


def test_clusters_of_both_labels_are_one_unit() -> None:
    """The variance over many experiments is met only if a cluster is deleted from both labels at once."""
    rng = np.random.default_rng(3)
    n = np.stack([sizes(rng, 60), sizes(rng, 60)], axis=1)
    hard = rng.normal(0, 0.15, (EXPERIMENTS, 1, 60))
    right = rng.binomial(n, np.clip(0.6 + hard, 0, 1))
    estimates = [st.jackknife(right[e], n[e], (0.5, 0.5)) for e in range(EXPERIMENTS)]
    apart = [
        st.jackknife(
            np.block([[right[e][:1], np.zeros((1, 60))], [np.zeros((1, 60)), right[e][1:]]]),
            np.block([[n[e][:1], np.zeros((1, 60))], [np.zeros((1, 60)), n[e][1:]]]),
            (0.5, 0.5),
        )
        for e in range(EXPERIMENTS)
    ]
    truth = np.var([e.value for e in estimates])
    assert np.mean([e.variance for e in estimates]) == pytest.approx(truth, rel=0.15)
    assert np.mean([e.variance for e in apart]) < 0.75 * truth
    assert max(e.df for e in estimates) <= 59


def test_single_label_clusters_give_the_welch_form() -> None:
    rng = np.random.default_rng(0)
    n = (
        rng.integers(1, 50, (2, 30))
        * (np.arange(30) < 12) ** np.array([[1], [0]])
        * (np.arange(30) >= 12) ** np.array([[0], [1]])
    )
    sums, shares = rng.binomial(n, 0.7), (0.48, 0.52)
    parts, sizes_ = [], []
    for s in range(2):
        m = n[s] > 0
        deleted = np.array([(sums[s].sum() - sums[s][g]) / (n[s].sum() - n[s][g]) for g in np.flatnonzero(m)])
        parts.append(shares[s] ** 2 * (m.sum() - 1) / m.sum() * ((deleted - deleted.mean()) ** 2).sum())
        sizes_.append(m.sum())
    e = st.jackknife(sums, n, shares)
    assert e.variance == pytest.approx(sum(parts))
    assert e.df == pytest.approx(sum(parts) ** 2 / sum(p**2 / (g - 1) for p, g in zip(parts, sizes_, strict=True)))
    assert e.value == pytest.approx(sum(w * a.sum() / m.sum() for w, a, m in zip(shares, sums, n, strict=True)))


def test_placements_give_aurocs_also_with_ties() -> None:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 500)
    score = rng.integers(0, 20, 500) + label
    histogram = np.stack([np.bincount(score[label == y], minlength=21) for y in (0, 1)])
    ranks = placements(histogram)
    for y in (0, 1):
        other = (label != y).sum()
        assert (ranks[y][score[label == y]] / (2 * other)).mean() == pytest.approx(sk.roc_auc_score(label, score))


def test_pulls_tell_average_precision_without_a_cluster() -> None:
    """Held against sklearn, which computes it again without the cluster's windows."""
    rng = np.random.default_rng(2)
    label = np.repeat(rng.integers(0, 2, 60), 20)
    cluster = np.repeat(np.arange(60), 20)
    score = rng.integers(0, 60, 1200) + 9 * label + rng.normal(0, 8, 60).astype(int)[cluster] + 30
    histogram = np.stack([np.bincount(score[label == y], minlength=score.max() + 1) for y in (0, 1)])
    pulls = precision_pulls(histogram)
    assert (pulls * histogram).sum(axis=1) == pytest.approx([0, 0], abs=1e-8)
    weight = np.where(label == 1, label.mean(), 1 - label.mean())
    before = sk.average_precision_score(label, score)
    moved, told = [], []
    for c in range(60):
        left = cluster != c
        y = label[~left][0]
        rest = (label[left] == y).sum()
        kept = weight[left] * np.where(label[left] == y, (label == y).sum() / rest, 1.0)  # the shares of the labels stay
        moved.append(sk.average_precision_score(label[left], score[left], sample_weight=kept) - before)
        told.append(-pulls[y, score[~left]].sum() / rest)
    assert np.corrcoef(moved, told)[0, 1] > 0.995
    assert np.std(told) == pytest.approx(np.std(moved), rel=0.05)
    assert (precision_pulls(histogram * [[1], [0]]) == 0).all()


def scored(
    rng: np.random.Generator, clusters: int, gains: list[float]
) -> tuple[cluster_counts.TestClusters, list[ArmCounts], list[float]]:
    """Arms of one replicate whose scores share a cluster and a window effect, AUROC known from `gains`; and their AUPRCs."""
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
    """However few the permutations: each model's AUROC has its own luck of .06 beside the clusters' noise."""
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
    """The value is known here only by its mean over experiments, so the intervals are laid around that."""
    rng = np.random.default_rng(7)
    values, halves = [], []
    for _ in range(300):
        test, (arm,), precision = scored(rng, 60, [1.0])
        low, high = average_precision(test, arm, 0.0).interval()
        values += precision
        halves.append((high - low) / 2)
    covered = np.mean(np.abs(np.array(values) - np.mean(values)) <= halves)
    assert 0.92 <= covered <= 0.985, covered


def auroc_of(test: cluster_counts.TestClusters, arm: ArmCounts) -> float:
    positives = np.bincount(test.fold, weights=test.windows[1])
    by_fold = np.bincount(test.fold, weights=arm.placed[0, 1]) / positives
    return float(np.average(by_fold, weights=np.bincount(test.fold, weights=test.windows.sum(axis=0))))


def test_bootstrap_intervals_cover_the_truth() -> None:
    """F1, precision and MCC from two rates, whose expectation is known to the size of the interval."""
    rng = np.random.default_rng(6)
    accuracy = stats.norm.cdf(stats.norm.ppf(0.7))
    truth = {k: float(v) for k, v in st.rates_to_metrics(np.float64(accuracy), np.float64(1 - accuracy), 0.5).items()}
    n = sizes(rng, 60)[:200]
    right = right_calls(rng, n, rng.normal(0, 1, n.shape), 0.7, 1, 0.0)[:, 0]
    hits = dict.fromkeys(("precision", "f1", "mcc"), 0)
    strata = [np.arange(0, 60, 2), np.arange(1, 60, 2)]
    for e in range(200):
        w = bootstrap_weights(strata, 60, 400, rng)
        tpr = w[:, strata[1]] @ right[e, strata[1]] / (w[:, strata[1]] @ n[e, strata[1]])
        fpr = 1 - w[:, strata[0]] @ right[e, strata[0]] / (w[:, strata[0]] @ n[e, strata[0]])
        at = [right[e, s].sum() / n[e, s].sum() for s in strata]
        drawn, value = st.rates_to_metrics(tpr, fpr, 0.5), st.rates_to_metrics(at[1], 1 - at[0], 0.5)
        for k in hits:
            low, high = percentile_interval(drawn[k], float(value[k]), [], 30, -1.0)
            hits[k] += low <= truth[k] <= high
    assert all(0.89 <= h / 200 <= 0.98 for h in hits.values()), hits


@given(some.lists(some.floats(0, 1), max_size=12))
def test_holm_is_monotone_and_no_smaller_than_p(p: list[float]) -> None:
    corrected = st.holm(p)
    assert all(c >= x for c, x in zip(corrected, p, strict=True)) and all(c <= 1 for c in corrected)
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()


def test_holm_by_hand() -> None:
    assert st.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@given(some.lists(some.integers(0, 1000), max_size=40))
def test_effective_clusters_lie_between_one_and_their_number(n: list[int]) -> None:
    value, present = st.effective_clusters(np.array(n)), sum(x > 0 for x in n)
    assert (value == 0) if not present else (1 - 1e-9 <= value <= present + 1e-9)


def test_replicates_widen_and_a_single_one_does_not() -> None:
    e = st.Estimate(0.1, 1e-4, 30)
    assert st.with_training_noise(e, [0.1]) == e
    assert st.with_training_noise(e, [0.1, 0.1, 0.1]).variance == e.variance
    wider = st.with_training_noise(e, [0.05, 0.10, 0.15])
    assert wider.variance == pytest.approx(1e-4 + 0.05**2 / 3)
    assert wider.df < e.df


@pytest.mark.parametrize("n", [[[5, 0], [0, 5]], [[5, 5], [0, 5]]])
def test_one_cluster_of_a_label_has_no_interval(n: list[list[int]]) -> None:
    e = st.jackknife(np.array(n) // 2, np.array(n), (0.5, 0.5))
    assert e.interval() is None and e.p_value() is None


def test_no_spread_has_no_interval() -> None:
    n = np.array([[4, 4, 0, 0], [0, 0, 4, 4]])
    assert st.jackknife(n, n, (0.5, 0.5)).interval() is None
    assert percentile_interval(np.ones(100), 1.0, [1.0], 4) is None


@given(some.integers(1, 200), some.integers(1, 60))
def test_bootstrap_draws_as_many_clusters_as_there_are(first: int, second: int) -> None:
    strata = [np.arange(first), np.arange(first, first + second)]
    w = bootstrap_weights(strata, first + second, 7, np.random.default_rng(0))
    assert all((w[:, s].sum(axis=1) == len(s)).all() for s in strata)
