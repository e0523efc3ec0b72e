"""Where the bases of a read end that are those of the sample: before low qualities, poly-G tails and adapters.

Reads are given by places in one array: `first` and `last`, [n] int64, of each read's first base and of the one after its last.
Every function returns new places for `last`, and leaves reads alone in which it finds nothing."""

import numba
import numpy as np

from virshort.reads.packing import CODE, pack

ADAPTERS = (
    b"AGATCGGAAGAGC",  # Illumina TruSeq: what both mates begin with
    b"CTGTCTCTTATACACATCT",  # Illumina Nextera
    b"TGGAATTCTCGGGTGCCAAGG",  # Illumina small RNA
    b"AAGTCGGAGGCCAAGCGGTC",  # MGI, first mates
    b"AAGTCGGATCGTAGCCATGT",  # MGI, second mates
)
"""Adapters as they are read at the 3' end of a fragment that is shorter than its reads."""
SHORTEST_ADAPTER = 8
"""Bases of an adapter that must be read; fewer occur by chance."""
BASES_PER_MISMATCH = 12
"""One mismatch is allowed for so many bases of an adapter: none in a beginning of 8 to 11 bases."""
_POLY_G, _BASES_PER_OTHER, _OTHERS = 10, 8, 5
"""A tail of 10 bases or more is poly-G if it has at most one other base in 8, and five in all, as in fastp (Chen et al.,
Bioinformatics 34:i884, 2018)."""
_HALF, _HALVES = 6, 1 << 12
_starts, _ends = np.zeros(_HALVES, bool), np.zeros(_HALVES, bool)
"""[4^6] six bases as in a word of `pack` -> whether an adapter begins with them, or has them next. Where an adapter has at most
one mismatch in its first 12 bases, one of the two is there."""
for _adapter in ADAPTERS:
    for _table, _at in ((_starts, 0), (_ends, _HALF)):
        _bases = np.frombuffer(_adapter, np.uint8)[_at : _at + _HALF]
        _table[int((CODE[_bases] << np.arange(0, 2 * _HALF, 2, dtype=np.uint64)).sum())] = True
_joined = np.frombuffer(b"".join(ADAPTERS), np.uint8)
_bounds = np.cumsum([0, *map(len, ADAPTERS)])


def before_adapters(letters: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Where the first adapter begins, whole or cut off by the end of the read. letters: [bases] uint8, upper case."""
    return _before_adapters(letters, first, last, _joined, _bounds, CODE, _starts, _ends)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _before_adapters(
    letters: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    adapters: np.ndarray,
    bounds: np.ndarray,
    code: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
) -> np.ndarray:
    found = last.copy()
    longest = 0
    for row in range(len(first)):
        longest = max(longest, last[row] - first[row])
    words = np.empty(longest, np.uint64)
    half = np.uint64(_HALVES - 1)
    for row in range(len(first)):
        pack(letters, first[row], last[row], code, words)
        for start in range(first[row], last[row] - SHORTEST_ADAPTER + 1):
            word = words[start - first[row]]
            if not (starts[word & half] or ends[(word >> np.uint64(2 * _HALF)) & half]):
                continue  # nearly all end here
            for number in range(len(bounds) - 1):
                size = min(bounds[number + 1] - bounds[number], last[row] - start)
                allowed = size // BASES_PER_MISMATCH
                for i in range(size):
                    if letters[start + i] != adapters[bounds[number] + i]:
                        allowed -= 1
                        if allowed < 0:
                            break
                if allowed >= 0:
                    found[row] = start
                    break
            if found[row] != last[row]:
                break
    return found


@numba.njit(nogil=True, cache=True, boundscheck=False)
def before_poly_g(letters: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Where a tail of G begins, which sequencers with two colours write where they see no light. letters: as above."""
    found = last.copy()
    for row in range(len(first)):
        others, begin = 0, last[row]
        for size in range(1, last[row] - first[row] + 1):
            at = last[row] - size
            others += letters[at] != 71  # G
            if others > _OTHERS or (others > size // _BASES_PER_OTHER and size >= _POLY_G):
                break
            if letters[at] == 71:
                begin = at
        if last[row] - begin >= _POLY_G:
            found[row] = begin
    return found


@numba.njit(nogil=True, cache=True, boundscheck=False)
def before_low_quality(
    text: np.ndarray, quality_first: np.ndarray, first: np.ndarray, last: np.ndarray, cutoff: int
) -> np.ndarray:
    """Where qualities below the cutoff prevail up to the 3' end: the place with the largest sum of (cutoff - quality) after it,
    as in BWA and cutadapt.

    text: [bytes] uint8, with qualities as ASCII - 33; quality_first: [n], where those of each read begin in it."""
    found = last.copy()
    for row in range(len(first)):
        most, total = np.int64(0), np.int64(0)
        for i in range(last[row] - first[row] - 1, -1, -1):
            total += cutoff - (np.int64(text[quality_first[row] + i]) - 33)
            if total < 0:
                break
            if total > most:
                most = total
                found[row] = first[row] + i
    return found
