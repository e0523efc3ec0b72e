"""Controls, the leakage audit, overfitting and warnings."""

from typing import Any

import pytest

from compared import arm_row, between
from virshort.verdict.comparison import empty_row
from virshort.verdict.schema import Controls, LeakageSummary
from virshort.verdict.training import training_summary
from virshort.verdict.trust import find_overfitting, summarize_controls, summarize_leakage, warn

NO_CONTROLS: Controls = {"gc": None, "shuffled_labels": None, "untranslated": None}
NO_AUDIT: LeakageSummary = summarize_leakage(None, [])


def trained(arm: str, accuracy: float, windows: str = "short", role: str = "remedy", start: str = "random") -> Any:
    history = [{"epoch": 1, "train": {"accuracy": accuracy}}]
    return training_summary({"name": arm, "role": role, "windows": windows, "start": start}, [({"best_epoch": 1}, history)])


def test_an_overfitted_arm_is_named_with_remedies() -> None:
    rows = [arm_row("finetune", 0.52, rates=(0.53, 0.49)), arm_row("gc", 0.5, rates=(0.5, 0.5))]
    (found,) = find_overfitting(rows, [trained("finetune", 0.95), trained("gc", 0.95, role="control")])
    assert found["sentence"] == (
        "'finetune' overfits: 95.0 % accuracy in training, but 52.0 % balanced accuracy on the test set 'short', where "
        "guessing gives 50 %. Try fewer epochs, dropout 0.2 and more data from other clusters."
    )


def test_an_arm_is_judged_on_windows_of_the_kind_it_was_trained_on() -> None:
    rows = [arm_row("baseline", 0.5, rates=(0.5, 0.5)), arm_row("baseline", 0.9, rates=(0.9, 0.1), test_set="full")]
    assert find_overfitting(rows, [trained("baseline", 0.99, "full", "baseline")]) == []


@pytest.mark.parametrize(
    ("viral", "accuracy", "rates", "training", "overfits"),
    [
        (0.05, 0.95, (0.0, 0.0), 0.95, False),  # always nonviral, in training as on the test
        (0.05, 0.95, (0.1, 0.01), 0.999, True),  # a test accuracy of 95 % hides that no virus is found
        (0.05, 0.95, (0.8, 0.04), 0.999, False),
        (0.5, 0.55, (0.6, 0.5), 0.95, True),
        (0.5, 0.55, (0.6, 0.5), 0.85, False),
    ],
)
def test_a_frequent_label_is_neither_skill_nor_overfitting(
    viral: float, accuracy: float, rates: tuple[float, float], training: float, overfits: bool
) -> None:
    rows = [arm_row("finetune", accuracy, viral=viral, rates=rates)]
    assert bool(find_overfitting(rows, [trained("finetune", training)])) == overfits


def test_without_an_interval_nothing_overfits() -> None:
    rows = [arm_row("finetune", 0.5, rates=(0.5, 0.5), with_interval=False)]
    assert find_overfitting(rows, [trained("finetune", 0.99)]) == []


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        (5.0, "'scratch' is more accurate than GC content alone: +5.0 points (95 % interval 4.0 to 6.0)."),
        (-5.0, "'scratch' is less accurate than GC content alone: -5.0 points (95 % interval -6.0 to -4.0)."),
        (0.0, "'scratch' does not differ from GC content alone beyond chance: +0.0 points (95 % interval -1.0 to 1.0)."),
    ],
)
def test_gc_content_alone_is_compared_with_the_best_arm(points: float, sentence: str) -> None:
    contrasts = [between("scratch", "gc", points, (points - 1, points + 1))]
    found = summarize_controls([arm_row("gc"), arm_row("scratch")], "scratch", None, contrasts)["gc"]
    assert found is not None and found["sentence"].endswith(sentence)


@pytest.mark.parametrize(
    ("interval", "holds", "words"),
    [((0.4, 0.6), True, "no sign of a leak"), ((0.6, 0.8), False, "LEAK?"), (None, None, "it is not known whether")],
)
def test_the_shuffled_control_holds_leaks_or_cannot_tell(
    interval: tuple[float, float] | None, holds: bool | None, words: str
) -> None:
    shuffled: Any = {"auroc": 0.5, "ci95": list(interval) if interval else None}
    controls = summarize_controls([], None, shuffled, [])
    found = controls["shuffled_labels"]
    assert found is not None and found["holds_chance"] is holds and words in found["sentence"]
    assert (found["sentence"] in warn([], NO_AUDIT, controls)) == (holds is False)


