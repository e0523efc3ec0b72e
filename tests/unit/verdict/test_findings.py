"""What an input adds by length, and what votes add."""

from typing import Any

import pytest

from compared import arm_row, between
from virshort.verdict.findings import inputs_by_length, votes_in_words


@pytest.mark.parametrize(
    ("intervals", "words"),
    [
        ([(1, 3), (2, 4)], "raise accuracy beyond chance at 100 and 1000 bp:"),
        ([(1, 3), (-4, -2)], "raise accuracy beyond chance at 100 bp and lower it at 1000 bp:"),
        ([(-1, 1), (-4, -2)], "lower accuracy beyond chance at 1000 bp and raise it at no length:"),
        ([(-1, 1), (-1, 1)], "change accuracy beyond chance at no length:"),
        ([None, None], "cannot be judged:"),
    ],
)
def test_protein_features_are_judged_at_each_length(intervals: list[Any], words: str) -> None:
    sets = zip(("length_100", "length_1000"), intervals, strict=True)
    contrasts = [between("both", "dna_only", 2.0, i, test_set=s) for s, i in sets]
    contrasts.append(between("both", "dna_only", 9.0, (8, 10)))
    (sentence,) = inputs_by_length(contrasts[::-1])
    assert sentence.startswith(f"Protein features ('both' minus 'dna_only') {words} +2.0 points (")
    assert "9.0" not in sentence


def test_the_length_as_an_input_is_judged_too() -> None:
    contrasts = [between("length_aware", "multilength", 1.0, (0.5, 1.5), test_set=f"length_{n}") for n in (150, 3000)]
    contrasts.append(between("both", "dna_only", 2.0, (1, 3), test_set="length_150"))
    protein, length = inputs_by_length(contrasts)
    assert protein.startswith("Protein features")
    assert length.startswith(
        "Lengths as an input ('length_aware' minus 'multilength') raise accuracy beyond chance at 150 and 3000 bp"
    )


def test_nothing_is_said_of_protein_features_that_were_not_compared() -> None:
    assert inputs_by_length([between("finetune", "dna_only", 2.0, (1, 3), test_set="length_100")]) == []


def told(*votes: tuple[int, float, list[float] | None], target: float = 0.9) -> str | None:
    voting = {"votes": [{"windows": n, "accuracy": a, "ci95": ci} for n, a, ci in votes]}
    return votes_in_words({"scratch": {"short": {"voting": voting}}}, [arm_row("baseline", target, test_set="full")], "scratch")


def test_votes_are_compared_with_one_long_window() -> None:
    one = (1, 0.8, [0.75, 0.85])
    ending = " of the baseline on one full-length window"
    assert str(told(one, (5, 0.95, [0.92, 0.98]))).endswith(f"It takes 5 windows to reach the 90.0 %{ending}.")
    assert str(told(one, (5, 0.92, [0.88, 0.96]))).endswith(
        f"By the estimate it takes 5 windows to reach the 90.0 %{ending}, but this is not certain."
    )
    assert str(told(one, (5, 0.85, [0.8, 0.9]))).endswith(f"No number of votes tested here reaches the 90.0 %{ending}.")
    assert "It takes 1 window to reach the 70.0 %" in str(told(one, (5, 0.85, [0.8, 0.9]), target=0.7))


def test_votes_are_those_of_the_best_arm_by_name() -> None:
    assert str(told((1, 0.8, [0.75, 0.85]), (5, 0.95, [0.92, 0.98]))).startswith(
        "With 'scratch', 80.0 % (95 % interval 75.0 to 85.0) of single windows are called correctly, and 95.0 % (95 % interval "
        "92.0 to 98.0) of votes of 5 windows of one source."
    )


def test_votes_without_an_interval_are_not_told() -> None:
    assert told((1, 0.8, None), (5, 0.9, None)) is None
    assert votes_in_words({}, [], "scratch") is None and votes_in_words({}, [], None) is None
