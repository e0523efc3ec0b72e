"""The model card."""

from collections.abc import Mapping
from typing import Any

from virshort.heads.metrics_record import Metrics
from virshort.model.record import ModelRecord
from virshort.windows.source_table import SourceTable


def model_card(
    record: ModelRecord, comparison: Mapping[str, Any], metrics: Mapping[str, Metrics], sources: SourceTable, simulated: bool
) -> str:
    return f"# {record['arm']}\n"
