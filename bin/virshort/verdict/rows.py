"""Which row of the comparison to look at, and what its numbers can show."""

from collections.abc import Mapping, Sequence

from virshort.verdict.schema import ArmRow, Contrast, Difference, Gain
from virshort.verdict.wording import points_in_words

BALANCED = 0.60  # up to this share of the more frequent label, points of accuracy say how well both labels are told apart


def row_of(rows: Sequence[ArmRow], arm: str | None, test_set: str) -> ArmRow | None:
    """The row of an arm on a test set, if the arm was run and the test set has windows."""
    return next((r for r in rows if r["arm"] == arm and r["test_set"] == test_set and r["windows"]), None)


def contrast_of(contrasts: Sequence[Contrast], arm: str | None, against: str, test_set: str) -> Contrast | None:
    """The difference between two arms on a test set, if both were run."""
    wanted = (arm, against, test_set)
    return next((c for c in contrasts if (c["arm"], c["against"], c["test_set"]) == wanted), None)


def frequent_label(row: ArmRow) -> tuple[str, float]:
    """The more frequent label of a test set and its share: the accuracy of always answering that label."""
    shares = {label: share or 0.0 for label, share in row["shares"].items()}
    label = max(shares, key=lambda name: shares[name])
    return label, shares[label]


def is_balanced(row: ArmRow) -> bool:
    """Whether accuracy says something about both labels of the row's test set."""
    return frequent_label(row)[1] <= BALANCED


def balanced_accuracy(row: ArmRow) -> float | None:
    """The mean of the shares of viral and of nonviral windows that are called correctly; 0.5 is chance."""
    recall, fpr = row["metrics"]["recall"]["mean"], row["false_positive_rate"]
    return None if recall is None or fpr is None else (recall + 1 - fpr) / 2


def gains(difference: Difference | Contrast | Gain | None) -> bool:
    """Whether a difference is a gain beyond chance; without an interval, nothing is."""
    return bool(difference and difference["ci95"] and difference["ci95"][0] > 0)


def loses(difference: Difference | Contrast | Gain | None) -> bool:
    """Whether a difference is a loss beyond chance; without an interval, nothing is."""
    return bool(difference and difference["ci95"] and difference["ci95"][1] < 0)


def compared_in_words(difference: Difference | Contrast, other: str) -> str:
    """How an arm compares with another in accuracy, as a verb phrase that claims nothing beyond its interval."""
    points = points_in_words(difference)
    if difference["ci95"] is None:
        return f"differs from {other} by {points}"
    if gains(difference):
        return f"is more accurate than {other}: {points}"
    if loses(difference):
        return f"is less accurate than {other}: {points}"
    return f"does not differ from {other} beyond chance: {points}"


def lengths(rows: Sequence[ArmRow], arm: str | None) -> Mapping[int, ArmRow]:
    """The rows of an arm along the length sweep, by length in bp, from the shortest to the longest."""
    found = {int(r["test_set"][7:]): r for r in rows if r["arm"] == arm and is_length(r["test_set"]) and r["windows"]}
    return dict(sorted(found.items()))


def is_length(test_set: str) -> bool:
    """Whether a test set belongs to the length sweep (length_<bp>)."""
    return test_set.startswith("length_") and test_set[7:].isdigit()
