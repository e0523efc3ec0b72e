"""What length is worth: accuracy against window length, several windows of one source that vote, and two mates."""

from collections.abc import Mapping
from typing import Any

from virshort.inference.intervals import MetricEstimate
from virshort.report.inputs import Inputs
from virshort.report.lookup import by_length, detail, remedies
from virshort.report.panels import length_panels, pair_panels, voting_panels
from virshort.verdict.rows import row_of
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


def pairs(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    shown = []
    for gain in c["pair_gains"]:
        rows = {name: row_of(c["arms"], gain["arm"], name) for name in ("mate", "pair")}
        rules = detail(c, gain["arm"], "pair", "pair_rules") or []
        shown.append(
            {
                "gain": gain,
                "metrics": {name: row["metrics"] for name, row in rows.items() if row},
                "at_one_percent": {name: at_one_percent(data, gain["arm"], name) for name in rows},
                "worth": sum(r["factor"] for r in rules) / len(rules) if rules else None,
                "overlapping": sum(r["overlapping"] for r in rules) / len(rules) if rules else None,
            }
        )
    return {"rows": shown, "panels": pair_panels(c), "sentence": c["pairs"], "tested": row_of_pairs(data)}


def at_one_percent(data: Inputs, arm: str, test_set: str) -> Mapping[str, Any] | None:
    """What the threshold for 1 % false positives reaches; None where validation was too small to choose one."""
    found = detail(data.comparison, arm, test_set, "thresholds") or []
    return next((r for r in found if r["threshold"] == "fpr_1e-2" and r["true_positive_rate"]), None)


def row_of_pairs(data: Inputs) -> Mapping[str, Any] | None:
    """Any row of the test set `pair`, for what all arms share there."""
    return next((r for r in data.comparison["arms"] if r["test_set"] == "pair" and r["windows"]), None)
