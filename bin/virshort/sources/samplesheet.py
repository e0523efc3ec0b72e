"""The samplesheet (a row a file) and the source table (a row a record), read strictly."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from virshort.errors import InputError, nearest
from virshort.labels import LABELS

SPLITS = ("train", "val", "test")
COLUMNS = ("fasta", "label", "kingdom", "cluster", "split")
MISSING = ("", "NA")
"""Cells that say nothing; kingdom, family, cluster and split may hold them."""


@dataclass(frozen=True)
class SheetRow:
    """A file of the samplesheet. line: where in the sheet; fasta: the path as it is written there (of ready features too);
    label: None where ready features hold their own."""

    line: int
    fasta: str
    label: str | None
    kingdom: str | None = None
    cluster: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class SourceRow:
    """A record of the source table. line: where in the table; label: None where it is no label of ours."""

    line: int
    label: str | None = None
    kingdom: str | None = None
    family: str | None = None
    cluster: str | None = None
    split: str | None = None


def read_samplesheet(path: str | Path, files: str = "fasta") -> list[SheetRow]:
    """The rows of a samplesheet file. Raises InputError as `parse_samplesheet`, or where it can't be read."""
    return parse_samplesheet(_text(Path(path)), Path(path).name, files)


def parse_samplesheet(text: str, name: str = "samplesheet", files: str = "fasta") -> list[SheetRow]:
    """The rows of a samplesheet: CSV with a header; white space around cells and blank lines do not count.

    files: the column of paths, fasta or features (which may do without labels).

    Raises InputError with line and column: a column that is missing, unknown or there twice, a row of another width, an
    unknown label or split, a file without a path or listed twice, no rows, or one label only.
    """
    rows, seen, ready = [], {}, files == "features"
    for line, cells in _table(text, name, ",", required=(files, "label"), known=(files, *COLUMNS[1:])):
        fasta, label = cells[files], _value(cells, "label")
        where = f"{name}, line {line}"
        if not fasta:
            kind = "file of merged features" if ready else "FASTA or FASTQ file"
            raise InputError(f"{where}, {files}: is empty: give the path of a {kind}")
        if label not in LABELS and not (ready and label is None):
            raise InputError(f"{where}, label: {cells['label']!r} is no label: {nearest(cells['label'], LABELS)}")
        same = os.path.normpath(fasta)
        if same in seen:
            raise InputError(f"{where}, {files}: {fasta} is listed on line {seen[same]} too: keep one of them")
        seen[same] = line
        rows.append(SheetRow(line, fasta, label, *(_value(cells, c) for c in ("kingdom", "cluster")), _split(cells, where)))
    for label in LABELS:
        if not any(row.label in (label, None) for row in rows):
            raise InputError(f"{name}, label: no row is {label}: both {' and '.join(LABELS)} files are needed")
    return rows


def read_source_table(path: str | Path) -> dict[str, SourceRow]:
    """A source table by record id: TSV with a header and a column id; columns that say nothing here are passed over.

    Raises InputError with line and column: no id column, a column twice, a row of another width, an id that is missing
    or there twice, an unknown split, no rows, or a file that can't be read.
    """
    name, rows = Path(path).name, {}
    for line, cells in _table(_text(Path(path)), name, "\t", required=("id",)):
        source, where = cells["id"], f"{name}, line {line}"
        if not source:
            raise InputError(f"{where}, id: is empty: give the id of a record")
        if source in rows:
            raise InputError(f"{where}, id: {source} is on line {rows[source].line} too: keep one of them")
        label = cells.get("label")
        rows[source] = SourceRow(
            line,
            label if label in LABELS else None,
            *(_value(cells, c) for c in ("kingdom", "family", "cluster")),
            _split(cells, where),
        )
    return rows


def _text(path: Path) -> str:
    """A file's text. utf-8-sig takes a byte order mark off; newlines are left to csv."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = e.object.count(b"\n", 0, e.start) + 1
        raise InputError(f"{path.name}, line {line}: is not UTF-8: save it as UTF-8 text") from None
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file: mend the path") from None
    except (IsADirectoryError, PermissionError) as e:
        raise InputError(f"{path}: can't be read ({e.strerror}): give a file that you may read") from None


def _table(
    text: str, name: str, delimiter: str, required: Iterable[str], known: Sequence[str] | None = None
) -> Iterable[tuple[int, dict[str, str]]]:
    """(line number, cells by column) of each row that is not blank; known: the columns allowed, None for any."""
    plain = {"strict": True} if delimiter == "," else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, **plain)
    header: list[str] = []
    rows = 0
    while True:
        try:
            cells = [c.strip() for c in next(reader)]
        except StopIteration:
            break
        except csv.Error as e:
            raise InputError(
                f"{name}, line {reader.line_num}: {e}: is it text with "
                f"{'commas' if delimiter == ',' else 'tabs'} between cells?"
            ) from None
        if not any(cells):
            continue
        if not header:
            header = cells
            _check_header(header, name, reader.line_num, delimiter, required, known)
        elif len(cells) != len(header):
            raise InputError(
                f"{name}, line {reader.line_num}: has {len(cells)} cells, the header has {len(header)}: "
                "give each column one (an empty one where there is nothing to say)"
            )
        else:
            rows += 1
            yield reader.line_num, dict(zip(header, cells, strict=True))
    if not rows:
        raise InputError(
            f"{name}: {'has a header but no rows' if header else 'is empty'}: "
            f"give a header with {', '.join(required)} and a row for each"
        )


def _check_header(
    header: list[str], name: str, line: int, delimiter: str, required: Iterable[str], known: Sequence[str] | None
) -> None:
    where = f"{name}, line {line}"
    for column in required:
        if column not in header:
            other = next(
                (
                    word
                    for mark, word in ((",", "commas"), (";", "semicolons"), ("\t", "tabs"))
                    if mark != delimiter and len(header) == 1 and mark in header[0]
                ),
                None,
            )
            hint = (
                f"cells are parted by {other}, but must be by {'commas' if delimiter == ',' else 'tabs'}"
                if other
                else f"the header has {', '.join(c or repr(c) for c in header)}"
            )
            raise InputError(f"{where}, header: the column {column} is missing: {hint}")
    for column in header:
        if known and column not in known:
            raise InputError(f"{where}, header: {column!r} is no column: {nearest(column, known)}")
        if header.count(column) > 1 and (known or column):
            raise InputError(f"{where}, header: the column {column} is there twice: keep one")


def _split(cells: dict[str, str], where: str) -> str | None:
    split = _value(cells, "split")
    if split not in (None, *SPLITS):
        raise InputError(f"{where}, split: {split!r} is no split: {nearest(split, SPLITS)}, or leave it empty")
    return split


def _value(cells: dict[str, str], column: str) -> str | None:
    cell = cells.get(column, "")
    return None if cell in MISSING else cell
