"""Which reads share sequence with the sources of a model: canonical 31-mers at evenly spaced positions of every source.

A read looks up all of its 31-mers, so where one position in `step` is kept, a stretch of 30 + step bases that a read and a
source have in common is always found, and a shorter one of n bases by (n - 30) / step of the chances. Numbers are kept whole,
so what is found is shared: there are no false positives. With a step of 1 the answer is exact.
"""

import numpy as np

from virshort.sequence.canonical_31mers import distinct, scan

EXACT = 1 << 24
"""Bases up to which every 31-mer is kept (128 MiB)."""
LARGEST_STEP = 16
"""Then every stretch of 46 bases is still found, and a model needs half a byte per base."""


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
