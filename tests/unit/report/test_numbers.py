"""Numbers as the report writes them."""

import pytest

from virshort.report.numbers import count, duration, interval, p_value, plain, scaled, signed


@pytest.mark.parametrize(("points", "text"), [(2.36, "+2.4"), (-4.7, "-4.7"), (-0.04, "+0.0"), (0.0, "+0.0")])
def test_differences_have_a_sign_but_zero_no_minus(points: float, text: str) -> None:
    assert signed(points) == text


def test_what_is_not_known_is_empty() -> None:
    assert scaled(None) == count(None) == plain(None) == p_value(None, "remedy") == ""


def test_shares_are_in_percent_and_other_numbers_at_their_scale() -> None:
    assert scaled(0.8061) == "80.6" and scaled(0.8942, 1, 3) == "0.894"
    assert interval([0.7549, 0.8573]) == "75.5 to 85.7" and interval([-0.32, 5.03], 1) == "-0.3 to 5.0"
    assert count(4000.0) == "4,000"


def test_p_is_the_corrected_one_but_for_controls() -> None:
    difference = {"p": 0.0004, "p_holm": 0.0028}
    assert p_value(difference, "remedy") == "0.003" and p_value(difference, "control") == "< 0.001"
    assert p_value({"p": None, "p_holm": None}, "remedy") == ""


@pytest.mark.parametrize(("seconds", "text"), [(8.12, "8.1 s"), (90, "1.5 min"), (5400, "1.5 h")])
def test_durations_have_a_unit_that_suits_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_json_in_words() -> None:
    assert plain({"a": [1, "x"], "b": True, "c": None}) == "a: 1, x, b: True, c: "
