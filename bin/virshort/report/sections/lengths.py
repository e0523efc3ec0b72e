"""What length is worth: accuracy against window length, and several windows of one source that vote."""

from collections.abc import Mapping
from typing import Any

from virshort.report.inputs import Inputs
from virshort.report.lookup import by_length, detail, remedies
from virshort.report.panels import length_panels, voting_panels


def lengths(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    shown = []
    for metric, heading, scale, digits in (("accuracy", "Accuracy, %", 100, 1), ("auroc", "AUROC", 1, 2)):
        rows = {arm: dict(by_length(c, arm, metric)) for arm in remedies(c)}
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


def voting(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    found = {arm: v for arm in remedies(c) if (v := detail(c, arm, "short", "voting")) and v["votes"]}
    return {"votes": found, "panels": voting_panels(c), "sentence": c["votes"]}
