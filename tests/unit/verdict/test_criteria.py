"""The success criteria: what the user asks for, and whether it is met."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from compared import arm_row
from virshort.errors import InputError
from virshort.verdict.criteria import Criteria, judge


def test_criteria_by_hand() -> None:
    row = arm_row("finetune")
    for name, value in {"accuracy": 0.7, "precision": 0.69, "recall": 0.95, "f1": 0.75}.items():
        row["metrics"][name]["mean"] = value
    found = judge(row, None, Criteria())
    assert {k["name"]: k["met"] for k in found} == {
        "Training accuracy": None,
        "Test accuracy": True,
        "Precision": False,
        "Recall": True,
        "F1": True,
    }
    assert [k["target"] for k in found] == [f"{n} % or more" for n in (80, 70, 70, 80, 75)]
    assert all(k["note"] == "" for k in found)


def test_the_user_sets_them() -> None:
    found = {k["name"]: k for k in judge(arm_row("finetune", 0.7), 0.9, Criteria(training_accuracy=0.95, accuracy=0.625))}
    assert found["Training accuracy"]["met"] is False
    assert (found["Test accuracy"]["target"], found["Test accuracy"]["minimum"]) == ("62.5 % or more", 0.625)


@given(some.floats())
def test_a_value_outside_0_to_1_is_refused(value: float) -> None:
    if 0 <= value <= 1:
        assert Criteria(recall=value).recall == value
    else:
        with pytest.raises(InputError, match=f"min_recall is {'nan' if math.isnan(value) else ''}.*between 0 and 1"):
            Criteria(recall=value)


def test_a_frequent_label_and_a_missing_interval_are_noted() -> None:
    found = judge(arm_row("finetune", 0.96, viral=0.05, with_interval=False), 0.97, Criteria())
    notes = {k["name"]: k["note"] for k in found}
    assert notes["Training accuracy"] == "always answering nonviral gives 95.0 % on the test windows"
    assert notes["Test accuracy"].startswith("no interval can be given; always answering nonviral")
    assert notes["Recall"] == "no interval can be given"


def test_an_arm_without_short_windows_meets_nothing_that_is_measured() -> None:
    assert [k["met"] for k in judge(None, 0.9, Criteria())] == [True, None, None, None, None]
