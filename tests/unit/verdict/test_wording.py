"""Numbers, names and lists as they stand in a sentence."""

import pytest

from virshort.verdict import wording


def test_lists() -> None:
    assert [wording.listed(w) for w in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_names_are_quoted_because_they_may_be_words() -> None:
    assert wording.quoted("both") == "'both'"
    assert wording.names_in_words(["baseline", "both", "dna_only"]) == "'baseline', 'both' and 'dna_only'"


@pytest.mark.parametrize(("count", "text"), [(0, "0 points"), (1, "1 point"), (2, "2 points"), (1000, "1,000 points")])
def test_counts(count: int, text: str) -> None:
    assert wording.counted(count, "point") == text


def test_values_with_and_without_an_interval() -> None:
    assert wording.points_in_words({"points": -5.04, "ci95": [-7.26, 1]}) == "-5.0 points (95 % interval -7.3 to 1.0)"
    assert wording.points_in_words({"points": -0.01, "ci95": None}) == "+0.0 points (no interval can be given)"
    assert wording.points_in_words({"points": 5, "ci95": None}) == "+5.0 points (no interval can be given)"
    assert wording.percent_in_words({"mean": 0.7, "sd": None, "ci95": [0.6, 0.8]}) == "70.0 % (95 % interval 60.0 to 80.0)"
    assert wording.percent(None) == wording.number(None) == "unknown"
