"""The verdict: its bands, when it is certain, and what the answer says."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from compared import arm_row
from virshort.verdict.schema import ArmRow
from virshort.verdict.verdict import answer, band, give_verdict


def both(points: float, interval: tuple[float, float] | None, before: float = 0.5, **options: Any) -> list[ArmRow]:
    """Rows of `baseline` and `finetune` that differ by `points`."""
    after = before + points / 100
    return [arm_row("baseline", before, **options), arm_row("finetune", after, points, interval, **options)]


def told(rows: list[ArmRow], best: str | None = None) -> str:
    return answer(give_verdict(rows, best, "150 bp"), rows, best, 0.70)


points = some.floats(-100, 100)


@given(points, points, points)
def test_certain_only_if_the_whole_interval_lies_in_the_band(a: float, b: float, c: float) -> None:
    low, middle, high = sorted((a, b, c))
    v = give_verdict(both(middle, (low, high)), None, "150 bp")
    assert v["verdict"] == ("strong" if middle > 15 else "moderate" if middle >= 5 else "rejected")
    inside = {band(x) for x in (low, high, *(x for x in np.linspace(low, high, 50)))}
    assert v["certain"] == (inside == {v["verdict"]})
    assert v["certain"] or "undecided between" in v["headline"]
    assert inside <= set(v["bands"])


@pytest.mark.parametrize(("value", "name"), [(15.0001, "strong"), (15, "moderate"), (5, "moderate"), (4.9999, "rejected")])
def test_bands_end_where_agreed(value: float, name: str) -> None:
    assert band(value) == name


def test_all_three_bands_are_named() -> None:
    v = give_verdict(both(10, (1, 20)), None, "150 bp")
    assert v["headline"] == "Moderate by the estimate, but undecided between rejected, moderate and strong"


@pytest.mark.parametrize(
    ("points", "interval", "before", "sentence"),
    [
        (20, (17, 23), 0.60, "Training on short windows fixes the classifier."),
        (20, (17, 23), 0.40, "helps a great deal, but accuracy stays below the 70 % asked for."),
        (20, (14, 26), 0.60, "The estimate suggests that training on short windows fixes the classifier, but"),
        (20, (14, 26), 0.40, "helps a great deal but leaves accuracy below the 70 % asked for; this is not certain."),
        (10, (6, 14), 0.5, "Training on short windows helps, but it does not solve the whole problem."),
        (10, (4, 14), 0.5, "The estimate suggests that training on short windows helps, but this is not certain."),
        (1, (-1, 3), 0.5, "Training on short windows does not fix the classifier."),
        (1, (-1, 6), 0.5, "The estimate suggests that training on short windows does not fix the classifier, but"),
        (-9, (-12, -6), 0.7, "Training on short windows makes the classifier worse."),
        (20, None, 0.60, "cannot be decided, because no interval can be given."),
    ],
)
def test_each_outcome_has_its_sentence(
    points: float, interval: tuple[float, float] | None, before: float, sentence: str
) -> None:
    text = told(both(points, interval, before))
    assert sentence in text
    change = "falls from" if points < 0 else "rises from"
    assert f"accuracy {change} {before:.1%} ('baseline') to {before + points / 100:.1%} ('finetune')".replace("%", " %") in text


def test_accuracies_that_are_written_alike_do_not_rise() -> None:
    text = told(both(0.01, (-1, 1.02), 0.641))
    assert "accuracy is 64.1 % with 'baseline' and with 'finetune': +0.0 points (95 % interval -1.0 to 1.0)." in text


def test_without_an_interval_nothing_is_certain() -> None:
    rows = both(30, None, effective=5.0)
    v = give_verdict(rows, None, "150 bp")
    assert (v["verdict"], v["certain"]) == ("strong", False)
    assert v["headline"] == "Undecided: no interval can be given"
    assert "5.0 effective clusters" in v["reason"]
    assert "fixes" not in told(rows)


@pytest.mark.parametrize("viral", [0.05, 0.39, 0.61, 0.95, 1.0])
def test_a_frequent_label_leaves_no_verdict(viral: float) -> None:
    rows = both(20, (17, 23), viral=viral)
    v = give_verdict(rows, None, "150 bp")
    assert v["balanced"] is False and not v["certain"]
    assert v["headline"].startswith("Undecided: with ")
    assert (
        "AUROC, which does not depend on the shares of the labels, changes by +0.050 (95 % interval 0.010 to 0.090)"
        in (v["reason"])
    )
    assert "fixes" not in told(rows) and "cannot show" in told(rows)


@pytest.mark.parametrize("viral", [0.4, 0.48, 0.6])
def test_nearly_equal_shares_of_the_labels_are_balanced(viral: float) -> None:
    assert give_verdict(both(20, (17, 23), viral=viral), None, "150 bp")["certain"]


@pytest.mark.parametrize(
    ("points", "interval", "words"),
    [
        (9, (6, 12), "it is more accurate than the baseline: +9.0 points (95 % interval 6.0 to 12.0)"),
        (-9, (-12, -6), "it is less accurate than the baseline: -9.0 points (95 % interval -12.0 to -6.0)"),
        (2, (-1, 5), "it does not differ from the baseline beyond chance: +2.0 points (95 % interval -1.0 to 5.0)"),
        (9, None, "it differs from the baseline by +9.0 points (no interval can be given)"),
    ],
)
def test_the_best_arm_is_called_better_only_with_evidence(
    points: float, interval: tuple[float, float] | None, words: str
) -> None:
    rows = [*both(10, (6, 14)), arm_row("both", 0.6, points, interval)]
    assert told(rows, "both").endswith(f" The best arm in validation is 'both', with 60.0 % on the test windows; {words}.")


def test_without_finetune_no_verdict_is_claimed() -> None:
    v = give_verdict([arm_row("baseline")], "baseline", "150 bp")
    assert v["verdict"] is None and "no result of 'finetune'" in v["reason"]
