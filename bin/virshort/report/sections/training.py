"""How the heads learned, and which arms overfit."""

from collections.abc import Mapping
from typing import Any

from virshort.report.inputs import Inputs
from virshort.report.panels import training_panels
from virshort.report.wording import overfitting_text


def training(data: Inputs) -> Mapping[str, Any]:
    panels = {metric: training_panels(data.comparison, data.histories, metric) for metric in ("accuracy", "loss")}
    return {"overfitting": overfitting_text(data.comparison), "panels": {m: p for m, p in panels.items() if p}}
