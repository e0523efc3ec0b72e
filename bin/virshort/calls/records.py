"""Records of FASTQ and FASTA files as Arrow arrays of bytes, so that they are cut, chosen and written without a Python loop."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from isal import igzip

from virshort.files import damaged

BLOCK = 4 << 20  # bytes read at a time
LINES = 4  # of a FASTQ record
NEWLINE, RETURN, GREATER = b"\n"[0], b"\r"[0], b">"[0]


class RecordReader:
    """The records of a gzip-compressed chunk, in its order, byte for byte. `path`: ends in .fastq.gz or .fasta.gz."""

    def __init__(self, path: Path):
        self.path = path
        self._blocks = _blocks(path)
        self._held = pa.array([], pa.large_binary())

    def take(self, n: int) -> pa.LargeBinaryArray:
        """The next n records, each with its line breaks. Raises InputError if there are fewer."""
        parts, found = [self._held], len(self._held)
        while found < n:
            block = next(self._blocks, None)
            if block is None:
                raise damaged(self.path, f"it ends {n - found} records before its scores do")
            parts.append(block)
            found += len(block)
        held = pa.concat_arrays(parts) if len(parts) > 1 else parts[0]
        self._held = held.slice(n)
        return held.slice(0, n)

    def finish(self) -> None:
        """Raise InputError if records are left."""
        if len(self._held) or next(self._blocks, None) is not None:
            raise damaged(self.path, "it has more records than its scores")


def _blocks(path: Path) -> Iterator[pa.LargeBinaryArray]:
    fastq = path.name.endswith(".fastq.gz")
    rest = b""
    try:
        with igzip.open(path, "rb") as f:
            while block := f.read(BLOCK):
                data = rest + block
                ends = _record_ends(np.frombuffer(data, np.uint8), fastq)
                if len(ends):
                    yield _cut(data, ends)
                    data = data[ends[-1] :]
                rest = data
    except (OSError, EOFError, ValueError) as e:
        raise damaged(path, e) from None
    if rest:
        if not rest.endswith(b"\n"):
            rest += b"\n"  # another record may follow it where it is written
        yield _cut(rest, np.array([len(rest)]))


def _record_ends(data: np.ndarray, fastq: bool) -> np.ndarray:
    """Where the whole records of a block end, in ascending order; the last record of FASTA may go on in the next block."""
    lines = np.flatnonzero(data == NEWLINE) + 1
    if fastq:
        return lines[LINES - 1 :: LINES]
    lines = lines[lines < len(data)]
    return lines[data[lines] == GREATER]


def _cut(data: bytes, ends: np.ndarray) -> pa.LargeBinaryArray:
    """The records of a block, without copying it. ends: [n], where each ends."""
    offsets = np.concatenate([[0], ends]).astype(np.int64)
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def content(records: pa.LargeBinaryArray) -> memoryview:
    """All bytes of an array of records or lines, one after the other."""
    if not len(records):
        return memoryview(b"")
    first, last = offsets(records)[[0, -1]]
    return memoryview(records.buffers()[2])[first:last]


def offsets(records: pa.LargeBinaryArray) -> np.ndarray:
    """Where records begin in their buffer, and the end of the last: [n + 1] int64."""
    return np.frombuffer(records.buffers()[1], np.int64)[records.offset : records.offset + len(records) + 1]


def names(records: pa.LargeBinaryArray) -> pa.LargeBinaryArray:
    """The first line of each record without its mark (@ or >) and line break."""
    if not len(records):
        return pa.array([], pa.large_binary())
    at = offsets(records)
    base, stop = int(at[0]), int(at[-1])
    data = np.frombuffer(records.buffers()[2], np.uint8)[base:stop]
    starts = at[:-1] - base + 1
    lines = np.flatnonzero(data == NEWLINE)
    ends = lines[np.searchsorted(lines, starts)]
    ends = ends - (data[ends - 1] == RETURN)
    return _between(records.buffers()[2].slice(base, stop - base), starts, np.maximum(starts, ends))


def first_words(lines: pa.LargeBinaryArray) -> pa.LargeBinaryArray:
    """Each line up to its first space or tab: the name that other programs know a read by."""
    return _before(lines, b" \t")


def without_tabs(lines: pa.LargeBinaryArray) -> pa.LargeBinaryArray:
    """Each line up to its first tab, which would end a field of a table."""
    return _before(lines, b"\t")


def _before(lines: pa.LargeBinaryArray, marks: bytes) -> pa.LargeBinaryArray:
    """Each line up to the first byte that is one of `marks`."""
    if not len(lines):
        return lines
    at = offsets(lines)
    base, stop = int(at[0]), int(at[-1])
    data = np.frombuffer(lines.buffers()[2], np.uint8)[base:stop] if stop > base else np.empty(0, np.uint8)
    places = (
        np.flatnonzero(np.isin(data, np.frombuffer(marks, np.uint8))) if len(marks) > 1 else np.flatnonzero(data == marks[0])
    )
    if not len(places):
        return lines
    starts, ends = at[:-1] - base, at[1:] - base
    following = np.searchsorted(places, starts)
    found = places[np.minimum(following, len(places) - 1)]
    cut = np.where((following < len(places)) & (found < ends), found, ends)
    return _between(lines.buffers()[2].slice(base, stop - base), starts, cut)


def _between(data: pa.Buffer, starts: np.ndarray, ends: np.ndarray) -> pa.LargeBinaryArray:
    """Stretches of a buffer, each [start, end), which follow each other."""
    borders = np.empty(2 * len(starts), np.int64)
    borders[::2], borders[1::2] = starts, ends
    pieces = pa.LargeBinaryArray.from_buffers(pa.large_binary(), 2 * len(starts) - 1, [None, pa.py_buffer(borders), data])
    return pieces.take(pa.array(np.arange(0, 2 * len(starts) - 1, 2)))
