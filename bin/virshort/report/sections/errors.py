"""Where the arms fail: errors by kingdom, family, GC and peptide length, and the sources that are most often wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

from virshort.report.inputs import Inputs
from virshort.report.lookup import arms_of_interest, detail
from virshort.verdict.schema import Comparison

SHOWN = 25  # rows of a long table
GROUPINGS = (
    ("kingdom", "nonviral", "Kingdom", "False positives by kingdom"),
    ("kingdom", "viral", "Kingdom", "Missed viral windows by kingdom"),
    ("family", "viral", "Family", "Missed viral windows by family"),
    ("gc", "nonviral", "GC content", "False positives by GC content"),
    ("gc", "viral", "GC content", "Missed viral windows by GC content"),
    ("peptide", "nonviral", "Residues", "False positives by length of the longest stop-free stretch"),
    ("peptide", "viral", "Residues", "Missed viral windows by length of the longest stop-free stretch"),
)
"""Grouping, label, name of the group, heading."""


def errors(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    arms = [a for a in arms_of_interest(c) if detail(c, a, "short", "groups")]
    tables = []
    for grouping, label, name, heading in GROUPINGS if arms else ():
        rows = group_rows(c, arms, grouping, label)
        if rows and not (grouping == "family" and {r["group"] for r in rows} == {"unknown"}):
            more = len(rows) - SHOWN
            tables.append({"name": name, "heading": heading, "rows": rows[:SHOWN], "more": max(0, more)})
    best = c["best_arm"]["arm"]
    worst_of = best if best in arms else arms[-1] if arms else None
    return {
        "arms": arms,
        "tables": tables,
        "worst_of": worst_of,
        "worst": detail(c, worst_of, "short", "worst_sources") or [],
    }


def group_rows(c: Comparison, arms: Sequence[str], grouping: str, label: str) -> list[dict[str, Any]]:
    """For each group its size, and by arm the share of its windows that are wrong {wrong, ci95}.

    Kingdoms and families with most windows come first; bins of a number keep their order."""
    found = {a: {r["group"]: r for r in detail(c, a, "short", "groups").get(grouping, []) if r["label"] == label} for a in arms}
    order = list(found[arms[0]].values())
    if grouping in ("kingdom", "family"):
        order = sorted(order, key=lambda r: (-r["windows"], r["group"]))
    sizes = ("group", "windows", "clusters", "effective")
    return [{**{k: r[k] for k in sizes}, "wrong": [found[a][r["group"]] for a in arms]} for r in order]
