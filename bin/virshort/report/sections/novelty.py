"""How new a virus may be: rates by the nearest relative in training, and by whether the family was in training."""

from collections.abc import Mapping
from typing import Any

from virshort.report.inputs import Inputs
from virshort.report.lookup import arms_of_interest
from virshort.report.panels import novelty_panels
from virshort.verdict.novelty import find
from virshort.verdict.schema import ArmNovelty, Comparison

TABLES = (
    ("match", "viral", "Best match in training", "Viral windows that are found, by their nearest viral relative"),
    ("match", "nonviral", "Best match in training", "False positives, by the nearest nonviral relative"),
    ("family", "viral", "Family", "Viral windows that are found, by family"),
    ("family", "nonviral", "Family", "False positives, by family"),
)
"""Grouping, label, name of the group, heading."""


def novelty(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    arms = [a for a in arms_of_interest(c) if any(r["arm"] == a for r in c["novelty"]["rows"])]
    tables = [
        {"name": name, "heading": heading, "rows": rows}
        for by, label, name, heading in TABLES
        if (rows := group_rows(c, arms, by, label))
    ]
    return {"sentence": c["novelty"]["sentence"], "arms": arms, "tables": tables, "panels": novelty_panels(c)}


def group_rows(c: Comparison, arms: list[str], by: str, label: str) -> list[dict[str, Any]]:
    """For each group its size, and the rows of the arms: {size, arms: [row]}."""
    groups = dict.fromkeys(r["group"] for r in c["novelty"]["rows"] if r["by"] == by and r["label"] == label)
    found: list[list[ArmNovelty]] = [[r for a in arms if (r := find(c["novelty"]["rows"], a, by, g, label))] for g in groups]
    return [{"size": rows[0], "arms": rows} for rows in found if rows]
