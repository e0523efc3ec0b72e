"""Matches: which folds a split may use, what their bits say, and which cut is chosen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from virshort.fold_roles import training_folds
from virshort.heads.matches import CUTS, SIGNS, best_bits, best_cut, called_by_rule, evidence, telling_bits

FOLDS = 5


@pytest.mark.parametrize("test_fold", range(FOLDS))
def test_a_split_sees_neither_the_matches_of_its_test_fold_nor_of_its_validation_fold(test_fold):
    """Matches there, however good, change nothing."""
    rng = np.random.default_rng(test_fold)
    matches = rng.uniform(0, 100, (20, FOLDS, 2, 2)).astype(np.float16)
    used = training_folds(test_fold, FOLDS)
    assert len(used) == FOLDS - 2 and test_fold not in used and (test_fold + 1) % FOLDS not in used
    before = best_bits(matches.reshape(20, -1), used)
    np.testing.assert_array_equal(before, np.max([matches[:, f, :, 0] for f in used], axis=0))
    matches[:, [test_fold, (test_fold + 1) % FOLDS]] = 1000
    np.testing.assert_array_equal(best_bits(matches.reshape(20, -1), used), before)


bits = arrays.arrays(np.float32, st.tuples(st.integers(1, 20), st.just(2)), elements=st.floats(0, 2000, width=32))


@given(bits, st.floats(0, 500), st.sampled_from([0, 1]))
def test_more_bits_of_a_label_never_speak_against_it(bits, more, label):
    raised = bits.copy()
    raised[:, label] += np.float32(more)
    towards_viral = (evidence(raised) - evidence(bits)) @ SIGNS
    assert ((towards_viral >= 0) if label else (towards_viral <= 0)).all()


def test_no_match_is_no_evidence():
    assert not evidence(np.zeros((3, 2))).any()


def test_the_rule_takes_the_label_of_the_better_match_above_the_cut():
    bits = np.array([[0, 0], [0, 29], [0, 30], [50, 30], [30, 50], [40, 40]])
    assert called_by_rule(bits, 30, 1).tolist() == [1, 1, 1, 0, 1, 0]
    assert called_by_rule(bits, 30, 0).tolist() == [0, 0, 1, 0, 1, 0]


def test_the_cut_separates_matches_by_chance_from_relatives():
    """Windows of both labels have chance matches of up to 32 bits with either label; only relatives have more."""
    rng = np.random.default_rng(0)
    label = np.repeat([0, 1], 2000)
    bits = rng.uniform(0, 32, (4000, 2))
    related = rng.random(4000) < 0.5
    bits[related, label[related]] = rng.uniform(34, 200, related.sum())
    assert 31 <= best_cut(bits, label) <= 34


def test_a_cut_is_found_where_nothing_matches():
    assert best_cut(np.zeros((4, 2)), np.array([0, 1, 1, 1])) == CUTS[0]


def test_matches_tell_from_the_bits_on_from_which_both_labels_are_right() -> None:
    """Up to 40 bits the better match is a matter of chance; above, the label of every window."""
    rng = np.random.default_rng(2)
    label, most = np.tile([0, 1], 4000), rng.uniform(25, 70, 8000)
    better = np.where(most < 40, rng.integers(0, 2, 8000), label)
    bits = np.stack([np.where(better == y, most, most - 5) for y in (0, 1)], axis=1)
    assert telling_bits(label, bits) in (39, 40)
    assert telling_bits(label, bits[:, ::-1]) is None, "always wrong"
    viral_only_right = np.where((label == 0)[:, None], bits[:, ::-1], bits)
    assert telling_bits(label, viral_only_right) is None, "both labels must be right"
    assert telling_bits(label[:30], bits[:30] + 50) is None, "too few windows"


def test_without_a_list_of_folds_all_count() -> None:
    matches = np.zeros((1, 3, 2, 2))
    matches[0, 2, 1, 0], matches[0, 0, 1, 0] = 50, 40
    flat = matches.reshape(1, -1)
    assert best_bits(flat).tolist() == [[0, 50]] and best_bits(flat, [0, 1]).tolist() == [[0, 40]]
