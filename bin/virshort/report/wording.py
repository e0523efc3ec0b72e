"""Sentences that more than one of the report's outputs has."""

from virshort.report.inputs import Inputs
from virshort.verdict.schema import Comparison

NO_OVERFITTING = "No arm overfits: none is accurate on its training windows and near chance on test windows."


def overfitting_text(c: Comparison) -> str:
    """Which arms overfit and what to do about it, or that none does."""
    return " ".join(o["sentence"] for o in c["overfitting"]) or NO_OVERFITTING


def control_sentences(c: Comparison) -> list[str]:
    """What each control shows that was run."""
    controls = c["controls"]
    return [k["sentence"] for k in (controls["gc"], controls["shuffled_labels"], controls["untranslated"]) if k]


def further_warnings(data: Inputs) -> list[str]:
    """All warnings but that of the leakage audit, which is always reported on its own."""
    c = data.comparison
    return [w for w in c["warnings"] if w != c["leakage"]["sentence"]]
