"""Which reads share sequence with the sources of a model: canonical 31-mers at evenly spaced positions of every source.

A read looks up all of its 31-mers, so where one position in `step` is kept, a stretch of 30 + step bases that a read and a
source have in common is always found, and a shorter one of n bases by (n - 30) / step of the chances. Numbers are kept whole,
so what is found is shared: there are no false positives. With a step of 1 the answer is exact.
"""

from collections.abc import Sequence

import numpy as np

from virshort.sequence.canonical_31mers import K, scan

EXACT = 1 << 24
"""Bases up to which every 31-mer is kept (128 MiB)."""
LARGEST_STEP = 16
"""Then every stretch of 46 bases is still found, and a model needs half a byte per base."""
_BITS = 2 * K
_CHUNK = 1 << 22  # bases of reads that are looked up at a time


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
    return np.unique(np.concatenate(kept))


class SourceKmers:
    """The 31-mers of the sources, ready to be looked up. kmers: [k] uint64 as `spaced_kmers` gives them."""

    def __init__(self, kmers: np.ndarray):
        self.kmers = kmers
        bits = min(30, len(kmers).bit_length() + 4)
        self._shift = np.uint64(_BITS - bits)
        filled = np.zeros(1 << bits, bool)
        filled[kmers >> self._shift] = True
        self._filter = np.packbits(filled, bitorder="little")  # one look dismisses most 31-mers that are not there

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
        bit = kmers >> self._shift
        return np.flatnonzero(self._filter[bit >> np.uint64(3)] >> (bit & np.uint64(7)).astype(np.uint8) & 1)

    def _holds(self, kmers: np.ndarray) -> np.ndarray:
        """Whether each is one of the 31-mers. Returns bool."""
        if not len(self.kmers):
            return np.zeros(len(kmers), bool)
        at = np.minimum(np.searchsorted(self.kmers, kmers), len(self.kmers) - 1)
        return self.kmers[at] == kmers
