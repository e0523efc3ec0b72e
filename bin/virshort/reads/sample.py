"""All reads of a sample: checked, mates in step, lanes one after the other, and what is counted on the way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict

import numpy as np

from virshort.errors import InputError
from virshort.reads.mates import are_interleaved, first_stranger, interleaved_mates
from virshort.reads.reading import form, read_file
from virshort.reads.records import Records, join, rebatch

_STEP = 1 << 14
"""Records of each mate that are compared at a time."""


@dataclass(frozen=True)
class ReadFile:
    """path: where it is; shown: what messages call it."""

    path: Path
    shown: str


class SampleRecord(TypedDict):
    """<sample>.reads.json. layout: single, paired or interleaved; form: fastq, fasta or bam; files: as in the sheet, by lane;
    records: fragments, each of which has one read or two mates; reads: all of them; lengths: [length, how many reads]. A
    sample without reads is single or paired FASTQ."""

    sample: str
    layout: str
    form: str
    files: list[list[str]]
    records: int
    reads: int
    chunks: int
    lengths: list[list[int]]


@dataclass
class Counts:
    """What `read_sample` finds out while it reads. lengths: [longest + 1] int64, how many reads have each length."""

    layout: str = ""
    form: str = ""
    records: int = 0
    lengths: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))

    def add(self, mates: tuple[Records, ...]) -> None:
        self.records += len(mates[0])
        for mate in mates:
            found = np.bincount(mate.lengths, minlength=len(self.lengths))
            found[: len(self.lengths)] += self.lengths
            self.lengths = found

    def histogram(self) -> list[list[int]]:
        return [[int(n), int(self.lengths[n])] for n in np.flatnonzero(self.lengths)]


def read_sample(lanes: Sequence[Sequence[ReadFile]], size: int, counts: Counts) -> Iterator[tuple[Records, ...]]:
    """Yield the records of a sample in chunks of `size` fragments: one Records for single reads, or one for each mate.

    lanes: of each lane, its one file or its two files of mates. `counts` is complete when the last chunk has come. Raises
    InputError, with file and record, for whatever `read_file` refuses, for mates that are out of step or missing, and if lanes
    differ in layout or form."""

    def of_lanes() -> Iterator[tuple[Records, ...]]:
        for lane in lanes:
            layout, parts = _open_lane(lane)
            if not layout:
                continue  # an empty file
            _agree(lane[0], "layout", counts.layout, layout)
            counts.layout = layout
            for file in lane:
                found = form(file.path)
                _agree(file, "form", counts.form, found)
                counts.form = found
            for mates in parts:
                counts.add(mates)
                yield mates

    return rebatch(of_lanes(), size)


def _agree(file: ReadFile, what: str, before: str, now: str) -> None:
    if before and before != now:
        raise InputError(
            f"{file.shown}: its {what} is {now}, but that of the file before it in this sample is {before}: give the reads of "
            f"different {what} as different samples"
        )


def _open_lane(lane: Sequence[ReadFile]) -> tuple[str, Iterator[tuple[Records, ...]]]:
    """The layout of a lane, and its records; those of mates side by side."""
    if len(lane) == 2:
        return "paired", _side_by_side(*lane)
    parts = _read(lane[0])
    start = next(parts)
    if not len(start):
        return "", iter(())
    if are_interleaved(start):
        return "interleaved", _interleaved(lane[0], start, parts)
    return "single", _single(start, parts)


def _read(file: ReadFile) -> Iterator[Records]:
    """The records of a file. Their letters have been checked and are left out, since chunks are made of the text."""
    for part in read_file(file.path, file.shown):
        yield replace(part, letters=part.letters[:0])


def _single(start: Records, parts: Iterator[Records]) -> Iterator[tuple[Records]]:
    yield (start,)
    for part in parts:
        yield (part,)


def _interleaved(file: ReadFile, start: Records, parts: Iterator[Records]) -> Iterator[tuple[Records, Records]]:
    number, held = 0, start.part(0, 0)
    for part in _all(start, parts):
        held = join([held, part])
        even = len(held) // 2 * 2
        one, other = interleaved_mates(held.part(0, even))
        if stranger := first_stranger(one, other):
            row, why = stranger
            raise InputError(
                f"{file.shown}, record {number + 2 * row + 2}: {why}, although the file begins with mates side by side: "
                "give each read its mate, or write the two mates to two files"
            )
        yield one, other
        number, held = number + even, held.part(even, len(held))
    if len(held):
        raise InputError(
            f"{file.shown}, record {number + 1}: {held.name(0)} has no mate after it: add the mate, or remove the read"
        )


def _all(start: Records, parts: Iterator[Records]) -> Iterator[Records]:
    yield start
    yield from parts


def _side_by_side(first: ReadFile, second: ReadFile) -> Iterator[tuple[Records, Records]]:
    number = 0
    batches = [rebatch(((part,) for part in _read(file)), _STEP) for file in (first, second)]
    while True:
        (one, other) = (next(batch, (None,))[0] for batch in batches)
        if one is None and other is None:
            return
        n = min(0 if mate is None else len(mate) for mate in (one, other))
        if one is not None and other is not None:
            mates = one.part(0, n), other.part(0, n)
            if stranger := first_stranger(*mates):
                row, why = stranger
                raise InputError(
                    f"{second.shown}, record {number + row + 1}: {why} in {first.shown}: give both files, the "
                    "first mates first, with the same reads in the same order"
                )
            yield mates
        for mate, file, partner in ((one, first, second), (other, second, first)):
            if mate is not None and len(mate) > n:
                raise InputError(
                    f"{file.shown}, record {number + n + 1}: {mate.name(n)} has no mate, since {partner.shown} ends after "
                    f"{number + n} records: give both files complete"
                )
        number += n
