"""Exact 31-mers, on either strand, that test windows share with training windows.

Folds consist of whole clusters, so a 31-mer can leak only if it occurs in sources of two folds. Such 31-mers are few. They are
found first, among the sources, together with the place of each occurrence. A window is then an interval that covers some of
these occurrences, and two windows share a 31-mer if they cover occurrences of the same one. The answer is exact, and the memory
needed depends on the sources, not on the number of windows.
"""

from dataclasses import dataclass

import numpy as np

from virshort.fold_roles import trained_on
from virshort.sequence.canonical_31mers import K, distinct, scan

_BITS = 2 * K
_SPARE_BITS = 64 - _BITS
_FILTER_BITS = 24
_BLOCK = 1 << 20


@dataclass
class SharedKmers:
    """The 31-mers that occur in more than one fold, and all their occurrences.

    folds: [kmers] uint64, bit f set if fold f holds the 31-mer; position: [occurrences] int64, increasing, the first base
    in the sequence file; kmer: [occurrences] int32, the number of the 31-mer; fold: [occurrences] int8, the fold of the
    source.
    """

    folds: np.ndarray
    position: np.ndarray
    kmer: np.ndarray
    fold: np.ndarray


def find_shared_kmers(
    bases: np.ndarray, offset: np.ndarray, length: np.ndarray, fold: np.ndarray, budget: int = 320 << 20
) -> SharedKmers:
    """Find every canonical 31-mer that occurs in sources of two folds or more, and all its occurrences.

    bases: [total] uint8 upper-case letters (may be a memmap), of which all but A, C, G and T interrupt a 31-mer; offset,
    length: [sources] int64, each source directly following the one before; fold: [sources] int, 0 .. 63. The 31-mers are
    sorted in several parts, so that each needs at most `budget` bytes; every part costs one pass over the sources. Raises
    ValueError for other folds.
    """
    fold = np.asarray(fold)
    if len(fold) and not 0 <= fold.min() <= fold.max() <= 63:
        raise ValueError("folds must be 0 .. 63")
    for_memory = (int(length.sum()) * 8 // budget).bit_length()
    for_folds = int(fold.max(initial=0)).bit_length() - _SPARE_BITS
    part_bits = max(for_memory, for_folds)
    parts = [_kmers_of_part(bases, offset, length, fold, part, part_bits) for part in range(1 << part_bits)]
    kmers, folds = (np.concatenate(x) for x in zip(*parts, strict=True))  # increasing, because the parts are
    return SharedKmers(folds, *_occurrences(bases, offset, length, fold, kmers))


def _kmers_of_part(
    bases: np.ndarray, offset: np.ndarray, length: np.ndarray, fold: np.ndarray, part: int, part_bits: int
) -> tuple[np.ndarray, np.ndarray]:
    """The shared 31-mers (scattered, increasing) whose highest `part_bits` bits are `part`, and their folds as bit sets."""
    spare = np.uint64(part_bits + _SPARE_BITS)  # bits that all 31-mers of the part have in common make room for the fold
    top = np.uint64(_BITS - part_bits)
    fold = fold.astype(np.uint64)
    keys, size = np.empty(int(length.sum() / (1 << part_bits) * 1.02) + 1, np.uint64), 0
    for _, kmers, source in scan(bases, offset, length):
        if part_bits:
            own = np.flatnonzero(kmers >> top == part)
            kmers, source = kmers[own], source[own]
        end = size + len(kmers)
        if end > len(keys):  # a repeat makes this part larger than the others
            keys = np.concatenate([keys[:size], np.empty(size // 4 + len(kmers), np.uint64)])
        keys[size:end] = (kmers << spare) | fold[source]
        size = end
    keys = keys[:size]
    keys.sort()
    kmers, folds = _in_two_folds(keys, int(spare))
    return kmers | (np.uint64(part) << top), folds


def _in_two_folds(keys: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """The 31-mers that have two folds or more among sorted keys, and their folds.

    keys: [n] uint64, a 31-mer with its fold in the lowest `bits` bits. Returns [m] uint64, increasing, and [m] uint64 bit
    sets."""
    beside = [np.empty(0, np.int64)]
    for a in range(0, len(keys) - 1, _BLOCK):
        differ = keys[a + 1 : a + 1 + _BLOCK] ^ keys[a : a + _BLOCK][: len(keys) - 1 - a]
        at = a + np.flatnonzero((differ > 0) & (differ >> np.uint64(bits) == 0))
        beside += [at, at + 1]  # since keys are sorted, each fold of such a 31-mer is next to a change of fold
    at = distinct(np.concatenate(beside))
    kmers, first = np.unique(keys[at] >> np.uint64(bits), return_index=True)
    fold = np.uint64(1) << (keys[at] & np.uint64((1 << bits) - 1))
    return kmers, np.bitwise_or.reduceat(fold, first) if len(first) else fold


def _occurrences(
    bases: np.ndarray, offset: np.ndarray, length: np.ndarray, fold: np.ndarray, kmers: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The position, 31-mer number and fold of all occurrences of the 31-mers `kmers` (scattered, increasing)."""
    filter_bits = min(_FILTER_BITS, len(kmers).bit_length() + 5)
    low = np.uint64(_BITS - filter_bits)
    seen = np.zeros(1 << filter_bits, bool)  # dismisses most 31-mers by one look into a table that fits the cache
    seen[kmers >> low] = True
    found = [(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int8))]
    for position, values, source in scan(bases, offset, length) if len(kmers) else ():
        maybe = np.flatnonzero(seen[values >> low])
        number = np.searchsorted(kmers, values[maybe])
        number[number == len(kmers)] = 0
        sure = kmers[number] == values[maybe]
        at = maybe[sure]
        found.append((position[at], number[sure].astype(np.int32), fold[source[at]].astype(np.int8)))
    positions, numbers, folds = (np.concatenate(x) for x in zip(*found, strict=True))
    return positions, numbers, folds


def shared_stretches(shared: SharedKmers) -> tuple[np.ndarray, np.ndarray]:
    """The stretches of the sequence file that shared 31-mers cover. Returns starts and ends, [stretches] int64 each."""
    position = shared.position
    if not len(position):
        return position, position
    gap = np.flatnonzero(np.diff(position) > K)
    return position[np.concatenate(([0], gap + 1))], position[np.concatenate((gap, [len(position) - 1]))] + K


def window_occurrences(shared: SharedKmers, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The occurrences [first, last) that lie wholly in each window. start, end: [n] int64 in the sequence file.

    Returns two [n] int64; last equals first where a window covers none."""
    first = np.searchsorted(shared.position, start)
    return first, np.maximum(first, np.searchsorted(shared.position, end - K, side="right"))


class WindowCoverage:
    """The occurrences that windows cover. Windows may be added in any number of blocks."""

    def __init__(self, shared: SharedKmers):
        self.shared = shared
        self._change = np.zeros(len(shared.position) + 1, np.int64)

    def add(self, start: np.ndarray, end: np.ndarray) -> None:
        """Add windows. start, end: [n] int64 in the sequence file."""
        first, last = window_occurrences(self.shared, start, end)
        some = last > first
        np.add.at(self._change, first[some], 1)
        np.add.at(self._change, last[some], -1)

    def folds(self) -> np.ndarray:
        """The folds whose windows cover each 31-mer: [kmers] uint64, bit f set for fold f."""
        covered = np.cumsum(self._change[:-1]) > 0
        held = np.zeros(len(self.shared.folds), np.uint64)
        for fold in np.unique(self.shared.fold):
            here = np.zeros(len(held), bool)
            here[self.shared.kmer[covered & (self.shared.fold == fold)]] = True
            held |= here.astype(np.uint64) << np.uint64(fold)
        return held


class LeakingOccurrences:
    """The occurrences whose 31-mer is trained on when the fold that they lie in is tested."""

    def __init__(self, shared: SharedKmers, held: np.ndarray, folds: int):
        """held: [kmers] uint64, the folds whose training windows (or sources) hold each 31-mer, as bit sets."""
        self.shared, self.held = shared, held
        self.training = trained_on(folds) @ (np.uint64(1) << np.arange(folds, dtype=np.uint64))  # as bit sets, by test fold
        leaking = held[shared.kmer] & self.training[shared.fold] > 0
        self._before = np.concatenate(([0], np.cumsum(leaking)))

    def count(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """The 31-mers of each test window that are trained on, [n] int64. start, end: [n] int64 in the sequence file."""
        first, last = window_occurrences(self.shared, start, end)
        return self._before[last] - self._before[first]

    def example(self, start: int, end: int) -> int:
        """A position in the sequence file where a training fold holds the first leaking 31-mer of a test window.

        start, end: of a window for which `count` is not 0. If the training set consists of windows, one of them in that
        fold holds the 31-mer, though not always at this position."""
        first, last = (int(x[0]) for x in window_occurrences(self.shared, np.array([start]), np.array([end])))
        leaking = first + int(np.flatnonzero(np.diff(self._before[first : last + 1]))[0])
        kmer = self.shared.kmer[leaking]
        folds = self.held[kmer] & self.training[self.shared.fold[leaking]]
        same = np.flatnonzero(self.shared.kmer == kmer)
        there = (np.uint64(1) << self.shared.fold[same].astype(np.uint64)) & folds > 0
        return int(self.shared.position[same[there][0]])
