"""Would more genomes help? An arm trained on fewer genomes, beside the same arm trained on all."""

from collections.abc import Mapping
from typing import Any

from virshort.report.inputs import Inputs
from virshort.report.panels import genome_panels


def genomes(data: Inputs) -> Mapping[str, Any]:
    c = data.comparison
    return {"curve": c["learning_curve"], "panels": genome_panels(c)}
