"""Records of FASTQ and FASTA files as Arrow arrays of bytes, so that they are cut, chosen and written without a Python loop."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from virshort.files import damaged
from virshort.reads.chunks import read_parts
from virshort.reads.records import Records

NEWLINE, RETURN = b"\n"[0], b"\r"[0]


class RecordReader:
    """The records of a chunk's file, in its order, byte for byte."""

    def __init__(self, path: Path):
        self.path = path
        self._parts = read_parts(path)
        self._held = pa.array([], pa.large_binary())

    def take(self, n: int) -> pa.LargeBinaryArray:
        """The next n records, each with its line breaks. Raises InputError if there are fewer."""
        parts, found = [self._held], len(self._held)
        while found < n:
            part = next(self._parts, None)
            if part is None:
                raise damaged(self.path, f"it ends {n - found} records before its scores do")
            parts.append(_as_array(part))
            found += len(part)
        held = pa.concat_arrays(parts) if len(parts) > 1 else parts[0]
        self._held = held.slice(n)
        return held.slice(0, n)

    def finish(self) -> None:
        """Raise InputError if records are left."""
        if len(self._held) or any(len(part) for part in self._parts):
            raise damaged(self.path, "it has more records than its scores")


def _as_array(records: Records) -> pa.LargeBinaryArray:
    """The same records, without a copy of their text."""
    offsets = np.append(records.first, len(records.text))  # each begins where the one before it ends
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(records), [None, pa.py_buffer(offsets), pa.py_buffer(records.text)]
    )


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
