"""The sources with their folds, as splitting leaves them in folds.parquet."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from virshort.labels import LABELS

_COLUMNS = ["source", "label", "kingdom", "family", "cluster", "fold", "offset", "length", "unambiguous"]


@dataclass
class SourceTable:
    """One row per source, in the order in which their bases lie in the sequence file.

    source, family: [sources] lists; kingdom, cluster: [sources] strings; label (a code, see LABELS), fold: [sources] int8;
    offset, length, unambiguous: [sources] int64: the first base in the sequence file, all bases, and those that are A, C, G
    or T.
    """

    source: list[str]
    label: np.ndarray
    kingdom: np.ndarray
    family: list[str | None]
    cluster: np.ndarray
    fold: np.ndarray
    offset: np.ndarray
    length: np.ndarray
    unambiguous: np.ndarray

    def at(self, position: np.ndarray) -> np.ndarray:
        """The number of the source that holds each position of the sequence file. [n] int64; returns [n] int64."""
        return np.searchsorted(self.offset, position, side="right") - 1


def read_source_table(path: Path) -> SourceTable:
    """Read folds.parquet."""
    table = pq.read_table(path, columns=_COLUMNS).to_pydict()
    return SourceTable(
        source=table["source"],
        label=np.array([LABELS.index(x) for x in table["label"]], np.int8),
        kingdom=np.array(table["kingdom"], str),
        family=table["family"],
        cluster=np.array(table["cluster"], str),
        fold=np.array(table["fold"], np.int8),
        offset=np.array(table["offset"], np.int64),
        length=np.array(table["length"], np.int64),
        unambiguous=np.array(table["unambiguous"], np.int64),
    )
