"""Where windows may lie in the sources, and the order in which positions are drawn.

A cluster's valid start positions, over all its sources, are numbered 0 .. M-1 and visited by a lattice: position
(o + i s) mod M, with s coprime to M and near M / golden ratio. Every position comes once before any comes twice, and each
stretch of the sequence is spread evenly over the sources (Weyl's equidistribution; Knuth, TAOCP 6.4), so windows are
distinct, spread out, nested (the first n of a larger draw are the smaller draw), and need no memory.
"""

import math
from dataclasses import dataclass

import numpy as np

_CHUNK = 1 << 24
_AMBIGUOUS = np.ones(256, bool)
_AMBIGUOUS[list(b"ACGT")] = False


class AmbiguousRuns:
    """Runs of bases other than A, C, G, T in a store of sequences."""

    def __init__(self, bases: np.ndarray):
        """bases: [total] uint8 letters, read in chunks (it may be a memmap)."""
        edges = []
        previous = False
        for first in range(0, len(bases), _CHUNK):
            bad = _AMBIGUOUS[bases[first : first + _CHUNK]]
            edges.append(first + np.flatnonzero(np.diff(bad, prepend=previous)))
            previous = bad[-1]
        edges.append([len(bases)] if previous else [])
        ends = np.concatenate(edges).astype(np.int64).reshape(-1, 2)
        self.start = ends[:, 0]
        self.length = ends[:, 1] - ends[:, 0]
        self._before = np.concatenate([[0], np.cumsum(self.length)])

    def before(self, position: np.ndarray) -> np.ndarray:
        """Number of ambiguous bases in [0, position). position: [n] int64. Returns [n] int64."""
        run = np.searchsorted(self.start, position, side="right")
        last = np.maximum(run - 1, 0)
        if not len(self.start):
            return np.zeros_like(position)
        inside = np.where(run > 0, np.minimum(position - self.start[last], self.length[last]), 0)
        return self._before[last] * (run > 0) + inside

    def count(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Number of ambiguous bases in [start, end). [n] int64 each; returns [n] int64."""
        return self.before(end) - self.before(start)


@dataclass
class PositionSpace:
    """The valid window starts of each group of sources, as intervals in the store.

    source, start: [intervals] int64; cumulated: [intervals + 1] int64; first: [groups + 1] int64, the number of valid
    positions before each group, so that group g has first[g+1] - first[g].
    """

    source: np.ndarray
    start: np.ndarray
    cumulated: np.ndarray
    first: np.ndarray

    def locate(self, group: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The source and the start in the store of position `number` of `group`. [n] int64 each, as is what returns."""
        at = self.first[group] + number
        interval = np.searchsorted(self.cumulated, at, side="right") - 1
        return self.source[interval], self.start[interval] + at - self.cumulated[interval]


def position_space(
    offset: np.ndarray,
    length: np.ndarray,
    group: np.ndarray,
    groups: int,
    window: int,
    most_ambiguous: int,
    runs: AmbiguousRuns,
) -> PositionSpace:
    """Valid starts of windows of `window` bases with at most `most_ambiguous` ambiguous ones.

    offset, length, group: [sources] int64: where each source lies in the store (one behind the other), how long it is, and
    its group (negative: no group, left out). As a window slides, its number of ambiguous bases changes by at most one a
    step, and by the same from one edge of a run to the next: so intervals follow from the runs' edges alone.
    """
    starts = np.maximum(length - window + 1, 0)
    ends = runs.start + runs.length
    edges = np.unique(np.concatenate([runs.start, ends, runs.start - window, ends - window, offset, offset + starts]))
    edges = edges[(edges >= 0) & (edges <= (offset + starts).max(initial=0))]
    count = runs.count(edges, edges + window)
    first, last, count, rise = edges[:-1], edges[1:], count[:-1], np.diff(count)
    begin = np.where(count <= most_ambiguous, first, np.where(rise < 0, first + count - most_ambiguous, last))
    end = np.where((count <= most_ambiguous) & (rise > 0), np.minimum(last, first + most_ambiguous - count + 1), last)
    source = np.searchsorted(offset, first, side="right") - 1
    good = (begin < end) & (first < offset[source] + starts[source]) & (group[source] >= 0)
    begin, end, source = begin[good], end[good], source[good]

    joined = (begin[1:] == end[:-1]) & (source[1:] == source[:-1])
    begin, source = (x[np.concatenate([[True], ~joined])[: len(x)]] for x in (begin, source))
    end = end[np.concatenate([~joined, [True]])[: len(end)]]
    order = np.argsort(group[source], kind="stable")
    begin, end, source = begin[order], end[order], source[order].astype(np.int64)
    sizes = np.bincount(group[source], end - begin, groups).astype(np.int64)
    return PositionSpace(source, begin, np.concatenate([[0], np.cumsum(end - begin)]), np.concatenate([[0], np.cumsum(sizes)]))


def lattice_step(size: int) -> int:
    """The number nearest below size / golden ratio that is coprime to `size`."""
    step = max(1, int(size * 0.6180339887498949))
    while math.gcd(step, size) > 1:
        step -= 1
    return step


def hash_number(key: np.ndarray, number: np.ndarray) -> np.ndarray:
    """A random-looking uint64 from a key and a number, [n] uint64 each (splitmix64: Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        z = key + number * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(key: np.ndarray, number: np.ndarray) -> np.ndarray:
    """As `hash_number`, as float64 in [0, 1)."""
    return (hash_number(key, number) >> np.uint64(11)) * 2.0**-53
