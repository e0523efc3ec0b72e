"""Models that were trained end to end, as far as other steps know them: their files, and their log-odds as features, one column
for each split and replicate."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from virshort.errors import InputError

RECORD, HEAD, ADAPTERS, ADAPTER_CONFIG, ENCODER = (
    "finetuned.json",
    "head.safetensors",
    "adapter_model.safetensors",
    "adapter_config.json",
    "encoder.safetensors",
)
"""The files of such a model: those of its adapters, or all weights of its encoder."""

COLUMNS = "columns"
"""The key of a header that lists the models, in the order of their columns."""
Column = tuple[int, int]
"""The fold that a split tests, and the replicate."""


def copy_finetuned(source: Path, target: Path) -> None:
    """Copy the files of such a model from its folder to another."""
    target.mkdir(parents=True, exist_ok=True)
    for name in (HEAD, ADAPTERS, ADAPTER_CONFIG, ENCODER, RECORD):
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)


def columns_text(columns: Sequence[Column]) -> str:
    """What a header says of the columns."""
    return json.dumps(columns)


def column_number(headers: Sequence[Mapping[str, str]], column: Column) -> int:
    """The place of a model's log-odds. headers: of the files of a shard. Raises InputError if none of them has it."""
    known = [json.loads(header[COLUMNS]) for header in headers if COLUMNS in header]
    if not known or [*column] not in known[0]:
        raise InputError(
            f"fold {column[0]}, replicate {column[1]}: there are no log-odds by a model of this split: resume the run"
        )
    return known[0].index([*column])
