"""Unaligned BAM as FASTQ text (SAM/BAM specification, section 4.2)."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import numba
import numpy as np

from virshort.errors import RowError

MAGIC = b"BAM\1"
PAIRED, UNMAPPED, SECOND = 0x1, 0x4, 0x80
_FIXED = 32
"""Bytes of a record before its name."""
_BGZF = bytes.fromhex("1f8b0804"), b"BC"
"""How a file compressed in blocks begins, and what stands at byte 12."""
_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""The empty block at its end."""
_CODES = np.frombuffer(b"=ACMGRSVTWYHKDBN", np.uint8).copy()
"""[16] code of a base -> letter."""


def check_end(path: Path) -> None:
    """Raise EOFError if a BAM file that is compressed in blocks lacks its last block: it may have been cut between two
    records."""
    with path.open("rb") as file:
        start = file.read(14)
        file.seek(max(path.stat().st_size - len(_END), 0))
        if start.startswith(_BGZF[0]) and start[12:] == _BGZF[1] and file.read() != _END:
            raise EOFError("it lacks the mark at the end of a BAM file")


def fastq_text(stream: io.BufferedReader, block: int) -> Iterator[bytes]:
    """FASTQ records of the reads of a BAM file, in pieces of about `block` bytes. Reads without qualities get the lowest, '"',
    as from samtools.

    stream: the decompressed file. Raises RowError, with the number of the record, if a read is aligned (its bases may then be
    those of the other strand), or if the mates of a pair do not follow each other; EOFError if the file ends too early.
    """
    _skip_header(stream)
    rest, number = b"", 0
    while piece := stream.read(block):
        data = np.frombuffer(rest + piece, np.uint8)
        start = _starts(data)
        rows = len(start) - 1
        flags = _int16(data, start[:-1] + 18)
        if rows % 2 and flags[-1] & PAIRED:
            rows -= 1  # its mate comes with the next piece
        _check(data, start[: rows + 1], flags[:rows], number)
        yield _write(data, start[: rows + 1], _CODES).tobytes()
        number += rows
        rest = data[start[rows] :].tobytes()
    if rest:
        raise EOFError("it ends in the middle of a record, or with one mate of a pair")


def _skip_header(stream: io.BufferedReader) -> None:
    _exactly(stream, len(MAGIC))
    _exactly(stream, *struct.unpack("<i", _exactly(stream, 4)))
    (references,) = struct.unpack("<i", _exactly(stream, 4))
    for _ in range(references):
        _exactly(stream, *struct.unpack("<i", _exactly(stream, 4)))
        _exactly(stream, 4)


def _exactly(stream: io.BufferedReader, size: int) -> bytes:
    found = stream.read(size) if size >= 0 else b""
    if len(found) != size:
        raise EOFError("its header is incomplete")
    return found


def _int16(data: np.ndarray, at: np.ndarray) -> np.ndarray:
    return data[at].astype(np.int64) | data[at + 1].astype(np.int64) << 8


def _check(data: np.ndarray, start: np.ndarray, flags: np.ndarray, number: int) -> None:
    """Raise RowError for the first record that cannot be used. number: that of the first record in the file, from 0."""
    for bad, why in (
        (~_holds_its_fields(data, start), "is damaged: download or write the file again"),
        (flags & UNMAPPED == 0, "is aligned: give the reads as FASTQ, for example by `samtools fastq`"),
        (_without_mate(data, start, flags), "its mate does not stand beside it: sort the file by `samtools collate`"),
    ):
        if bad.any():
            raise RowError(number + int(np.argmax(bad)), why)


def _without_mate(data: np.ndarray, start: np.ndarray, flags: np.ndarray) -> np.ndarray:
    """[n] bool: False where no read is paired, or where first and second mates of one name alternate."""
    paired = flags & PAIRED != 0
    if not paired.any():
        return paired
    expected = np.arange(len(flags)) % 2 == 1
    return ~paired | ((flags & SECOND != 0) != expected) | ~np.repeat(_same_names(data, start), 2)[: len(flags)]


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _starts(data: np.ndarray) -> np.ndarray:
    """Where the complete records of some data begin, and where the last of them ends."""
    found = []
    at = np.int64(0)
    while at + 4 + _FIXED <= len(data):
        size = _int32(data, at)
        if size < _FIXED or at + 4 + size > len(data):
            break
        found.append(at)
        at += 4 + size
    found.append(at)
    return np.array(found)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _holds_its_fields(data: np.ndarray, start: np.ndarray) -> np.ndarray:
    """[n] bool: whether the name, bases and qualities of a record are as long as it says."""
    found = np.zeros(len(start) - 1, np.bool_)
    for row in range(len(start) - 1):
        at = start[row] + 4
        cigar = np.int64(data[at + 12]) + 256 * np.int64(data[at + 13])
        length = _int32(data, at + 16)
        name = np.int64(data[at + 8])  # with a zero at its end
        found[row] = name > 0 and length >= 0 and at + _FIXED + name + 4 * cigar + (length + 1) // 2 + length <= start[row + 1]
    return found


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _same_names(data: np.ndarray, start: np.ndarray) -> np.ndarray:
    """[n // 2 rounded up] bool: whether the records 2i and 2i + 1 have one name."""
    found = np.zeros(len(start) // 2, np.bool_)
    for pair in range((len(start) - 1) // 2):
        one, other = start[2 * pair] + 4, start[2 * pair + 1] + 4
        same = data[one + 8] == data[other + 8]
        for i in range(data[one + 8] if same else 0):
            same = same and data[one + _FIXED + i] == data[other + _FIXED + i]
        found[pair] = same
    return found


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _int32(data: np.ndarray, at: np.int64) -> np.int64:
    return (
        np.int64(data[at]) | np.int64(data[at + 1]) << 8 | np.int64(data[at + 2]) << 16 | np.int64(np.int8(data[at + 3])) << 24
    )


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _write(data: np.ndarray, start: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The records data[start[i]:start[i + 1]] as FASTQ text."""
    out = np.empty(2 * (start[-1] - start[0]) + 8 * len(start), np.uint8)  # two letters at most for each byte of a record
    to = np.int64(0)
    for row in range(len(start) - 1):
        at = start[row] + 4
        name = np.int64(data[at + 8]) - 1
        cigar = np.int64(data[at + 12]) + 256 * np.int64(data[at + 13])
        length = _int32(data, at + 16)
        out[to] = 64  # @
        to += 1
        for i in range(name):
            out[to + i] = data[at + _FIXED + i]
        to += name
        out[to] = 10
        to += 1
        bases = at + _FIXED + name + 1 + 4 * cigar
        for i in range(length):
            pair = np.int64(data[bases + i // 2])
            out[to + i] = codes[pair >> 4 if i % 2 == 0 else pair & 15]
        to += length
        out[to], out[to + 1], out[to + 2] = 10, 43, 10  # a line with '+'
        to += 3
        quality = bases + (length + 1) // 2
        for i in range(length):
            value = data[quality + i]
            out[to + i] = 34 if value == 255 else value + 33
        to += length
        out[to] = 10
        to += 1
    return out[:to]
