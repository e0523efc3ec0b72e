"""Curves and reliability, compared with plain computations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score, roc_curve

from virshort.heads import score_quality
from virshort.heads.score_quality import curves, rank_metrics, reliability


@given(st.integers(2, 300), st.integers(1, 300), st.sampled_from([np.float32, np.float64]), st.integers(0, 2**32))
def test_ranks_are_scikit_learns_bit_for_bit(n: int, scores: int, dtype: type, seed: int) -> None:
    rng = np.random.default_rng(seed)
    label = np.append([0, 1], rng.integers(0, 2, n - 2))
    score = rng.choice(rng.normal(0, 3, scores), n).astype(dtype)
    assert rank_metrics(label, score) == {"auroc": roc_auc_score(label, score), "auprc": average_precision_score(label, score)}
    for mine, theirs in zip(score_quality.roc_curve(label, score), roc_curve(label, score)[:2], strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_curves_have_the_area_of_the_metrics(windows: dict[str, np.ndarray]) -> None:
    label, odds, fold = (windows[k] for k in ("label", "odds", "fold"))
    found = curves(label, fold, odds)
    roc, precision = (np.array(found[k]) for k in ("roc", "precision_recall"))
    areas = (roc_auc_score, average_precision_score)
    each = [[f(label[fold == k], o[fold == k]) for k in range(3) for o in odds] for f in areas]
    assert np.trapezoid(roc[:, 1], roc[:, 0]) == pytest.approx(np.mean(each[0]), abs=0.005)
    assert np.trapezoid(precision[:, 1], precision[:, 0]) == pytest.approx(np.mean(each[1]), abs=0.02)
    assert curves(np.ones(9, int), np.zeros(9, int), odds[:, :9]) is None


def test_scores_drawn_from_their_own_probability_are_calibrated() -> None:
    rng = np.random.default_rng(2)
    odds = rng.normal(0, 1.5, (1, 20_000))
    label = (rng.random(20_000) < 1 / (1 + np.exp(-odds[0]))).astype(int)
    good, bad = (reliability(label, o, rng) for o in (odds, 3 * odds))
    assert good["ece"] == pytest.approx(good["ece_if_perfect"], rel=0.5)
    assert bad["ece"] > 5 * bad["ece_if_perfect"]
    assert good["brier"] < bad["brier"] and good["log_loss"] < bad["log_loss"]
    p = 1 / (1 + np.exp(-odds[0]))
    assert (good["log_loss"], good["brier"]) == pytest.approx((log_loss(label, p), brier_score_loss(label, p)))
    assert sum(n for _, _, n in good["curve"]) == 20_000 and len(good["curve"]) == 15
