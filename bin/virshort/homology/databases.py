"""What windows are searched against: for each fold and label one text with the stop-free stretches of its sources, a line each.

A database of a fold and label holds nothing of other folds, so a window that is not searched against its own fold can never
meet its own source, or anything that was kept in one fold with it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from virshort.errors import InputError
from virshort.files import damaged, read_json, whole, write_json
from virshort.homology.residues import CODES, END, PAD
from virshort.homology.source_list import SourceList, SourceName, write_sources
from virshort.homology.stretches import source_stretches
from virshort.labels import LABELS

SHORTEST = 25
"""Residues of the shortest stretch of a source that is kept."""
LIST = "databases.json"
BLOCK = 1 << 22
"""Bytes of a database that are read at a time."""


@dataclass(frozen=True)
class Database:
    """A row of databases.json. file: its name in the same folder; sha256: of its content."""

    file: str
    fold: int
    label: str
    stretches: int
    residues: int
    sha256: str


def write_databases(
    folder: Path, bases: np.ndarray, offset: np.ndarray, length: np.ndarray, label: np.ndarray, fold: np.ndarray, folds: int,
    names: Sequence[SourceName], genetic_code: int, shortest: int = SHORTEST,
) -> list[Database]:  # fmt: skip
    """Write the databases of all folds and labels, their list, and that of the sources in them. A fold without a record of a
    label has an empty one.

    bases: [total] uint8 letters (may be a memmap); offset, length, label, fold: [sources] int; names: [sources]."""
    found: list[Database] = []
    order: list[int] = []
    starts: list[int] = []
    databases: list[int] = []
    for of_fold in range(folds):
        for code, name in enumerate(LABELS):
            rows = np.flatnonzero((fold == of_fold) & (label == code))
            sources = (bases[o : o + n] for o, n in zip(offset[rows].tolist(), length[rows].tolist(), strict=True))
            pieces = (source_stretches(letters, genetic_code, shortest) for letters in sources)
            file = f"fold_{of_fold}.{name}.txt"
            begin, stretches, residues, sha256 = _write(folder / file, pieces)
            order, starts, databases = order + rows.tolist(), starts + begin, databases + [len(found)] * len(rows)
            found.append(Database(file, of_fold, name, stretches, residues, sha256))
    write_sources(folder, SourceList(np.array(databases, np.int64), np.array(starts, np.int64), [names[i] for i in order]))
    write_json(
        folder / LIST,
        {"folds": folds, "genetic_code": genetic_code, "shortest": shortest, "databases": [asdict(d) for d in found]},
    )
    return found


def _write(path: Path, sources: Iterable[Iterable[list[bytes]]]) -> tuple[list[int], int, int, str]:
    """sources: the stretches of each, piece by piece. Returns at which byte each begins, the number of stretches, of residues,
    and the SHA-256 of the file."""
    starts: list[int] = []
    stretches = size = 0
    h = hashlib.sha256()
    with whole(path) as temporary, temporary.open("wb") as out:
        for pieces in sources:
            starts.append(size)
            for piece in pieces:
                text = b"".join(b"%b\n" % stretch for stretch in piece)
                out.write(text)
                h.update(text)
                stretches, size = stretches + len(piece), size + len(text)
    return starts, stretches, size - stretches, h.hexdigest()


def read_list(folder: Path) -> tuple[int, list[Database]]:
    """The number of folds, and all databases of a folder. Raises InputError if the list is not readable."""
    try:
        content = read_json(folder / LIST)
        return int(content["folds"]), [Database(**row) for row in content["databases"]]
    except (OSError, ValueError, LookupError, TypeError) as e:
        raise damaged(folder / LIST, e) from e


def blocks(folder: Path, database: Database, size: int = BLOCK) -> Iterator[tuple[int, np.ndarray]]:
    """A database, block by block: at which byte of the file its first stretch begins, and the codes of whole stretches with PAD
    gaps before and after, [..] uint8.

    Raises InputError, at the latest after the last block, if the file is not the one that was written."""
    path = folder / database.file
    h = hashlib.sha256()
    begin = 0
    try:
        with path.open("rb") as f:
            while text := f.read(size):
                text += f.readline()
                h.update(text)
                yield begin, encode(text)
                begin += len(text)
    except OSError as e:
        raise damaged(path, e.strerror) from e
    if h.hexdigest() != database.sha256:
        raise damaged(path, "its content is not what was written")


def encode(text: bytes) -> np.ndarray:
    """Lines of residues as codes, with PAD gaps before and after. Returns [..] uint8."""
    gap = bytes([END]) * PAD
    return np.frombuffer(gap + text.translate(CODES.tobytes()) + gap, np.uint8)


def check_folds(fold: np.ndarray, folds: int) -> None:
    """Raise InputError if windows belong to folds for which there is no database."""
    if len(fold) and not 0 <= fold.min() <= fold.max() < folds:
        raise InputError(f"windows are in the folds {fold.min()} to {fold.max()}, but there are databases for {folds}: resume")
