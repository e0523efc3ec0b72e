"""Canonical 31-mers as 62-bit integers, a chunk of a long sequence at a time."""

from collections.abc import Iterator

import numpy as np

K = 31
CHUNK = 1 << 15
"""Bases a chunk: its arrays stay in the processor's cache, which makes the packing several times faster."""

_CODE = np.full(256, 4, np.uint8)
_CODE[list(b"ACGT")] = range(4)
_MIX = np.uint64(0x1E3779B97F4A7C15)
_62_BITS = np.uint64((1 << 62) - 1)
_30_BITS = np.uint64((1 << 30) - 1)


def pack(letters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Canonical 31-mers of a sequence. letters: [n] uint8, upper-case ASCII.

    Returns [m] uint64, the smaller of the 31-mer and its reverse complement, each read as a number of base 4 with
    A, C, G, T = 0..3, and [m] bool, False where the 31-mer holds another letter (its number then means nothing);
    m = n - 30, or 0 where that is negative.
    """
    n = len(letters) - K + 1
    if n <= 0:
        return np.empty(0, np.uint64), np.empty(0, bool)
    code = _CODE[letters]
    other = code > 3
    forward = (code & 3).astype(np.uint64)
    reverse = forward ^ np.uint64(3)
    for width in (1, 2, 4, 8):  # words of 2, 4, 8 and 16 bases from two of half the length
        bits = np.uint64(2 * width)
        forward = (forward[:-width] << bits) | forward[width:]
        reverse = (reverse[width:] << bits) | reverse[:-width]
    # two words of 16 bases that overlap by one make 31
    forward = (forward[:n] << np.uint64(30)) | (forward[15:] & _30_BITS)
    reverse = (reverse[15:] << np.uint64(30)) | (reverse[:n] & _30_BITS)
    if not other.any():
        return np.minimum(forward, reverse), np.ones(n, bool)
    seen = np.concatenate(([0], np.cumsum(other, dtype=np.int32)))
    return np.minimum(forward, reverse), seen[K:] == seen[:-K]


def scatter(kmers: np.ndarray) -> np.ndarray:
    """Scatter 62-bit numbers over 62 bits, one to one (an odd factor modulo 2^62). kmers: [n] uint64."""
    return (kmers * _MIX) & _62_BITS


def pieces(offset: np.ndarray, length: np.ndarray, size: int) -> Iterator[tuple[int, int, int]]:
    """Yield (source number, first, last) so that the 31-mers of sequence[first:last] over all pieces are every 31-mer
    of every source once, and none across two sources. offset, length: [sources] int64."""
    for source, (start, bases) in enumerate(zip(offset.tolist(), length.tolist(), strict=True)):
        for first in range(start, start + bases - K + 1, size):
            yield source, first, min(first + size + K - 1, start + bases)


def scan(bases: np.ndarray, offset: np.ndarray, length: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Every 31-mer that lies within one source and holds A, C, G, T only, some at a time, in order of position.

    bases: [total] uint8 upper-case letters (may be a memmap); offset, length: [sources] int64, one source directly
    behind the other. Yields [m] int64 positions of the first base, [m] uint64 canonical 31-mers after `scatter`, [m] source
    numbers. Raises ValueError where sources do not follow each other.
    """
    ends = offset + length
    if len(offset) and (offset[0] != 0 or (offset[1:] != ends[:-1]).any()):
        raise ValueError("the sources do not lie one directly behind the other")
    total = int(ends[-1]) if len(ends) else 0
    for first in range(0, total - K + 1, CHUNK):
        kmers, valid = pack(bases[first : min(total, first + CHUNK + K - 1)])
        a, b = np.searchsorted(ends, (first, first + len(kmers) - 1), side="right")
        source = np.repeat(np.arange(a, b + 1), np.diff(ends[a:b] - first, prepend=0, append=len(kmers)))
        near = ends[a : np.searchsorted(ends, first + len(kmers) + K, side="right")]
        across = (near[:, None] - np.arange(1, K)).ravel() - first
        valid[across[(across >= 0) & (across < len(kmers))]] = False
        at = np.flatnonzero(valid)
        yield at + first, scatter(kmers[at]), source[at]
