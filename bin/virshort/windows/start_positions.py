"""Where windows may start in the sources, given how many ambiguous bases they may hold."""

from dataclasses import dataclass

import numpy as np

_CHUNK = 1 << 24
_AMBIGUOUS = np.ones(256, bool)
_AMBIGUOUS[list(b"ACGT")] = False


class AmbiguousRuns:
    """The runs of bases other than A, C, G and T in the sequence file."""

    def __init__(self, bases: np.ndarray):
        """bases: [total] uint8 letters, read in chunks (may be a memmap)."""
        edges: list[np.ndarray] = []
        previous = False
        for first in range(0, len(bases), _CHUNK):
            bad = _AMBIGUOUS[bases[first : first + _CHUNK]]
            edges.append(first + np.flatnonzero(np.diff(bad, prepend=previous)))
            previous = bad[-1]
        edges.append(np.array([len(bases)] if previous else [], np.int64))
        ends = np.concatenate(edges).astype(np.int64).reshape(-1, 2)
        self.start = ends[:, 0]
        self.length = ends[:, 1] - ends[:, 0]
        self._before = np.concatenate([[0], np.cumsum(self.length)])

    def before(self, position: np.ndarray) -> np.ndarray:
        """The number of ambiguous bases in [0, position). position: [n] int64. Returns [n] int64."""
        run = np.searchsorted(self.start, position, side="right")
        last = np.maximum(run - 1, 0)
        if not len(self.start):
            return np.zeros_like(position)
        inside = np.where(run > 0, np.minimum(position - self.start[last], self.length[last]), 0)
        return self._before[last] * (run > 0) + inside

    def count(self, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """The number of ambiguous bases in [start, end). start, end: [n] int64. Returns [n] int64."""
        return self.before(end) - self.before(start)


@dataclass
class PositionSpace:
    """The valid window starts of each drawing unit, as intervals in the sequence file.

    source, start: [intervals] int64; cumulated: [intervals + 1] int64, the valid starts before each interval; first: [units
    + 1] int64, the valid starts before each unit, so that unit u has first[u + 1] - first[u] of them.
    """

    source: np.ndarray
    start: np.ndarray
    cumulated: np.ndarray
    first: np.ndarray

    def locate(self, unit: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The source and the start in the sequence file of a unit's valid start `number`.

        unit, number: [n] int64. Returns two [n] int64."""
        at = self.first[unit] + number
        interval = np.searchsorted(self.cumulated, at, side="right") - 1
        return self.source[interval], self.start[interval] + at - self.cumulated[interval]


def position_space(
    offset: np.ndarray,
    length: np.ndarray,
    unit: np.ndarray,
    units: int,
    window: int,
    most_ambiguous: int,
    runs: AmbiguousRuns,
) -> PositionSpace:
    """The valid starts of windows of `window` bases that hold at most `most_ambiguous` ambiguous ones.

    offset, length, unit: [sources] int64: where each source begins in the sequence file (each directly follows the one before),
    its bases, and its drawing unit, 0 .. units - 1 (a source with a negative one is left out). As a window slides by one base,
    its number of ambiguous bases changes by at most one, and by the same amount at every step between two edges of runs. The
    intervals of valid starts therefore follow from the edges of the runs alone.
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
    good = (begin < end) & (first < offset[source] + starts[source]) & (unit[source] >= 0)
    begin, end, source = begin[good], end[good], source[good]

    joined = (begin[1:] == end[:-1]) & (source[1:] == source[:-1])
    begin, source = (x[np.concatenate([[True], ~joined])[: len(x)]] for x in (begin, source))
    end = end[np.concatenate([~joined, [True]])[: len(end)]]
    order = np.argsort(unit[source], kind="stable")
    begin, end, source = begin[order], end[order], source[order].astype(np.int64)
    sizes = np.bincount(unit[source], end - begin, units).astype(np.int64)
    return PositionSpace(source, begin, np.concatenate([[0], np.cumsum(end - begin)]), np.concatenate([[0], np.cumsum(sizes)]))
