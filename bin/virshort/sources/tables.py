"""Strict reading of the tables that users write: every column, row and cell is either used or refused."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from virshort.errors import InputError, closest

if TYPE_CHECKING:
    import _csv

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, without a byte order mark. Line ends are kept, since the csv module handles them.

    Raises InputError if the file is missing, cannot be read or is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = e.object.count(b"\n", 0, e.start) + 1
        raise InputError(f"{path.name}, line {line}: is not UTF-8: save the file as UTF-8 text") from None
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file: correct the path") from None
    except (IsADirectoryError, PermissionError) as e:
        raise InputError(f"{path}: cannot be read ({e.strerror}): give a file that you may read") from None


def read_header(path: Path, delimiter: str) -> list[str]:
    """The columns of a table; none if it is empty or damaged, of which `read_rows` complains. Raises InputError as `read_text`
    does."""
    try:
        rows = ([c.strip() for c in cells] for cells in _cells_of_rows(read_text(path), delimiter))
        return next((cells for cells in rows if any(cells)), [])
    except csv.Error:
        return []


def read_rows(
    text: str, name: str, delimiter: str, required: Sequence[str], optional: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, cells by column) of each row of a table with a header. Blank lines and the white space around
    cells are ignored. Cells of a comma-separated table may be quoted; in a tab-separated one, quotes are ordinary letters.

    name: what messages call the table; required, optional: its columns. Raises InputError with the line for a column that is
    missing, unknown or given twice, for a row with too many or too few cells, and for a table without rows.
    """
    reader = _cells_of_rows(text, delimiter)
    header: list[str] = []
    rows = 0
    while True:
        try:
            cells = [c.strip() for c in next(reader)]
        except StopIteration:
            break
        except csv.Error as e:
            raise InputError(
                f"{name}, line {reader.line_num}: {e}: check that this is text with {_DELIMITERS[delimiter]} between cells"
            ) from None
        where = f"{name}, line {reader.line_num}"
        if not any(cells):
            continue
        if not header:
            header = cells
            _check_header(header, f"{where}, header", delimiter, required, optional)
        elif len(cells) != len(header):
            raise InputError(
                f"{where}: this row has {_cells(len(cells))}, but the header has {len(header)}: write one cell per column, and "
                "leave it empty if there is nothing to say"
            )
        else:
            rows += 1
            yield reader.line_num, dict(zip(header, cells, strict=True))
    if not rows:
        raise InputError(
            f"{name}: {'has a header but no rows' if header else 'is empty'}: "
            f"write a header with {', '.join(required)}, and the rows below it"
        )


def _cells_of_rows(text: str, delimiter: str) -> "_csv.Reader":
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    if delimiter == ",":
        return csv.reader(lines, strict=True)
    return csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)


def _cells(n: int) -> str:
    return f"{n} cell{'' if n == 1 else 's'}"


def _check_header(header: list[str], where: str, delimiter: str, required: Sequence[str], optional: Sequence[str]) -> None:
    known = [*required, *optional]
    unknown = [c for c in header if c not in known]
    for column in required:
        if column not in header:
            raise InputError(f"{where}: the column {column} is missing: {_why_missing(column, header, unknown, delimiter)}")
    if unknown:
        near = {c: closest(c, known) for c in unknown}
        listed = ", ".join(f"{c!r} (did you mean {near[c]}?)" if near[c] else repr(c) for c in unknown)
        raise InputError(
            f"{where}: unknown column{'' if len(unknown) == 1 else 's'} {listed}: rename or remove "
            f"{'it' if len(unknown) == 1 else 'them'}; the columns of this table are {', '.join(known)}"
        )
    for column in header:
        if header.count(column) > 1:
            raise InputError(f"{where}: the column {column} is given twice: keep one")


def _why_missing(column: str, header: list[str], unknown: list[str], delimiter: str) -> str:
    if len(header) == 1:
        for mark, word in _DELIMITERS.items():
            if mark != delimiter and mark in header[0]:
                return f"cells are separated by {word}, but must be separated by {_DELIMITERS[delimiter]}"
    alike = next((c for c in unknown if closest(c, [column])), None)
    return f"rename {alike!r} to {column}" if alike else f"the header has {', '.join(c or repr(c) for c in header)}"