def test_untranslated_arms_are_told_with_what_they_are_compared_with() -> None:
    pairs = [("protein_bases", "protein_only", "short")]
    contrasts = [between("protein_bases", "protein_only", -6.5, (-9, -4)), between("both", "dna_only", 1, None)]
    found = summarize_controls([], None, None, contrasts, pairs)["untranslated"]
    assert found is not None
    assert found["sentence"].endswith(
        "'protein_bases' differs from 'protein_only' by -6.5 points (95 % interval -9.0 to -4.0) on the test set 'short'."
    )


def test_an_audit_above_its_limit_warns_first() -> None:
    pair = {"train_set": "full", "test_set": "short", "shared_windows": 20, "share": 0.02}
    training = [
        trained("baseline", 0.9, "full", "baseline"),
        trained("finetune", 0.9, start="baseline"),
        trained("joined", 0.9, windows="mixed") | {"combine": ["finetune", "scratch"]},
        trained("scratch", 0.9, "scratch"),
    ]
    audit = summarize_leakage({"k": 31, "limit": 0.001, "ok": False, "summary": [pair]}, training)
    assert audit["sentence"].startswith("LEAKAGE ABOVE THE LIMIT. Up to 2.00 % of the windows of a test set ('short')")
    assert {a["arm"]: a["share"] for a in audit["by_arm"]} == {
        "baseline": 0.02,
        "finetune": 0.02,
        "scratch": None,
        "joined": 0.02,
    }
    assert warn([arm_row("baseline", effective=5)], audit, NO_CONTROLS)[0] == audit["sentence"]


def test_an_audit_without_shared_kmers_is_one_sentence() -> None:
    pair = {"train_set": "short", "test_set": "short", "shared_windows": 0, "share": 0.0}
    audit = summarize_leakage({"k": 31, "limit": 0.001, "ok": True, "summary": [pair]}, [])
    assert audit["sentence"] == "No test window shares an exact 31-mer with a training window of its split."


def test_clusters_of_both_labels_are_said() -> None:
    """As where the same genomes were given as viral and as nonviral."""
    row = arm_row("baseline")
    for count, warned in ((0, False), (10, False), (60, True), (200, True)):
        row["clusters_with_both_labels"] = count
        warnings = warn([row], NO_AUDIT, NO_CONTROLS)
        assert any(f"In the test set 'short', {count} of 200 clusters hold both" in w for w in warnings) == warned


def test_a_frequent_label_is_said_once() -> None:
    rows = [arm_row(a, viral=0.05, test_set=s) for s in ("short", "full") for a in ("baseline", "finetune")]
    (warning,) = warn(rows, NO_AUDIT, NO_CONTROLS)
    assert warning.startswith("In the test set 'short', 95.0 % of the windows are nonviral") and "--viral_share 0.5" in warning


@pytest.mark.parametrize(
    ("effective", "words"), [(5.0, "no intervals are given"), (20.0, "the intervals are wide and rough"), (31.0, "")]
)
def test_few_effective_clusters_warn(effective: float, words: str) -> None:
    warnings = warn([arm_row("baseline", effective=effective)], NO_AUDIT, NO_CONTROLS)
    assert [words in w for w in warnings] == ([True] if words else [])


def test_warnings_name_arms_and_test_sets_in_quotes() -> None:
    rows = [arm_row(arm, effective=5, test_set=s) for s in ("short", "full", "length_100") for arm in ("baseline", "both")]
    for row in rows:
        row["replicates"], row["notes"] = 1, ["It calls every window viral, so its accuracy is the share of that label."]
    assert warn([*rows, empty_row("both", "length_500", "remedy")], NO_AUDIT, NO_CONTROLS) == [
        "'both' has no windows in the test set 'length_500'.",
        "The test sets 'short', 'full' and 'length_100' have only 5.0 effective clusters of a label, so no intervals are given "
        "and nothing is concluded.",
        "A single replicate of 'baseline' and 'both' was run, so the intervals do not include the noise of training.",
        "'baseline' and 'both' gave every window of a test set the same label.",
    ]
