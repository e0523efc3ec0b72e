"""How new windows are: only the folds that a split trains on count, for matches as for families."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virshort.fold_roles import trained_on
from virshort.inference.novelty import (
    FAMILIES,
    KNOWN,
    MATCHES,
    NEW,
    UNKNOWN,
    by_fold_and_label,
    family_status,
    match_bins,
    nearest_relative,
)


def test_a_split_trains_on_all_folds_but_the_tested_one_and_the_next():
    assert trained_on(4)[np.array([0, 3])].tolist() == [[False, False, True, True], [False, True, True, False]]


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 7))
def test_the_nearest_relative_is_the_best_match_of_the_own_label_in_training(seed, folds):
    rng = np.random.default_rng(seed)
    n = 20
    features = np.where(rng.random((n, folds * 4)) < 0.5, 0, rng.uniform(1, 99, (n, folds * 4))).astype(np.float16)
    label, fold = rng.integers(0, 2, n), rng.integers(0, folds, n)
    bits, identity = nearest_relative(by_fold_and_label(features, folds), label, fold)
    for i in range(n):
        found = [(0.0, 0.0)]
        for f in range(folds):
            if f not in (fold[i], (fold[i] + 1) % folds):
                at = f * 4 + label[i] * 2
                found.append((float(features[i, at]), float(features[i, at + 1])))
        assert bits[i] == max(found)[0] and (not bits[i] or (bits[i], identity[i]) in found)


def test_matches_are_binned_by_bits():
    bits = np.array([0, 1, 34.9, 35, 49.9, 50, 79.9, 80, 300], np.float32)
    assert [MATCHES[b] for b in match_bins(bits)] == [
        *("no match", "under 35 bits", "under 35 bits", "35 to 50 bits", "35 to 50 bits", "50 to 80 bits", "50 to 80 bits"),
        *("80 bits and more", "80 bits and more"),
    ]


def test_features_of_another_number_of_folds_are_refused():
    with pytest.raises(ValueError, match="reshape"):
        by_fold_and_label(np.zeros((2, 12), np.float16), 5)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 6))
def test_a_family_is_known_if_the_split_trains_on_it(seed, folds):
    rng = np.random.default_rng(seed)
    names = [None, "", "a", "b", "c"]
    of_sources = [names[i] for i in rng.integers(0, len(names), 12)]
    source_fold = rng.integers(0, folds, 12)
    family, fold = [names[i] for i in rng.integers(0, len(names), 30)], rng.integers(0, folds, 30)
    status = family_status(family, fold, of_sources, source_fold, folds)
    for f, t, found in zip(family, fold.tolist(), status.tolist(), strict=True):
        trained = {x for x, g in zip(of_sources, source_fold.tolist(), strict=True) if g not in (t, (t + 1) % folds)}
        assert found == (UNKNOWN if not f else KNOWN if f in trained else NEW)
    assert FAMILIES[UNKNOWN] == "unknown"


def test_no_family_is_known_anywhere():
    status = family_status([None, "x"], np.array([0, 1]), [None, None], np.array([0, 1]), 3)
    assert status.tolist() == [UNKNOWN, NEW]
