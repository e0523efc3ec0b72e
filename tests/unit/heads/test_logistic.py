"""Logistic regression with signs: scikit-learn's result where signs do not matter, and honest predictions by cluster."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from virshort.heads.logistic import PARTS, PRIOR_SD, cluster_parts, fit_logistic, held_out


def made(n: int = 2000, k: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, k))
    x[0] = 1  # the largest of each input, by which it is scaled
    return x, (rng.random(n) < 1 / (1 + np.exp(-(2 * x[:, 0] - x[:, 1] + 0.3)))).astype(np.int8)


def test_without_signs_it_is_scikit_learns_ridge_regression():
    x, label = made()
    ours = fit_logistic(x, label, np.zeros(3))
    theirs = LogisticRegression(C=PRIOR_SD**2, tol=1e-10).fit(x, label)
    np.testing.assert_allclose(ours.coefficients, theirs.coef_[0], atol=1e-4)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_signs_are_kept():
    x, label = made()
    fitted = fit_logistic(x, label, np.array([-1, 1, 0]))
    assert fitted.coefficients[0] == 0 == fitted.coefficients[1]


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_inputs_that_say_nothing_leave_the_share_of_labels(value):
    label = np.array([0, 1, 1, 1] * 50)
    odds = fit_logistic(np.full((200, 2), value), label, np.array([1, -1])).log_odds(np.full((1, 2), value))
    assert 1 / (1 + np.exp(-odds[0])) == pytest.approx(0.75, abs=1e-3)


def test_clusters_stay_whole_and_every_part_has_both_labels():
    rng = np.random.default_rng(3)
    cluster = rng.integers(0, 40, 3000)
    label = (cluster % 3 == 0).astype(np.int8)
    part = cluster_parts(label, cluster)
    assert all(len(np.unique(part[cluster == c])) == 1 for c in np.unique(cluster))
    assert all(set(label[part == p]) == {0, 1} for p in range(PARTS))


def test_held_out_log_odds_come_from_other_clusters():
    cluster, label = np.repeat(np.arange(20), 5), np.repeat(np.arange(20) % 2, 5)
    seen = []

    def fit(rows):
        def log_odds(others):
            seen.append(set(cluster[rows]) & set(cluster[others]))
            return np.full(len(others), len(rows))

        return log_odds

    odds = held_out(fit, label, cluster)
    assert len(seen) == PARTS and not any(seen) and (odds > 0).all()
