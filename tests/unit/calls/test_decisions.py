"""One call for each fragment, by a single read or by a rule for both mates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virshort.calls.decisions import (
    NONVIRAL,
    PAIR_RULES,
    UNSCORED,
    VIRAL,
    CallRules,
    call_fragments,
    log_odds_of,
    parse_threshold,
)
from virshort.errors import InputError

NAN = float("nan")


def rules(rule: str = "model", single: float = 1.0, pair: float = 2.0) -> CallRules:
    """Reads of 200 bp and more need one more than others; two mates are worth their sum, less what both read."""
    return CallRules(
        lambda length: np.where(length >= 200, single + 1, single),
        lambda length: np.full(len(length), pair),
        lambda mates, overlap, _length: mates.sum(axis=1) * (1 - overlap / 2),
        rule,
    )


def called(odds: list[list[float]], length: list[list[int]], rule: str = "model", overlap: float = 0.0) -> list[int]:
    n = len(odds)
    found = call_fragments(np.array(odds), np.array(length), np.full(n, overlap), rules(rule))
    return found.call.tolist()


def test_single_reads_are_called_by_the_threshold_of_their_length() -> None:
    odds, length = [[1.0], [0.99], [1.5], [2.0], [NAN]], [[100], [100], [250], [250], [100]]
    assert called(odds, length) == [VIRAL, NONVIRAL, NONVIRAL, VIRAL, UNSCORED]


def test_rules_for_pairs() -> None:
    odds = [[1.2, 1.2], [1.2, 0.0], [3.0, -4.0], [0.5, 0.5]]
    length = [[100, 100]] * 4
    assert called(odds, length, "model") == [VIRAL, NONVIRAL, NONVIRAL, NONVIRAL]
    assert called(odds, length, "model", overlap=1.0) == [NONVIRAL] * 4
    assert called(odds, length, "both") == [VIRAL, NONVIRAL, NONVIRAL, NONVIRAL]
    assert called(odds, length, "either") == [VIRAL, VIRAL, VIRAL, NONVIRAL]
    assert called(odds, length, "best") == [VIRAL, VIRAL, NONVIRAL, NONVIRAL]


@pytest.mark.parametrize("rule", PAIR_RULES)
def test_a_pair_with_one_scored_mate_is_a_single_read(rule: str) -> None:
    odds, length = [[NAN, 1.5], [1.5, NAN], [NAN, NAN]], [[30, 100], [250, 30], [30, 30]]
    found = call_fragments(np.array(odds), np.array(length), np.zeros(3), rules(rule))
    assert found.call.tolist() == [VIRAL, NONVIRAL, UNSCORED]
    assert found.length.tolist() == [100, 250, 0] and not found.as_pair.any()


@given(
    st.lists(st.tuples(*[st.one_of(st.just(NAN), st.floats(-30, 30, width=32))] * 2), min_size=1, max_size=30),
    st.floats(-10, 10),
    st.floats(0, 5),
    st.sampled_from(PAIR_RULES),
    st.floats(0, 1),
)
def test_fewer_fragments_are_viral_at_a_higher_threshold(
    odds: list[tuple[float, float]], threshold: float, more: float, rule: str, overlap: float
) -> None:
    values, length = np.array(odds), np.full((len(odds), 2), 150)
    low, high = (
        call_fragments(values, length, np.full(len(odds), overlap), rules(rule, t, t)).call
        for t in (threshold, threshold + more)
    )
    assert (low[high == VIRAL] == VIRAL).all()
    assert np.array_equal(low == UNSCORED, high == UNSCORED)
    assert np.array_equal(low == UNSCORED, np.isnan(values).all(axis=1))


@given(st.lists(st.tuples(*[st.floats(-30, 30, width=32)] * 2), min_size=1), st.sampled_from(["model", "both", "either"]))
def test_swapping_the_mates_changes_no_call(odds: list[tuple[float, float]], rule: str) -> None:
    values, length, overlap = np.array(odds), np.full((len(odds), 2), 150), np.zeros(len(odds))
    one, other = (call_fragments(v, length, overlap, rules(rule)).call for v in (values, values[:, ::-1]))
    assert np.array_equal(one, other)


def test_the_threshold_is_a_name_or_a_score() -> None:
    assert parse_threshold("fpr_1e-3") == "fpr_1e-3" and parse_threshold("0.9") == 0.9
    with pytest.raises(InputError, match="did you mean balanced"):
        parse_threshold("balance")
    for wrong in ("1.5", "-0.1", "nan"):
        with pytest.raises(InputError, match="between 0 and 1"):
            parse_threshold(wrong)
    assert log_odds_of(0.5) == 0 and log_odds_of(0) == -np.inf and log_odds_of(1) == np.inf
