"""The best matches of windows, and the sources that they are in."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from virshort.files import damaged, read_json, write_json

FILE = "sources.json"


class Matches(NamedTuple):
    """The best match of n windows in each database.

    scores: [n, folds, labels, 2] float32, bit score and identity (0..1), both 0 where there is none and for the window's own
    fold; start: [n, folds, labels] int64, at which byte of the database it begins, where there is one."""

    scores: np.ndarray
    start: np.ndarray


class SourceName(NamedTuple):
    """What is known of a source."""

    source: str
    kingdom: str
    family: str | None


@dataclass(frozen=True)
class SourceList:
    """The sources in all databases, in their order. database: [n] int64, fold * labels + label; start: [n] int64, at which byte
    of that database the source begins; names: [n]."""

    database: np.ndarray
    start: np.ndarray
    names: list[SourceName]

    def at(self, database: np.ndarray, byte: np.ndarray) -> np.ndarray:
        """The row of the source at a byte of a database, both [k] int64. Returns [k] int64."""
        return np.searchsorted(_key(self.database, self.start), _key(database, byte), side="right") - 1


NO_SOURCES = SourceList(np.zeros(0, np.int64), np.zeros(0, np.int64), [])


def best_source(matches: Matches, sources: SourceList) -> np.ndarray:
    """The row in `sources` of the best match of each window, [n] int64; -1 where it has none.

    It is of the label with more bits, nonviral where both have as many, and of equal bits that with the greater identity."""
    bits, identity = matches.scores[..., 0], matches.scores[..., 1]
    rows, labels = np.arange(len(bits)), bits.shape[2]
    label = bits.max(axis=1, initial=0).argmax(axis=1)
    of_label, same = bits[rows, :, label], identity[rows, :, label]
    most = of_label.max(axis=1, initial=0)
    fold = np.where(of_label == most[:, None], same, -1).argmax(axis=1)
    return np.where(most > 0, sources.at(fold * labels + label, matches.start[rows, fold, label]), -1)


def _key(database: np.ndarray, byte: np.ndarray) -> np.ndarray:
    """Numbers in the order of databases, and in each in the order of bytes: [k] int64."""
    return database << 40 | byte


def write_sources(folder: Path, sources: SourceList) -> None:
    """Write sources.json beside the databases."""
    source, kingdom, family = zip(*sources.names, strict=True) if sources.names else ((), (), ())
    columns = {
        "database": sources.database.tolist(),
        "start": sources.start.tolist(),
        "source": source,
        "kingdom": kingdom,
        "family": family,
    }
    write_json(folder / FILE, columns)


def read_sources(folder: Path) -> SourceList:
    """Read sources.json. Raises InputError if it is missing or not readable."""
    try:
        content = read_json(folder / FILE)
        rows = zip(content["source"], content["kingdom"], content["family"], strict=True)
        names = [SourceName(*row) for row in rows]
        return SourceList(np.array(content["database"], np.int64), np.array(content["start"], np.int64), names)
    except (OSError, ValueError, LookupError, TypeError) as e:
        raise damaged(folder / FILE, e) from e
