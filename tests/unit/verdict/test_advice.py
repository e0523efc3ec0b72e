"""Which arm to use and what to do next: nothing without evidence."""

from collections.abc import Sequence

import pytest

from compared import arm_row, between
from virshort.verdict.advice import cost_of, recommend, scenario_of
from virshort.verdict.criteria import Criteria
from virshort.verdict.schema import ArmRow, Contrast, Scenario
from virshort.verdict.verdict import give_verdict

Ends = tuple[float, float] | None


def scenario(
    points: float, interval: Ends, others: Sequence[ArmRow] = (), contrasts: Sequence[Contrast] = (), viral: float = 0.5
) -> Scenario:
    rows = [
        arm_row("baseline", 0.5, viral=viral),
        arm_row("finetune", 0.5 + points / 100, points, interval, viral=viral),
        *others,
    ]
    found = scenario_of(give_verdict(rows, "finetune", "150 bp"), rows, "finetune", [], contrasts, Criteria())
    assert found is not None and found["next_steps"]
    return found


def full(points: float, interval: Ends) -> ArmRow:
    return arm_row("finetune", 0.8, points, interval, test_set="full")


@pytest.mark.parametrize(
    ("gain", "interval", "beginning"),
    [
        (20.0, (17.0, 23.0), "Use 'finetune' for short reads: compared with the baseline it gains 20.0 points (95 % interval"),
        (20.0, None, "Nothing is recommended: 'finetune' is the best arm in validation, but without an interval"),
        (4.0, (-1.0, 9.0), "Nothing is recommended: 'finetune' is the best arm in validation, but on the test windows"),
        (-4.0, (-9.0, -1.0), "Keep the baseline: 'finetune' is the best arm in validation, but it is worse than the baseline"),
    ],
)
def test_an_arm_is_recommended_only_for_a_gain_beyond_chance(gain: float, interval: Ends, beginning: str) -> None:
    text = recommend([arm_row("baseline"), arm_row("finetune", 0.7, gain, interval)], "finetune")
    assert text.startswith(beginning)


@pytest.mark.parametrize(
    ("cost", "interval", "words"),
    [
        (-1.0, (-1.8, -0.2), "One model can serve all lengths."),
        (
            1.0,
            (-1.0, 3.0),
            "does not differ from the baseline beyond chance: +1.0 points (95 % interval -1.0 to 3.0). One model",
        ),
        (
            -9.0,
            (-12.0, -6.0),
            "Keep the baseline for sequences of 500 bp and more; where both lengths count equally, the gain out",
        ),
        (-29.0, (-32.0, -26.0), "the loss outweighs the gain."),
        (-3.0, (-7.0, 1.0), "A loss of up to 7.0 points is not excluded. Keep the baseline"),
        (-9.0, None, "Without an interval, what it costs there is not known."),
    ],
)
def test_what_it_costs_on_long_sequences_is_weighed(cost: float, interval: Ends, words: str) -> None:
    rows = [arm_row("baseline"), arm_row("finetune", 0.7, 20.0, (17.0, 23.0)), full(cost, interval)]
    assert words in recommend(rows, "finetune")


def test_an_arm_whose_name_is_a_word_is_recommended_by_its_quoted_name() -> None:
    rows = [arm_row("baseline"), arm_row("both", 0.7, 20.0, (17.0, 23.0)), arm_row("both", 0.8, -1.0, (-1.8, -0.2), "full")]
    assert recommend(rows, "both") == (
        "Use 'both' for short reads: compared with the baseline it gains 20.0 points (95 % interval 17.0 to 23.0). On "
        "full-length windows, 'both' is less accurate than the baseline: -1.0 points (95 % interval -1.8 to -0.2). One model "
        "can serve all lengths."
    )


def test_no_recommendation_from_accuracy_where_one_label_is_frequent() -> None:
    rows = [arm_row("baseline", viral=0.05), arm_row("finetune", 0.95, 20.0, (17.0, 23.0), viral=0.05)]
    assert recommend(rows, "finetune").startswith("Nothing is recommended: 95.0 % of the short test windows are nonviral")


def test_no_recommendation_without_validation_or_baseline() -> None:
    assert recommend([], None).startswith("Nothing is recommended, because no arm has validation results")
    assert recommend([arm_row("scratch")], "scratch").startswith("Nothing is recommended")
    assert recommend([], "baseline").startswith("Keep the baseline")


