"""Sentences that more than one of the report's outputs has."""

from virshort.report.lookup import Json

SIMULATED = (
    "The genomes of this run are simulated: its figures show how the pipeline works, and say nothing about real viruses."
)
CONTROLS = ("gc", "shuffled_labels", "untranslated")
"""The controls of comparison.json, in the order in which they are reported."""
NO_OVERFITTING = "No arm overfits: none is accurate on its training windows and near chance on test windows."


def overfitting_text(c: Json) -> str:
    """Which arms overfit and what to do about it, or that none does."""
    return " ".join(o["sentence"] for o in c["overfitting"]) or NO_OVERFITTING


def further_warnings(c: Json) -> list[str]:
    """The warnings but for the leakage audit's, which is always reported on its own."""
    return [w for w in c["warnings"] if w != c["leakage"]["sentence"]]
