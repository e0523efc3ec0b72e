"""Reads as arrays: the bytes of many records in one piece, and where each record, its name, bases and qualities are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Records:
    """n records of FASTQ or FASTA.

    text: [bytes] uint8, the records as they came in; first, last: [n] int64, a record is text[first:last], with its line end;
    name_last: [n] int64, its header, without '@' or '>' and line end, is text[first + 1 : name_last];
    letters: [bases or more] uint8, upper-case IUPAC letters; bases_first, bases_last: [n] int64, its bases in `letters`;
    quality_first: [n] int64, where its qualities (one per base) begin in `text`; None for FASTA.
    """

    text: np.ndarray
    first: np.ndarray
    last: np.ndarray
    name_last: np.ndarray
    letters: np.ndarray
    bases_first: np.ndarray
    bases_last: np.ndarray
    quality_first: np.ndarray | None

    def __len__(self) -> int:
        return len(self.first)

    @property
    def lengths(self) -> np.ndarray:
        """[n] int64: bases of each read."""
        return self.bases_last - self.bases_first

    def name(self, row: int) -> str:
        """The name of a record: its header up to the first white space."""
        header = self.text[self.first[row] + 1 : self.name_last[row]].tobytes().decode(errors="replace")
        return next(iter(header.split(maxsplit=1)), "")

    def part(self, start: int, stop: int) -> "Records":
        """The records from `start` to `stop`, which may lie beyond the end; the arrays are views or of this size."""
        rows = slice(start, stop)
        if not len(self.first[rows]):
            return no_records(self.quality_first is not None)
        at, bases = int(self.first[start]), int(self.bases_first[start])
        return replace(
            self,
            text=self.text[at : self.last[rows][-1]],
            first=self.first[rows] - at,
            last=self.last[rows] - at,
            name_last=self.name_last[rows] - at,
            letters=self.letters[bases : self.bases_last[rows][-1]],
            bases_first=self.bases_first[rows] - bases,
            bases_last=self.bases_last[rows] - bases,
            quality_first=None if self.quality_first is None else self.quality_first[rows] - at,
        )

    def every_other(self, odd: bool) -> "Records":
        """The records 0, 2, 4, ... or, if `odd`, 1, 3, 5, ... of interleaved mates; their text is copied together."""
        rows = slice(int(odd), None, 2)
        whole = self.text.tobytes()
        text = b"".join([whole[a:b] for a, b in zip(self.first[rows].tolist(), self.last[rows].tolist(), strict=True)])
        size = self.last[rows] - self.first[rows]
        first = np.cumsum(size) - size
        moved = first - self.first[rows]
        return replace(
            self,
            text=np.frombuffer(text, np.uint8),
            first=first,
            last=first + size,
            name_last=self.name_last[rows] + moved,
            bases_first=self.bases_first[rows],
            bases_last=self.bases_last[rows],
            quality_first=None if self.quality_first is None else self.quality_first[rows] + moved,
        )


def no_records(fastq: bool = True) -> Records:
    """Not one record."""
    bytes_, places = np.empty(0, np.uint8), np.empty(0, np.int64)
    return Records(bytes_, places, places, places, bytes_, places, places, places if fastq else None)


def join(parts: Sequence[Records]) -> Records:
    """The records of all parts, of which there is at least one, one after the other. All are FASTQ or all are FASTA."""
    if len(parts) == 1:
        return parts[0]
    text = np.cumsum([0, *(len(p.text) for p in parts)])[:-1].tolist()
    bases = np.cumsum([0, *(len(p.letters) for p in parts)])[:-1].tolist()

    def moved(arrays: list[np.ndarray], by: list[int]) -> np.ndarray:
        return np.concatenate([a + offset for a, offset in zip(arrays, by, strict=True)])

    qualities = [p.quality_first for p in parts if p.quality_first is not None]
    return Records(
        np.concatenate([p.text for p in parts]),
        moved([p.first for p in parts], text),
        moved([p.last for p in parts], text),
        moved([p.name_last for p in parts], text),
        np.concatenate([p.letters for p in parts]),
        moved([p.bases_first for p in parts], bases),
        moved([p.bases_last for p in parts], bases),
        moved(qualities, text) if qualities else None,
    )


def rebatch(parts: Iterable[tuple[Records, ...]], size: int) -> Iterator[tuple[Records, ...]]:
    """The same records in batches of `size`, of which only the last is smaller; none if there are no records. Each part, and
    each batch, has the same number of records for one or both mates."""
    held: list[tuple[Records, ...]] = []
    total = 0
    for part in parts:
        if not len(part[0]):
            continue
        held.append(part)
        total += len(part[0])
        if total >= size:
            mates = tuple(join(of_mate) for of_mate in zip(*held, strict=True))
            done = total - total % size
            for start in range(0, done, size):
                yield tuple(mate.part(start, start + size) for mate in mates)
            held = [tuple(mate.part(done, total) for mate in mates)] if done < total else []
            total -= done
    if held:
        yield tuple(join(of_mate) for of_mate in zip(*held, strict=True))
