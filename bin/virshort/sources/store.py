"""The store of sources: a table, and all bases one behind the other in one file."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("label", pa.string()),
        ("kingdom", pa.string()),
        ("family", pa.string()),
        ("cluster", pa.string()),
        ("split", pa.string()),
        ("file", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
        ("unambiguous", pa.int64()),
        ("gc", pa.float64()),
    ]
)


class Sources:
    """columns: by name, lists of text and [sources] arrays of numbers; sequences: [total] uint8 memmap of letters.

    path: sources.parquet, or a table with its columns; sequences: sources.seq; names: columns to read (None: all)."""

    def __init__(self, path: str | Path, sequences: str | Path, names: list[str] | None = None):
        table = pq.read_table(path, columns=names and list(dict.fromkeys([*names, "offset", "length"])))
        self.columns = {
            name: column.to_pylist() if pa.types.is_string(column.type) else column.to_numpy()
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
        self.sequences = np.memmap(sequences, np.uint8, "r")

    def __len__(self) -> int:
        return len(self.columns["offset"])

    def bases(self, i: int) -> np.ndarray:
        """[length] uint8 letters of source i, a view of the file."""
        start = self.columns["offset"][i]
        return self.sequences[start : start + self.columns["length"][i]]


def write_table(path: str | Path, rows: list[dict]) -> None:
    """Write sources.parquet. rows: a dictionary by SCHEMA for each source."""
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path, compression="zstd")
