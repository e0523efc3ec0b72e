"""The success criteria of a run: least values that its user asks for."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from virshort.errors import InputError
from virshort.inference.intervals import MetricEstimate
from virshort.verdict.rows import frequent_label, is_balanced
from virshort.verdict.schema import ArmRow, Criterion
from virshort.verdict.wording import percent

NAMES = {
    "training_accuracy": "Training accuracy",
    "accuracy": "Test accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
}


@dataclass(frozen=True)
class Criteria:
    """The least value of each metric that counts as success, between 0 and 1."""

    training_accuracy: float = 0.80
    accuracy: float = 0.70
    precision: float = 0.70
    recall: float = 0.80
    f1: float = 0.75

    def __post_init__(self) -> None:
        """Raises InputError for a value outside 0 to 1."""
        for f in fields(self):
            value = getattr(self, f.name)
            if not 0 <= value <= 1:
                raise InputError(f"min_{f.name} is {value:g}: give a share between 0 and 1, such as {f.default}")


def judge(row: ArmRow | None, training_accuracy: float | None, criteria: Criteria) -> list[Criterion]:
    """Each criterion with the value that an arm reaches. `row`: the arm on short windows."""
    return list(_judged(row, training_accuracy, criteria))


def _judged(row: ArmRow | None, training_accuracy: float | None, criteria: Criteria) -> Iterator[Criterion]:
    for key, name in NAMES.items():
        minimum = getattr(criteria, key)
        measured: MetricEstimate = {"mean": training_accuracy, "sd": None, "ci95": None}
        notes = []
        if key != "training_accuracy":
            measured = row["metrics"][key] if row else {"mean": None, "sd": None, "ci95": None}
            if measured["mean"] is not None and measured["ci95"] is None:
                notes.append("no interval can be given")
        if row and key in ("training_accuracy", "accuracy") and not is_balanced(row):
            label, share = frequent_label(row)
            notes.append(f"always answering {label} gives {percent(share)} on the test windows")
        yield {
            "name": name,
            "target": f"{percent(minimum, 0 if round(1000 * minimum) % 10 == 0 else 1)} or more",
            "minimum": minimum,
            "value": measured["mean"],
            "ci95": measured["ci95"],
            "met": None if measured["mean"] is None else measured["mean"] >= minimum,
            "note": "; ".join(notes),
        }