@pytest.mark.parametrize(
    ("points", "interval", "words"),
    [
        (-4.0, (-8.0, -1.0), "is less accurate than the baseline"),
        (4.0, (1.0, 8.0), "is more accurate than the baseline"),
        (1.0, (-1.0, 3.0), "does not differ from the baseline beyond chance"),
        (4.0, None, "differs from the baseline by +4.0 points (no interval can be given)"),
    ],
)
def test_the_cost_is_called_a_loss_only_beyond_chance(points: float, interval: Ends, words: str) -> None:
    cost = cost_of([full(points, interval)], "finetune")
    assert cost is not None and words in cost["sentence"]


@pytest.mark.parametrize(
    ("points", "interval", "name", "title"),
    [
        (25.0, (20.0, 30.0), "confirmed", "Confirmed: "),
        (25.0, (10.0, 40.0), "confirmed", "The estimate points to the training distribution as the main cause, but"),
        (10.0, (6.0, 14.0), "partial", "Partly confirmed: "),
        (1.0, (-1.0, 3.0), "rejected", "Rejected: "),
        (25.0, None, "undecided", "Undecided: no interval can be given"),
    ],
)
def test_the_scenario_follows_the_verdict(points: float, interval: Ends, name: str, title: str) -> None:
    found = scenario(points, interval)
    assert found["name"] == name and found["title"].startswith(title)
    certain = title.startswith(("Confirmed", "Partly", "Rejected"))
    assert found["certain"] == certain
    assert any("Add" in s or "adding" in s for s in found["next_steps"][:1]) != certain


def test_without_an_interval_no_arm_is_advised() -> None:
    assert not any("finetune" in step for step in scenario(25.0, None)["next_steps"])


def test_a_frequent_label_leaves_the_scenario_undecided() -> None:
    found = scenario(25.0, (20.0, 30.0), viral=0.95)
    assert found["name"] == "undecided" and "--viral_share 0.5" in found["next_steps"][0]


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((-4.0, -1.0), "features do harm on short windows"),
        ((-1.0, 1.0), "features add nothing beyond chance on short windows"),
        ((1.0, 4.0), None),
        (None, None),
    ],
)
@pytest.mark.parametrize(("other", "added"), [("dna_only", "Protein"), ("protein_only", "DNA")])
def test_a_modality_that_does_not_help_is_said(other: str, added: str, interval: Ends, words: str | None) -> None:
    points = sum(interval) / 2 if interval else 3.0
    steps = scenario(10.0, (6.0, 14.0), contrasts=[between("both", other, points, interval)])["next_steps"]
    assert any(f"{added} {words}" in s and f"'both' minus '{other}'" in s for s in steps) == (words is not None)


def test_arms_that_differ_in_more_than_a_modality_say_nothing_about_it() -> None:
    steps = scenario(10.0, (6.0, 14.0), contrasts=[between("finetune", "dna_only", -5.0, (-6.0, -4.0))])["next_steps"]
    assert not any("features" in s for s in steps)


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((-4.0, -1.0), "is less accurate than k-mer frequencies"),
        ((-1.0, 1.0), "does not differ from k-mer frequencies beyond chance"),
    ],
)
def test_an_encoder_that_does_not_pay_is_said(interval: tuple[float, float], words: str) -> None:
    steps = scenario(10.0, (6.0, 14.0), contrasts=[between("finetune", "kmer", sum(interval) / 2, interval)])["next_steps"]
    assert any(words in s for s in steps)


def test_a_length_that_is_enough_is_named() -> None:
    sweep = [arm_row("finetune", a, 1.0, (0.5, 1.5), test_set=f"length_{n}") for n, a in ((300, 0.72), (200, 0.6))]
    steps = scenario(10.0, (6.0, 14.0), others=sweep)["next_steps"]
    assert any(s.startswith("'finetune' reaches 70 % at 300 bp (72.0 % (95 % interval") for s in steps)


def test_two_models_are_advised_only_for_a_loss_beyond_chance() -> None:
    for interval, advised in (((-12.0, -6.0), True), ((-12.0, 1.0), False), (None, False)):
        steps = scenario(25.0, (20.0, 30.0), others=[full(-9.0, interval)])["next_steps"]
        assert any("Use two models: 'finetune' for short reads" in s for s in steps) == advised
