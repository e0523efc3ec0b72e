"""What length is worth: accuracy against window length, and several windows of one source that vote."""

from collections.abc import Mapping
from typing import Any

from virshort.inference.intervals import MetricEstimate
from virshort.report.inputs import Inputs
from virshort.report.lookup import by_length, detail, remedies
from virshort.report.panels import length_panels, voting_panels
from virshort.verdict.schema import Comparison


def lengths(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    shown = []
    for metric, heading, scale, digits in (("accuracy", "Accuracy, %", 100, 1), ("auroc", "AUROC", 1, 2)):
        rows = {arm: dict(by_length(c, arm, metric)) for arm in remedies(c)}
        if metric == "accuracy":
            rows |= own_thresholds(c)
        tested = sorted({length for found in rows.values() for length in found})
        if len(tested) > 1:
            shown.append(
                {
                    "heading": heading,
                    "scale": scale,
                    "digits": digits,
                    "lengths": tested,
                    "rows": rows,
                    "panels": length_panels(c, metric),
                }
            )
    return {"metrics": shown, "inputs": c["by_length"]}


def own_thresholds(c: Comparison) -> dict[str, dict[int, MetricEstimate]]:
    """The accuracy of each arm with a threshold for each bin of lengths instead of one for all, where it has such."""
    found: dict[str, dict[int, MetricEstimate]] = {}
    for arm in remedies(c):
        for length, _ in by_length(c, arm, "accuracy"):
            for r in detail(c, arm, f"length_{length}", "thresholds") or []:
                share = r.get("accuracy") if r["own"] and r["threshold"] == "balanced" else None
                if share:
                    row = found.setdefault(f"{arm}, threshold by length", {})
                    row[length] = {"mean": share["share"], "sd": None, "ci95": share["ci95"]}
    # Where an arm has one bin of lengths only, its one threshold is that of the bin.
    return {name: row for name, row in found.items() if len(row) > 1}


def voting(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    found = {arm: v for arm in remedies(c) if (v := detail(c, arm, "short", "voting")) and v["votes"]}
    return {"votes": found, "panels": voting_panels(c), "sentence": c["votes"]}
