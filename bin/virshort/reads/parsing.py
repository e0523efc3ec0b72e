"""FASTQ and FASTA text as arrays of records, without a loop over records."""

import numba
import numpy as np

from virshort.errors import RowError
from virshort.reads.records import Records
from virshort.sources.records import CANONICAL

_LETTERS = CANONICAL[: ord(".")] + b"N" + CANONICAL[ord(".") + 1 :]
"""[256] letter -> upper-case IUPAC letter, or '-'. Older sequencers write '.' where they read no base."""
_NEWLINE, _RETURN, _GAP = ord("\n"), ord("\r"), ord("-")


def parse_fastq(text: np.ndarray) -> tuple[Records, int]:
    """The complete records at the start of FASTQ text, four lines each with any line ends, and the bytes that they take.

    text: [bytes] uint8. Raises RowError for the first record that is none: it does not begin with '@', has no name,
    spreads over more lines, has letters that are no bases, or another number of qualities than bases."""
    ends = np.flatnonzero(text == _NEWLINE)
    ends = ends[: len(ends) // 4 * 4]
    used = int(ends[-1]) + 1 if len(ends) else 0
    text = text[:used]
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    stops = ends - (text[ends - 1] == _RETURN) * (ends > starts)  # without a carriage return
    first, bases, plus, quality = starts[::4], starts[1::4], starts[2::4], starts[3::4]
    name_last, bases_last, quality_last = stops[::4], stops[1::4], stops[3::4]
    letters = _canonical(text)
    records = Records(text, first, ends[3::4] + 1, name_last, letters, bases, bases_last, quality)
    wrong = (text[first] != ord("@")) | (text[plus] != ord("+")) | (quality_last - quality != records.lengths)
    _raise_first(records, wrong, quality_last - quality, plus)
    return records, used


def parse_fasta(text: np.ndarray, last: bool) -> tuple[Records, int]:
    """The complete records at the start of FASTA text, and the bytes that they take. A record is complete if another follows,
    or if `last` says that the text ends with it. Bases may spread over lines.

    text: [bytes] uint8, which begins with '>'. Raises RowError for the first record that has no name or letters that are no
    bases."""
    line = np.concatenate(([0], np.flatnonzero(text == _NEWLINE) + 1))
    line = line[line < len(text)]
    headers = np.flatnonzero(text[line] == ord(">"))
    first = line[headers]
    bounds = np.append(first, len(text))
    if not last:
        bounds, headers, first = bounds[:-1], headers[:-1], first[:-1]
    used = int(bounds[-1]) if len(bounds) else 0
    header_end = np.append(line, len(text))[headers + 1]  # the first byte of the next line
    name_last = header_end - (text[header_end - 1] == _NEWLINE)
    name_last -= text[name_last - 1] == _RETURN
    inside = np.zeros(used + 1, np.int8)  # of a header's line
    inside[first] += 1
    np.add.at(inside, header_end, -1)
    kept = (np.cumsum(inside[:-1], dtype=np.int8) == 0) & (text[:used] != _NEWLINE) & (text[:used] != _RETURN)
    letters = _canonical(text[:used][kept])
    before = np.concatenate(([0], np.cumsum(kept)))
    records = Records(text[:used], first, bounds[1:], name_last, letters, before[first], before[bounds[1:]], None)
    _raise_first(records, np.zeros(len(records), bool))
    return records, used


def _canonical(text: np.ndarray) -> np.ndarray:
    return np.frombuffer(text.tobytes().translate(_LETTERS), np.uint8)


def _raise_first(
    records: Records, wrong: np.ndarray, qualities: np.ndarray | None = None, plus: np.ndarray | None = None
) -> None:
    """Raise RowError for the first record that is marked as wrong, has no name or a letter that is no base.

    wrong: [n] bool; for FASTQ, qualities: [n] int64, their number, and plus: [n] int64, where the third line begins."""
    nameless = _SPACE[records.text[records.first + 1]]
    broken = wrong | nameless | _has(records.letters, _GAP, records.bases_first, records.bases_last)
    if not broken.any():
        return
    row = int(np.argmax(broken))
    if plus is not None and qualities is not None and wrong[row]:
        if records.text[records.first[row]] != ord("@"):
            raise RowError(row, "does not begin with '@': this is not FASTQ, or a line before it is missing or too many")
        if records.text[plus[row]] != ord("+"):
            raise RowError(row, "the third line does not begin with '+': write each record of FASTQ in four lines")
        n = int(records.lengths[row])
        raise RowError(
            row, f"{records.name(row)} has {n} bases but {qualities[row]} qualities: download or write the file again"
        )
    if nameless[row]:
        raise RowError(row, "has no name: give every read a name, directly after the '@' or '>'")
    bases = slice(int(records.bases_first[row]), int(records.bases_last[row]))
    strange = int(np.argmax(records.letters[bases] == _GAP))
    letter = f"as base {strange + 1} a character" if plus is None else repr(chr(records.text[bases.start + strange]))
    raise RowError(row, f"{records.name(row)} has {letter}, which is not an IUPAC base: correct or remove the record")


_SPACE = np.isin(np.arange(256), list(b" \t\r\n\v\f"))


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _has(letters: np.ndarray, letter: int, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """[n] bool: whether letters[first:last] has a letter."""
    found = np.zeros(len(first), np.bool_)
    for row in range(len(first)):
        for at in range(first[row], last[row]):
            if letters[at] == letter:
                found[row] = True
    return found
