"""The first screen: did the remedy work, how sure is that, which arm to use, what to do next."""

from collections.abc import Mapping
from typing import Any

from virshort.report.inputs import Inputs
from virshort.report.lookup import precision_at
from virshort.report.needs import needs_text
from virshort.report.wording import further_warnings
from virshort.verdict.rows import row_of
from virshort.verdict.schema import Criterion
from virshort.verdict.wording import SIMULATED


def answer(data: Inputs) -> Mapping[str, Any]:
    c, verdict = data.comparison, data.comparison["verdict"]
    best = c["best_arm"]["arm"]
    return {
        "simulated": SIMULATED if data.simulated else None,
        "nucleotides": data.nucleotides_as_protein,
        "leak": c["leakage"]["sentence"] if c["leakage"]["ok"] is False else None,
        "kind": verdict["verdict"] if verdict["certain"] else "undecided",
        "verdict": verdict,
        "answer": c["answer"],
        "recommendation": c["recommendation"],
        "novelty": c["novelty"]["sentence"],
        "needs": needs_text(data),
        "best": best,
        "rare": precision_at(row_of(c["arms"], best, "short"), 0.01),
        "criteria": criteria_rows(c["criteria"]),
        "judged": list(c["criteria"]),
        "scenario": c["scenario"],
        "warnings": further_warnings(data),
    }


def criteria_rows(criteria: Mapping[str, list[Criterion]]) -> list[list[Criterion]]:
    """For each criterion, the entries of all judged arms: [criteria][arms]."""
    return [list(row) for row in zip(*criteria.values(), strict=True)]
