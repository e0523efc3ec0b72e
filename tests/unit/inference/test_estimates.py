"""The jackknife keeps its promise in many simulated experiments with correlated windows and a known truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from simulated_clusters import EXPERIMENTS, right_calls, sizes
from virshort.inference import estimates as st
from virshort.inference.resampling import percentile_interval


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
        # By window: the paired variance of one replicate, as if the discordant windows were independent.
        p, q = (arm[e, 0] / n[e] for arm in arms)
        discordant = (n[e] * (p * (1 - q) + q * (1 - p))).sum() / total
        d = seeds[e, 0].sum() / total
        naive += abs(d - 0.15) <= 1.96 * np.sqrt((discordant - d * d) / total)
    print(f"{clusters} clusters: {covered / EXPERIMENTS:.3f} covered, {naive / EXPERIMENTS:.3f} by window")
    assert 0.92 <= covered / EXPERIMENTS <= 0.97, covered / EXPERIMENTS
    assert naive / EXPERIMENTS < 0.85, naive / EXPERIMENTS


def test_clusters_of_both_labels_are_one_unit() -> None:
    """Only if a cluster is deleted from both labels at once does the variance agree with that of many experiments."""
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
