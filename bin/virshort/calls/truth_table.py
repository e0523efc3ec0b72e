"""The table of reads whose labels are known."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from virshort.errors import InputError, nearest
from virshort.labels import LABELS
from virshort.sources.tables import read_rows, read_text


@dataclass
class Truth:
    """The labels of n reads, or pairs, of a sample. row: of each id; label: [n] int8; group: [n] int64, a number in groups,
    which are sorted, or -1 where none is given."""

    row: dict[bytes, int]
    label: np.ndarray
    group: np.ndarray
    groups: list[str]


def read_truth(path: Path, only: str | None = None) -> dict[str, Truth]:
    """The labels of each sample that a table names: CSV or TSV with the columns sample, read, label and, if wanted, group.

    only: the sample to keep. Raises InputError with the line for what `read_rows` refuses, for an unknown label, an empty cell,
    and a read that is listed twice."""
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    rows: dict[str, dict[bytes, tuple[int, str]]] = {}
    for line, cells in read_rows(read_text(path), path.name, delimiter, ("sample", "read", "label"), ("group",)):
        where, read = f"{path.name}, line {line}", cells["read"].encode()
        for column in ("sample", "read"):
            if not cells[column]:
                raise InputError(f"{where}, {column}: the cell is empty: name the {column}")
        if cells["label"] not in LABELS:
            raise InputError(f"{where}, label: {cells['label'][:60]!a} is no label: write viral or nonviral")
        if only not in (None, cells["sample"]):
            continue
        of_sample = rows.setdefault(cells["sample"], {})
        if read in of_sample:
            raise InputError(f"{where}, read: {cells['read'][:60]!a} is listed twice: list each read or pair once")
        of_sample[read] = LABELS.index(cells["label"]), cells.get("group", "")
    return {sample: _truth(of_sample) for sample, of_sample in rows.items()}


def check_samples(path: Path, truth: Iterable[str], samples: Collection[str]) -> None:
    """Raise InputError if a table names a sample that is not in the sheet."""
    for sample in truth:
        if sample not in samples:
            raise InputError(f"{path.name}: {sample[:60]!a} is no sample of the sheet: {nearest(sample, sorted(samples))}")


def _truth(rows: dict[bytes, tuple[int, str]]) -> Truth:
    groups = sorted({group for _, group in rows.values()} - {""})
    number = {"": -1} | {group: i for i, group in enumerate(groups)}
    return Truth(
        {read: i for i, read in enumerate(rows)},
        np.array([label for label, _ in rows.values()], np.int8),
        np.array([number[group] for _, group in rows.values()], np.int64),
        groups,
    )
