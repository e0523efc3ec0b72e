"""Every arm on short windows: the table of metrics, and the differences between arms."""

from collections.abc import Mapping
from typing import Any

from virshort.report.inputs import Inputs
from virshort.report.lookup import detail, precision_at
from virshort.report.panels import forest_panels
from virshort.verdict.rows import row_of
from virshort.verdict.verdict import MODERATE, STRONG
from virshort.verdict.wording import listed, percent, with_interval


def arms(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    rows = [r for r in c["arms"] if r["test_set"] == "short"]
    by_note: dict[str, list[str]] = {}
    for r in rows:
        for note in r["notes"]:
            by_note.setdefault(note, []).append(r["arm"])
    return {
        "rows": rows,
        "best": c["best_arm"]["arm"],
        "window_length": c["window_length"],
        "pretrained": c["pretrained"],
        "full": {r["arm"]: row_of(c["arms"], r["arm"], "full") for r in rows},
        "ensemble": {r["arm"]: detail(c, r["arm"], "short", "ensemble") for r in rows},
        "rare": {r["arm"]: precision_at(r, 0.01) for r in rows},
        "training": {t["arm"]: t for t in c["training"]},
        "took": data.costs.training if data.costs else {},
        "notes": [
            *((None if len(names) == len(rows) else names, note) for note, names in by_note.items()),
            *(([r["arm"]], found) for r in rows if (found := unmatched_in_words(data, r["arm"]))),
        ],
    }


def unmatched_in_words(data: Inputs, arm: str) -> str | None:
    """How many short windows have no match that the arm believes; None for other arms."""
    found = detail(data.comparison, arm, "short", "without_match")
    if not found:
        return None
    cut = data.models.get(arm, {}).get("cut")
    shares = [f"{with_interval(percent(s['share']), s['ci95'], 100)} of the {label} windows" for label, s in found.items()]
    return (
        f"{listed(shares)} have no match{f' of {cut:g} bits or more' if cut else ''}. They all get the same score, so that the "
        "threshold gives them one label."
    )


def forest(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    return {
        "panels": forest_panels(c),
        # Where one label is much more frequent, the bands in points of accuracy do not hold.
        "bands": (MODERATE, STRONG) if c["verdict"].get("balanced", True) else None,
        "contrasts": [k for k in c["contrasts"] if k["test_set"] == "short"],
    }
