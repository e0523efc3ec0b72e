"""What else the numbers show: what an input adds at each length, and what votes of several windows add."""

from collections.abc import Mapping, Sequence
from typing import Any

from virshort.verdict.rows import gains, is_length, loses, row_of
from virshort.verdict.schema import ArmRow, Contrast
from virshort.verdict.wording import counted, listed, percent, points_in_words, quoted, with_interval

INPUTS = {("both", "dna_only"): "Protein features", ("length_aware", "multilength"): "Lengths as an input"}
"""What two arms show that have the same windows, start and settings, so that they differ in nothing but one input."""


def inputs_by_length(contrasts: Sequence[Contrast]) -> list[str]:
    """At which lengths an input helps: one sentence for each of INPUTS whose arms were compared along the length sweep."""
    return [sentence for arms, what in INPUTS.items() for sentence in _by_length(contrasts, arms, what)]


def _by_length(contrasts: Sequence[Contrast], arms: tuple[str, str], what: str) -> list[str]:
    """One sentence on the first of two arms minus the second, or none where they were not compared at any length."""
    compared = {int(c["test_set"][7:]): c for c in contrasts if (c["arm"], c["against"]) == arms and is_length(c["test_set"])}
    if not compared:
        return []
    helps = listed([str(n) for n in sorted(compared) if gains(compared[n])])
    harms = listed([str(n) for n in sorted(compared) if loses(compared[n])])
    if not any(c["ci95"] for c in compared.values()):
        found = "cannot be judged"
    elif helps and harms:
        found = f"raise accuracy beyond chance at {helps} bp and lower it at {harms} bp"
    elif helps:
        found = f"raise accuracy beyond chance at {helps} bp"
    elif harms:
        found = f"lower accuracy beyond chance at {harms} bp and raise it at no length"
    else:
        found = "change accuracy beyond chance at no length"
    values = "; ".join(f"{points_in_words(compared[n])} at {n} bp" for n in sorted(compared))
    return [f"{what} ({quoted(arms[0])} minus {quoted(arms[1])}) {found}: {values}."]


def votes_in_words(details: Mapping[str, Mapping[str, Any]], rows: Sequence[ArmRow], best: str | None) -> str | None:
    """How accurate votes of short windows are with the best arm, compared with the baseline on full-length windows.

    `details`: what EVALUATE found, by arm and test set. None where voting was not measured or has no interval.
    """
    voting = (details.get(best or "", {}).get("short") or {}).get("voting") or {}
    votes = voting.get("votes") or []
    if best is None or not votes or not all(v["ci95"] for v in votes):
        return None
    one, most = votes[0], votes[-1]
    text = (
        f"With {quoted(best)}, {with_interval(percent(one['accuracy']), one['ci95'], 100)} of single windows are called "
        f"correctly, and {with_interval(percent(most['accuracy']), most['ci95'], 100)} of votes of "
        f"{counted(most['windows'], 'window')} of one source."
    )
    full = row_of(rows, "baseline", "full")
    target = full["metrics"]["accuracy"]["mean"] if full else None
    if target is None:
        return text
    baseline = f"the {percent(target)} of the baseline on one full-length window"
    certain = next((v["windows"] for v in votes if v["ci95"][0] >= target), None)
    estimated = next((v["windows"] for v in votes if v["accuracy"] >= target), None)
    if certain:
        return f"{text} It takes {counted(certain, 'window')} to reach {baseline}."
    if estimated:
        return f"{text} By the estimate it takes {counted(estimated, 'window')} to reach {baseline}, but this is not certain."
    return f"{text} No number of votes tested here reaches {baseline}."
