"""Two mates read together: what the factor finds, what overlap means, and which model scores which pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virshort.errors import InputError
from virshort.fold_roles import validated_by
from virshort.heads import calibration
from virshort.heads.pairing import (
    Pairs,
    fit_factor,
    fit_rules,
    heads_of_pairs,
    overlap_of,
    pair_odds,
    read_together,
)


def simulated(rng: np.random.Generator, n: int, shared: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, calibrated log-odds of two mates, and overlaps. shared: the part of a mate's noise that its source gives both.

    A mate's evidence is x = label +- noise with variance 1, so its log-odds are 2 x. Mates that overlap have that part of the
    rest of their noise in common too; with complete overlap they are the same."""
    label = rng.integers(0, 2, n)
    overlap = np.where(rng.random(n) < 0.5, 0, rng.random(n))
    common = shared + (1 - shared) * overlap
    source, own = rng.normal(size=(n, 1)), rng.normal(size=(n, 2))
    x = (2 * label - 1)[:, None] + np.sqrt(common)[:, None] * source + np.sqrt(1 - common)[:, None] * own
    return label, 2 * x, overlap


@pytest.mark.parametrize("shared", [0.0, 0.3, 0.8, 1.0])
def test_the_factor_is_what_two_mates_are_worth(shared):
    """With noise of which a part r is shared, the log-odds of both mates are those of one, times 2 / (1 + r)."""
    label, mates, overlap = simulated(np.random.default_rng(1), 40_000, shared)
    apart = overlap == 0
    assert fit_factor(label[apart], mates[apart], overlap[apart]) == pytest.approx(2 / (1 + shared), rel=0.05)


def test_overlapping_mates_are_not_two_votes():
    """Scores of pairs are calibrated at every overlap, where twice the mean would be overconfident on overlapping mates."""
    label, mates, overlap = simulated(np.random.default_rng(2), 200_000, 0.2)
    odds = pair_odds(mates, overlap, fit_factor(label, mates, overlap))
    twice = 2 * mates.mean(axis=1)
    for low, high in ((-1, 0), (0.2, 0.4), (0.6, 0.8), (0.95, 1)):
        here = (overlap > low) & (overlap <= high)
        temperature, _ = calibration.scale(label[here], odds[here])
        assert temperature == pytest.approx(1, abs=0.12), (low, high)
        if low > 0.5:
            assert calibration.scale(label[here], twice[here])[0] > 1.5


@given(st.lists(st.tuples(st.floats(-30, 30), st.floats(0, 1)), min_size=1, max_size=20), st.floats(0.05, 20))
def test_the_same_window_read_twice_counts_once(rows, factor):
    odds, overlap = (np.array(column) for column in zip(*rows, strict=True))
    twice = np.column_stack([odds, odds])
    np.testing.assert_allclose(pair_odds(twice, np.ones(len(odds)), factor), odds)
    np.testing.assert_allclose(pair_odds(twice, overlap, 1.0), odds)


@given(
    st.lists(st.tuples(st.booleans(), st.floats(-9, 9), st.floats(-9, 9), st.floats(0, 1)), min_size=2, max_size=30),
    st.randoms(use_true_random=False),
)
def test_neither_the_order_of_mates_nor_that_of_pairs_matters(rows, random):
    label, a, b, overlap = (np.array(column, float) for column in zip(*rows, strict=True))
    mates = np.column_stack([a, b])
    factor = fit_factor(label, mates, overlap)
    assert 0.05 <= factor <= 20
    assert fit_factor(label, mates[:, ::-1], overlap) == factor
    np.testing.assert_array_equal(pair_odds(mates[:, ::-1], overlap, factor), pair_odds(mates, overlap, factor))
    order = np.array(random.sample(range(len(rows)), len(rows)))
    again = fit_factor(label[order], mates[order], overlap[order])
    losses = [
        np.logaddexp(0, -(2 * label - 1) * pair_odds(mates, overlap, f)).mean() for f in (factor, again)
    ]  # the factor is not well determined where the labels are separable
    assert again == pytest.approx(factor, rel=0.05) or losses[0] == pytest.approx(losses[1], abs=0.05)


@given(st.integers(0, 500), st.integers(50, 300), st.integers(50, 300))
def test_mates_overlap_where_the_fragment_is_shorter_than_two_windows(start, length, more):
    fragment = length + more
    starts = np.array([[start, start + fragment - length], [start + fragment - length, start]])
    share = overlap_of(starts, starts + length)
    assert share[0] == share[1] == max(0, 2 * length - fragment) / length


def test_a_fold_validates_the_split_before_it():
    fold = np.array([0, 1, 2, 3, 4], np.int8)
    assert validated_by(fold, 5, [0, 1, 2, 3, 4]).tolist() == [4, 0, 1, 2, 3]
    assert validated_by(fold, 5, [0, 4]).tolist() == [4, 0, -1, -1, -1]


def pairs_of_folds(n: int = 3000) -> tuple[Pairs, np.ndarray]:
    """Pairs of three folds and two replicates, of which the second has log-odds on another scale."""
    label, mates, overlap = simulated(np.random.default_rng(3), n, 0.2)
    pairs = Pairs(label.astype(np.int8), np.arange(n) % 3, np.arange(n) // 6, np.full(n, 150), overlap)
    return pairs, np.stack([mates, 3 * mates + 1]).astype(np.float32)


def test_rules_are_fitted_on_the_fold_that_validates_a_split_and_used_on_the_one_that_it_tests():
    pairs, odds = pairs_of_folds()
    split = validated_by(pairs.fold, 3, [0, 1, 2])
    rules = fit_rules(pairs, split, odds)
    told = [(rule["replicate"], rule["fold"], rule["pairs"]) for rule in rules]
    assert told == [(r, f, 1000) for r in (0, 1) for f in range(3)]
    found = read_together(pairs, odds, rules)
    for f in range(3):
        here, first, second = pairs.fold == (f + 1) % 3, rules[f], rules[3 + f]
        temperature, bias = calibration.scale(np.repeat(pairs.label[here], 2), odds[0, here].ravel())
        assert (first["temperature"], first["bias"]) == (temperature, bias)
        mates = odds[0, here] / temperature + bias
        assert first["factor"] == fit_factor(pairs.label[here], mates, pairs.overlap[here])
        assert first["overlapping"] == (pairs.overlap[here] > 0).mean()
        here = pairs.fold == f
        expected = pair_odds(odds[0, here] / temperature + bias, pairs.overlap[here], first["factor"])
        np.testing.assert_allclose(found[0, here], expected, rtol=1e-5, atol=1e-5)
        # The scale of a head's log-odds does not matter.
        assert second["temperature"] == pytest.approx(3 * first["temperature"], rel=1e-3)
        assert second["factor"] == pytest.approx(first["factor"], rel=1e-2)
        np.testing.assert_allclose(found[0, here], found[1, here], rtol=0.02, atol=0.02)
    calls = heads_of_pairs(rules)
    assert len(calls) == 2 and calls[1].threshold == {f: rules[3 + f]["threshold"] for f in range(3)}
    assert calls[0].calibration[2] == rules[2]["calibration"]
    assert abs(calls[0].calibration[0][0]["temperature"] - 1) < 0.1, "a pair's log-odds are calibrated already"


def test_validation_pairs_of_one_label_are_refused():
    pairs, odds = pairs_of_folds(30)
    here = pairs.fold == 1
    pairs.label[here] = 0
    with pytest.raises(InputError, match=r"split 0: none of its 10 validation pairs is viral.*--pair_windows"):
        fit_rules(pairs.select(here), np.zeros(10, int), odds[:, here])
