"""The arms of the learning curve: which are trained on what, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trained_arm import arm
from virshort.arm_record import Arm
from virshort.arms import trained_alike
from virshort.curve_arms import CURVE, arms_of_curve, steps
from virshort.errors import InputError

ARMS: list[Arm] = [
    arm(name="baseline", role="baseline", windows="full"),
    arm(name="combined", start="parts", combine=["homology", "tuned"], begins_with=["homology", "tuned"]),
    arm(name="tuned", start="baseline", begins_with=["baseline"]),
    arm(name="homology", start="fitted", modalities=["homology"]),
    arm(name="gc", role="control", modalities=["gc"]),
]


@given(st.integers(1, 100))
def test_steps_are_about_a_quarter_half_and_three_quarters(folds: int) -> None:
    found = steps(folds)
    assert found == sorted(set(found)) and all(0 < kept < folds for kept in found)
    assert len(found) == min(3, max(0, folds - 1))
    assert all(
        min(abs(kept / folds - share) for share in (0.25, 0.5, 0.75)) <= 0.5 / folds + 1e-9 or kept == 1 for kept in found
    )


def test_an_arm_is_trained_again_with_all_that_it_begins_with() -> None:
    found = {a["name"]: a for a in arms_of_curve(ARMS, "combined", folds=5)}
    parts = [f"{name}_{n}" for n in ("1_fold", "2_folds") for name in ("combined", "baseline", "tuned", "homology")]
    assert list(found) == parts
    assert found["combined_1_fold"]["combine"] == found["combined_1_fold"]["begins_with"] == ["homology_1_fold", "tuned_1_fold"]
    assert found["tuned_2_folds"]["begins_with"] == ["baseline_2_folds"] and found["tuned_2_folds"]["combine"] == []
    for a in found.values():
        (original,) = (b for b in ARMS if b["name"] == a["curve_of"])
        assert a["role"] == CURVE and str(a["training_folds"]) in a["name"] and not trained_alike(a, original)
        assert trained_alike(a | {key: original[key] for key in ("training_folds", "begins_with", "combine")}, original)
    assert all(a["training_folds"] is None and "curve_of" not in a for a in ARMS), "the arms themselves stay as they are"


def test_a_pretrained_baseline_stays_as_it_is() -> None:
    arms = [a | {"start": "pretrained", "windows": None} if a["name"] == "baseline" else a for a in ARMS]
    found = arms_of_curve(arms, "tuned", folds=4)
    assert [(a["name"], a["begins_with"]) for a in found] == [("tuned_1_fold", ["baseline"])]
    with pytest.raises(InputError, match="--learning_curve baseline: is not trained, because it is given with --pretrained"):
        arms_of_curve(arms, "baseline", folds=4)


@pytest.mark.parametrize(
    ("name", "folds", "message"),
    [
        ("codn", 5, "--learning_curve codn: is not an arm of this run"),
        ("gc", 3, "--learning_curve gc: each split trains on one fold only.*--folds 4 or more, and no column split"),
        ("gc", 4, "--learning_curve gc: arm gc_1_fold has a name that the curve needs: rename it"),
    ],
)
def test_what_is_refused(name: str, folds: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        arms_of_curve([*ARMS, arm(name="gc_1_fold")], name, folds)
