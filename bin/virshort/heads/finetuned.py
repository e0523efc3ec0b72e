"""Log-odds of models that were trained end to end, as features: one column for each split and replicate."""

import json
from collections.abc import Mapping, Sequence

from virshort.errors import InputError

COLUMNS = "columns"
"""The key of a header that lists the models, in the order of their columns."""
Column = tuple[int, int]
"""The fold that a split tests, and the replicate."""


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
