"""Which reads share sequence with the sources of a model: canonical 31-mers at evenly spaced positions of every source.

A read looks up all of its 31-mers, so where one position in `step` is kept, a stretch of 30 + step bases that a read and a
source have in common is always found, and a shorter one of n bases by (n - 30) / step of the chances. Numbers are kept whole,
so what is found is shared: there are no false positives. With a step of 1 the answer is exact.
"""

from collections.abc import Sequence

import numpy as np

from virshort.sequence.canonical_31mers import K, distinct, scan

EXACT = 1 << 24
"""Bases up to which every 31-mer is kept (128 MiB)."""
LARGEST_STEP = 16
"""Then every stretch of 46 bases is still found, and a model needs half a byte per base."""
_BITS = 2 * K
_ONE, _THREE, _SEVEN = (np.uint64(n) for n in (1, 3, 7))
_CHUNK = 1 << 22  # bases of reads, or 31-mers, that are worked on at a time


def step_for(bases: int) -> int:
    """Every how many positions a 31-mer is kept of sources with so many bases."""
    return min(LARGEST_STEP, max(1, -(-bases // EXACT)))


def spaced_kmers(bases: np.ndarray, offset: np.ndarray, length: np.ndarray, step: int) -> np.ndarray:
    """The canonical 31-mers at every `step`-th position of each source that consist of A, C, G and T: [k] uint64, scattered
    (canonical_31mers.scatter) and increasing.

    bases: [total] uint8 upper-case letters (may be a memmap); offset, length: [sources] int64, each source directly after the
    one before."""
    kept = [np.empty(0, np.uint64)]
    for position, kmers, source in scan(bases, offset, length):
        kept.append(kmers[(position - offset[source]) % step == 0])
    return distinct(np.concatenate(kept))


class SourceKmers:
    """The 31-mers of the sources, ready to be looked up. kmers: [k] uint64 as `spaced_kmers` gives them."""

    def __init__(self, kmers: np.ndarray):
        self.kmers = kmers
        size = len(kmers).bit_length()
        # One look at a bit dismisses nearly all 31-mers that are not there. The others are sought among the few that begin with
        # the same bits, since a binary search in memory is slow.
        self._to_bit, self._to_bucket = np.uint64(_BITS - min(size + 4, 30)), np.uint64(_BITS - size)
        self._filter = np.zeros(1 << max(min(size + 4, 30) - 3, 0), np.uint8)
        self._first = np.zeros((1 << size) + 1, np.uint32)
        for at in range(0, len(kmers), _CHUNK):
            bit = kmers[at : at + _CHUNK] >> self._to_bit
            byte = bit >> _THREE
            begin = np.flatnonzero(np.diff(byte, prepend=np.uint64(1 << 63)))
            self._filter[byte[begin]] |= np.bitwise_or.reduceat(_bit_of(bit), begin)
            self._first[1:] += np.bincount(kmers[at : at + _CHUNK] >> self._to_bucket, minlength=1 << size).astype(np.uint32)
        np.cumsum(self._first, out=self._first)

    def shared_by(self, sequences: Sequence[bytes]) -> np.ndarray:
        """Whether each sequence has one of the 31-mers, on either strand. sequences: n, upper case. Returns [n] bool."""
        found = np.zeros(len(sequences), bool)
        length = np.array([len(s) for s in sequences], np.int64)
        part = (np.cumsum(length) - length) // _CHUNK
        for rows in np.split(np.arange(len(sequences)), np.flatnonzero(np.diff(part)) + 1):
            here = length[rows]
            letters = np.frombuffer(b"".join(sequences[r] for r in rows.tolist()), np.uint8)
            for _, kmers, number in scan(letters, np.cumsum(here) - here, here):
                maybe = self._maybe(kmers)
                found[rows[number[maybe[self._holds(kmers[maybe])]]]] = True
        return found

    def _maybe(self, kmers: np.ndarray) -> np.ndarray:
        """The numbers of those that pass the filter."""
        bit = kmers >> self._to_bit
        return np.flatnonzero(self._filter[bit >> _THREE] & _bit_of(bit))

    def _holds(self, kmers: np.ndarray) -> np.ndarray:
        """Whether each is one of the 31-mers. Returns bool."""
        bucket = kmers >> self._to_bucket
        at, end = self._first[bucket], self._first[bucket + _ONE]
        found = np.zeros(len(kmers), bool)
        left = np.flatnonzero(at < end)
        while len(left):
            found[left] = self.kmers[at[left]] == kmers[left]
            at[left] += np.uint32(1)
            left = left[~found[left] & (at[left] < end[left])]
        return found


def _bit_of(bit: np.ndarray) -> np.ndarray:
    """A byte with the bit of that number in it. Returns uint8."""
    return np.left_shift(np.uint8(1), (bit & _SEVEN).astype(np.uint8), dtype=np.uint8)
