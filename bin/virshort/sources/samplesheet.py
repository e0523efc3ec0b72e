"""The samplesheet, with one row per file, and the source table, with one row per record. Both are read strictly."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from virshort.errors import InputError, nearest
from virshort.labels import LABELS
from virshort.sources.tables import read_header, read_rows, read_text

SPLITS = ("train", "val", "test")
MISSING = ("", "NA")
"""Cells without a value, which every optional column may have."""


@dataclass(frozen=True)
class SheetRow:
    """One file of the samplesheet.

    line: its line in the sheet; fasta: the path as the sheet writes it (to FASTA, FASTQ or ready features); label: None if
    ready features bring their own labels."""

    line: int
    fasta: str
    label: str | None
    kingdom: str | None = None
    cluster: str | None = None
    split: str | None = None
    family: str | None = None


@dataclass(frozen=True)
class SourceRow:
    """One record of the source table. line: its line in the table; the other fields are None where the table has no value."""

    line: int
    label: str | None = None
    kingdom: str | None = None
    family: str | None = None
    cluster: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class SourceTable:
    """The source table. name: what messages call it; rows: by record id. Both are empty if the user gave no table."""

    name: str = ""
    rows: dict[str, SourceRow] = field(default_factory=dict)


def read_samplesheet(path: str | Path, files: str = "fasta", family: str = "family") -> list[SheetRow]:
    """The rows of a samplesheet file. Raises InputError as `parse_samplesheet` does, and if the file cannot be read."""
    return parse_samplesheet(read_text(Path(path)), Path(path).name, files, family)


def parse_samplesheet(text: str, name: str = "samplesheet", files: str = "fasta", family: str = "family") -> list[SheetRow]:
    """The rows of a samplesheet, which is comma-separated.

    files: the name of the column of paths, `fasta` or `features`; files of ready features need no label in the sheet. family:
    the name of the column that gives the family.

    Raises InputError with line and column for everything that `read_rows` refuses, for an unknown label or split, for a path
    that is missing, listed twice, a URL or a wildcard, and if one of the labels has no file.
    """
    rows: list[SheetRow] = []
    line_of: dict[str, int] = {}
    ready = files == "features"
    for line, cells in read_rows(text, name, ",", (files, "label"), optional_columns(family)):
        path, label, where = cells[files], _value(cells, "label"), f"{name}, line {line}"
        if not path:
            kind = "file of merged features" if ready else "FASTA or FASTQ file"
            raise InputError(f"{where}, {files}: the cell is empty: give the path of a {kind}")
        check_path(path, f"{where}, {files}")
        if label is not None or not ready:
            _check_label(cells["label"], where)
        same = os.path.normpath(path)
        if same in line_of:
            raise InputError(f"{where}, {files}: {path} is also listed on line {line_of[same]}: keep one of the two lines")
        line_of[same] = line
        kingdom, cluster, of_family = (_value(cells, c) for c in ("kingdom", "cluster", family))
        rows.append(SheetRow(line, path, label, kingdom, cluster, _split(cells, where), of_family))
    for required in LABELS:
        if not any(row.label in (required, None) for row in rows):
            raise InputError(f"{name}, label: no row is {required}: list at least one viral and one nonviral file")
    return rows


def table_columns(sheet: Path, table: Path | None) -> dict[str, list[str]]:
    """The columns of the samplesheet and of the source table, by the names of the files."""
    return {sheet.name: read_header(sheet, ",")} | ({table.name: read_header(table, "\t")} if table else {})


def gives_split(sheet: Sequence[SheetRow], table: Path | None, family: str = "family") -> bool:
    """Whether the user divides the sources, in the samplesheet or in the source table. Raises InputError as `read_source_table`
    does."""
    rows = read_source_table(table, family).rows.values() if table else ()
    return any(row.split for row in (*sheet, *rows))


def optional_columns(family: str) -> list[str]:
    """The columns that both tables may have. family: the name of the one that gives the family."""
    return list(dict.fromkeys(("kingdom", "family", "cluster", "split", family)))


def resolve_path(path: str, folder: Path) -> Path:
    """Where a file of the samplesheet is: an absolute path, one in the home folder (~/), or one relative to `folder`, which
    holds the sheet."""
    return folder / (Path(path).expanduser() if path.startswith("~/") else path)


def read_source_table(path: str | Path, family: str = "family") -> SourceTable:
    """The source table, which is tab-separated. family: the name of the column that gives the family.

    Raises InputError with line and column for everything that `read_rows` refuses, for an id that is missing or given twice,
    for an unknown label or split, and if the file cannot be read.
    """
    table = SourceTable(Path(path).name)
    optional = ("label", *optional_columns(family))
    for line, cells in read_rows(read_text(Path(path)), table.name, "\t", ("id",), optional):
        source, label, where = cells["id"], _value(cells, "label"), f"{table.name}, line {line}"
        if not source:
            raise InputError(f"{where}, id: the cell is empty: give the id of a record")
        if source in table.rows:
            raise InputError(f"{where}, id: {source} is also on line {table.rows[source].line}: keep one of the two lines")
        if label is not None:
            _check_label(label, where)
        kingdom, of_family, cluster = (_value(cells, c) for c in ("kingdom", family, "cluster"))
        table.rows[source] = SourceRow(line, label, kingdom, of_family, cluster, _split(cells, where))
    return table


def check_path(path: str, where: str) -> None:
    """Raise InputError unless a path of a sheet can be that of one file. where: the cell, for messages."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", path):
        raise InputError(f"{where}: {path} is a URL: download the file and give its path")
    if any(c in path for c in "*?"):
        raise InputError(f"{where}: {path} has a wildcard: list each file on its own line, under a name without * or ?")
    if any(ord(c) < 32 or ord(c) == 127 for c in path):
        raise InputError(f"{where}: {path!a} has a control character, such as a line break: rename the file")


def _check_label(label: str, where: str) -> None:
    if label not in LABELS:
        raise InputError(f"{where}, label: {label!r} is not a label: {nearest(label, LABELS)}")


def _split(cells: dict[str, str], where: str) -> str | None:
    split = _value(cells, "split")
    if split is not None and split not in SPLITS:
        raise InputError(f"{where}, split: {split!r} is not a split: {nearest(split, SPLITS)}, or leave the cell empty")
    return split


def _value(cells: dict[str, str], column: str) -> str | None:
    """A cell's text, or None if it is empty or the table does not have the column."""
    cell = cells.get(column, "")
    return None if cell in MISSING else cell
