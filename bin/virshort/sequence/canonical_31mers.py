"""Canonical 31-mers as 62-bit integers, computed in chunks of a long sequence."""

from collections.abc import Iterator

import numpy as np

K = 31
CHUNK = 1 << 15
"""Bases per chunk. The arrays of a chunk fit into the processor's cache, which makes packing several times faster."""

CODE = np.full(256, 4, np.uint8)
"""[256] upper-case letter -> 0..3 for A, C, G, T, and 4 for anything else."""
CODE[list(b"ACGT")] = range(4)
MIX = np.uint64(0x1E3779B97F4A7C15)
"""The factor of `scatter`."""
ALL_BITS = np.uint64((1 << 62) - 1)
"""Those of a 31-mer."""
_30_BITS = np.uint64((1 << 30) - 1)


def pack(letters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Canonical 31-mers of a sequence. letters: [n] uint8, upper-case ASCII.

    Returns two arrays of length m = n - 30 (0 if that is negative). The first, uint64, is the smaller of each 31-mer and its
    reverse complement, both read as numbers in base 4 with A, C, G, T = 0..3. The second, bool, is False where the 31-mer
    has another letter; its number is then meaningless.
    """
    n = len(letters) - K + 1
    if n <= 0:
        return np.empty(0, np.uint64), np.empty(0, bool)
    code = CODE[letters]
    other = code > 3
    forward = (code & 3).astype(np.uint64)
    reverse = forward ^ np.uint64(3)
    for width in (1, 2, 4, 8):  # make words of 2, 4, 8 and 16 bases from two words of half the length
        bits = np.uint64(2 * width)
        forward = (forward[:-width] << bits) | forward[width:]
        reverse = (reverse[width:] << bits) | reverse[:-width]
    # Two words of 16 bases that overlap by one base make a 31-mer.
    forward = (forward[:n] << np.uint64(30)) | (forward[15:] & _30_BITS)
    reverse = (reverse[15:] << np.uint64(30)) | (reverse[:n] & _30_BITS)
    if not other.any():
        return np.minimum(forward, reverse), np.ones(n, bool)
    seen = np.concatenate(([0], np.cumsum(other, dtype=np.int32)))
    return np.minimum(forward, reverse), seen[K:] == seen[:-K]


def scatter(kmers: np.ndarray) -> np.ndarray:
    """Scatter 62-bit numbers over all 62 bits, by an odd factor modulo 2^62, so that no two become equal. kmers: [n] uint64."""
    return (kmers * MIX) & ALL_BITS


def distinct(values: np.ndarray) -> np.ndarray:
    """The values that occur, increasing. values: [n] integers. Returns [k].

    np.unique gives the same, but puts them into a hash table first, which takes twenty times as long for millions of them."""
    ordered = np.sort(values)
    return ordered[np.diff(ordered, prepend=~ordered[:1]) != 0]


def overlapping_pieces(offset: np.ndarray, length: np.ndarray, size: int) -> Iterator[tuple[int, int, int]]:
    """Cut sources into pieces of `size` 31-mers, which overlap by 30 bases. offset, length: [sources] int64.

    Yields (source number, first, last). Each 31-mer of each source lies in exactly one piece sequence[first:last], and no
    piece extends over two sources."""
    for source, (start, bases) in enumerate(zip(offset.tolist(), length.tolist(), strict=True)):
        for first in range(start, start + bases - K + 1, size):
            yield source, first, min(first + size + K - 1, start + bases)


def scan(bases: np.ndarray, offset: np.ndarray, length: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Every 31-mer that lies within one source and consists of A, C, G and T, in order of position, one chunk at a time.

    bases: [total] uint8 upper-case letters (may be a memmap); offset, length: [sources] int64, each source directly after the
    one before. Yields [m] int64 positions of the first base, [m] uint64 canonical 31-mers after `scatter`, and [m] source
    numbers. Raises ValueError if there are gaps between sources.
    """
    ends = offset + length
    if len(offset) and (offset[0] != 0 or (offset[1:] != ends[:-1]).any()):
        raise ValueError("each source must begin where the one before it ends")
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
