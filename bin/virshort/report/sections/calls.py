"""From scores to calls: ROC and precision-recall curves, calibration, and what the thresholds reach."""

from collections.abc import Mapping
from typing import Any

from virshort.report.inputs import Inputs
from virshort.report.lookup import arms_of_interest, detail, remedies
from virshort.report.panels import curve_panels, reliability_panels

THRESHOLD = {"balanced": "best MCC", "fpr_1e-2": "FPR 1 %", "fpr_1e-3": "FPR 0.1 %"}
TEST_SET = {"short": "short", "full": "full length"}
RATES = ("true_positive_rate", "false_positive_rate")


def curves(data: Inputs) -> Mapping[str, Any]:
    return {"panels": curve_panels(data.comparison)}


def reliability(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    measured = {arm: found for arm in remedies(c) if (found := detail(c, arm, "short", "calibration"))}
    return {"calibration": measured, "panels": reliability_panels(c)}


def thresholds(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    rows, unknown = [], False
    for arm in dict.fromkeys([c["best_arm"]["arm"], *arms_of_interest(c)]):
        for test_set in TEST_SET:
            for r in (detail(c, arm, test_set, "thresholds") or []) if arm else []:
                if not any(r[rate] for rate in RATES):
                    unknown = True
                    continue
                rows.append(
                    {
                        "arm": arm,
                        "test_set": TEST_SET[test_set],
                        "lengths": lengths(*r["lengths"]),
                        "own": r["own"],
                        "threshold": THRESHOLD[r["threshold"]],
                        "rates": [r[rate] for rate in RATES],
                        "precision": [p["precision"] for p in r["precision_at_prevalence"]],
                    }
                )
    return {"rows": rows, "unknown": unknown, "shared": not all(r["own"] for r in rows)}


def lengths(low: int, high: int | None) -> str:
    """A bin of lengths [low, high) in words."""
    if not low:
        return f"below {high}"
    return f"{low} or more" if high is None else f"{low} to {high - 1}"
