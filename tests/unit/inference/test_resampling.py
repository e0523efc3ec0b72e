"""The bootstrap and the sign-flip test keep their promises on correlated windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from simulated_clusters import right_calls, sizes
from virshort.inference.estimates import rates_to_metrics
from virshort.inference.resampling import bootstrap_weights, percentile_interval, sign_flip_p


@pytest.mark.parametrize("clusters", [20, 50, 200])
def test_no_difference_is_rarely_called_one(clusters: int) -> None:
    rng = np.random.default_rng(clusters)
    n = sizes(rng, clusters)
    shared = rng.normal(0, 1, n.shape)
    a, b = (right_calls(rng, n, shared, 0.6, 1, 0.0)[:, 0] for _ in range(2))
    p = [sign_flip_p((b[e] - a[e])[None], rng, 1000)[0] for e in range(len(n))]
    print(f"{clusters} clusters: {np.mean(np.array(p) <= 0.05):.3f} called different")
    assert np.mean(np.array(p) <= 0.05) <= 0.06


def test_bootstrap_intervals_cover_the_truth() -> None:
    """F1, precision and MCC from two rates; their expectations are known well enough for intervals of this size."""
    rng = np.random.default_rng(6)
    accuracy = stats.norm.cdf(stats.norm.ppf(0.7))
    truth = {k: float(v) for k, v in rates_to_metrics(np.float64(accuracy), np.float64(1 - accuracy), 0.5).items()}
    n = sizes(rng, 60)[:200]
    right = right_calls(rng, n, rng.normal(0, 1, n.shape), 0.7, 1, 0.0)[:, 0]
    hits = dict.fromkeys(("precision", "f1", "mcc"), 0)
    strata = [np.arange(0, 60, 2), np.arange(1, 60, 2)]
    for e in range(200):
        w = bootstrap_weights(strata, 60, 400, rng)
        tpr = w[:, strata[1]] @ right[e, strata[1]] / (w[:, strata[1]] @ n[e, strata[1]])
        fpr = 1 - w[:, strata[0]] @ right[e, strata[0]] / (w[:, strata[0]] @ n[e, strata[0]])
        at = [right[e, s].sum() / n[e, s].sum() for s in strata]
        drawn, value = rates_to_metrics(tpr, fpr, 0.5), rates_to_metrics(at[1], 1 - at[0], 0.5)
        for k in hits:
            low, high = percentile_interval(drawn[k], float(value[k]), [], 30, -1.0)
            hits[k] += low <= truth[k] <= high
    assert all(0.89 <= h / 200 <= 0.98 for h in hits.values()), hits


@given(some.integers(1, 200), some.integers(1, 60))
def test_bootstrap_draws_as_many_clusters_as_there_are(first: int, second: int) -> None:
    strata = [np.arange(first), np.arange(first, first + second)]
    w = bootstrap_weights(strata, first + second, 7, np.random.default_rng(0))
    assert all((w[:, s].sum(axis=1) == len(s)).all() for s in strata)
