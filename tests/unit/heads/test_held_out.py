"""What the held-out windows of a test set say of the model that an arm would be exported as."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from virshort.features.window_features import WindowFeatures
from virshort.heads.held_out import as_ensemble, best_matches, describe_held_out, joined, rates_by_length, rates_by_rule
from virshort.inference.held_out_rates import HeldOut, at_threshold


def test_a_window_is_judged_by_the_heads_that_it_did_not_train() -> None:
    by_head = np.array([[1.0, 2.0], [3.0, np.nan]])
    assert as_ensemble(by_head).tolist() == [2.0, 2.0]


def test_rates_are_given_for_lengths_with_both_labels() -> None:
    label, cluster = np.array([0, 1, 0, 1, 0, 0]), np.arange(6)
    odds, length = np.array([-1.0, 1, 3, 1, -5, -5]), np.array([150, 150, 300, 300, 1000, 1000])
    found = rates_by_length(label, cluster, odds, length)
    assert [r["lengths"] for r in found] == [None, [0, 200], [200, 500]]
    true, false = at_threshold(found[2], 2.0)
    assert true.value == 0 and false.value == 1
    assert rates_by_length(np.ones(3, int), np.arange(3), np.zeros(3), np.full(3, 150)) == []


def test_windows_with_a_match_have_rates_of_their_own() -> None:
    label, cluster, length = np.tile([0, 1], 4), np.arange(8), np.full(8, 150)
    odds, matched = np.array([-5.0, 5, -5, 5, -1, 1, 3, -1]), np.repeat([True, False], 4)
    found = {(r["lengths"] is None, r["matched"]): r for r in rates_by_length(label, cluster, odds, length, matched=matched)}
    assert set(found) == {(whole, m) for whole in (True, False) for m in (None, False, True)}
    rates = {m: tuple(rate.value for rate in at_threshold(found[True, m], 0.0)) for m in (None, False, True)}
    assert rates == {None: (0.75, 0.25), False: (0.5, 0.5), True: (1.0, 0.0)}
    only = rates_by_length(label, cluster, odds, length, matched=np.ones(8, bool))
    assert {r["matched"] for r in only} == {None, True}, "no windows, no rates"


def test_rates_of_pairs_follow_their_rule() -> None:
    label, cluster, length = np.array([0, 1, 0, 1]), np.arange(4), np.full(4, 150)
    mates = np.array([[-3.0, 1], [2, 1], [-1, -2], [3, -1]])
    found = {r["reads"]: r for r in rates_by_rule(label, cluster, mates, mates.sum(axis=1), length) if r["lengths"] is None}
    rates = {rule: tuple(rate.value for rate in at_threshold(r, 1.0)) for rule, r in found.items()}
    assert rates == {"model": (1.0, 0.0), "both": (0.5, 0.0), "either": (1.0, 0.5), "best": (1.0, 0.0)}


def test_composition_and_matches_are_described(window_features: Callable[..., WindowFeatures]) -> None:
    windows = window_features(np.tile([0, 1], 50), np.arange(100), np.zeros(100, int))
    found = describe_held_out(windows, [])
    low, high = found["gc"] or (1, 0)
    assert 0 <= low <= high <= 1 and found["without_match"] is None and found["match_bits"] is None
    given = window_features(
        np.tile([0, 1], 50), np.arange(100), np.zeros(100, int), "test/given", gc=pa.nulls(100, pa.float32())
    )
    assert describe_held_out(given, [])["gc"] is None
    found = describe_held_out(windows, [], 40.0, np.arange(100) % 4 == 1)
    assert found["without_match"] == [1.0, 0.5] and found["match_bits"] == 40


def test_the_best_match_is_that_of_any_fold(window_features: Callable[..., WindowFeatures]) -> None:
    matches = np.zeros((100, 3, 2, 2), np.float16)  # bits and identity by fold and label
    matches[0, :, 1, 0], matches[1, 2, 0], matches[2, 0, 1] = [30, 50, 40], [60, 0.5], [20, 0.9]
    windows = window_features(np.tile([0, 1], 50), np.arange(100), np.zeros(100, int), "test/short", matches.reshape(100, -1))
    found = best_matches(windows)
    assert found[:3].tolist() == [[0, 50], [60, 0], [0, 20]] and not found[3:].any()


def test_a_bin_has_the_rates_of_the_most_windows() -> None:
    def of_set(windows: int, length: int) -> HeldOut:
        label, rows = np.tile([0, 1], windows // 2), np.arange(windows)
        return {
            "rates": rates_by_length(label, rows, rows / 10, np.full(windows, length)),
            "gc": [0.3, 0.6],
            "match_bits": None,
            "without_match": None,
        }

    together = joined([of_set(10, 150), of_set(20, 150), of_set(6, 300)])
    assert together is not None
    found = {str(r["lengths"]): r["viral"]["windows"] for r in together["rates"]}
    assert found == {"None": 10, "[0, 200]": 10, "[200, 500]": 3}
    assert joined([]) is None
