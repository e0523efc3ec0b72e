"""What all window sets of a run are drawn from: the sources, their drawing units and the valid positions of windows."""

from dataclasses import dataclass

import numpy as np

from virshort.windows.drawing_units import group_sources
from virshort.windows.lattice import lattice_step
from virshort.windows.recipes import Stratum
from virshort.windows.source_table import SourceTable
from virshort.windows.start_positions import AmbiguousRuns, PositionSpace, position_space


@dataclass
class StratumPositions:
    """Where the windows of a stratum may start.

    space: the valid positions of each drawing unit; size, step: [units] int64, their number and the step of the lattice over
    them; ceilings: for each stage of `allocate_in_stages`, [units] int64, the windows that a unit may give; without: numbers of
    the sources that have no valid position.
    """

    space: PositionSpace
    size: np.ndarray
    step: np.ndarray
    ceilings: list[np.ndarray]
    without: np.ndarray


def source_ceilings(starts: np.ndarray, window: int) -> list[np.ndarray]:
    """The windows that a source may give in each stage of drawing.

    First one window (two from 10 window lengths on, three from 100 on), so that many short sources weigh as much as a few long
    ones; then enough to cover the source once on each strand; then every position on each strand.
    starts: [sources] int64 valid starts; window: bases. Returns three [sources] int64.
    """
    few = np.where(starts > 0, 1 + (starts >= 10 * window) + (starts >= 100 * window), 0)
    return [few, 2 * -(-starts // window), 2 * starts]


class Sampler:
    """The sources of a run, and the valid positions of each stratum, which are computed once for all window sets."""

    def __init__(self, sources: SourceTable, bases: np.ndarray, seed: int, max_n: float):
        """bases: [total] uint8 upper-case letters (may be a memmap); max_n: the largest share of ambiguous bases in a
        window."""
        self.sources, self.bases, self.max_n = sources, bases, max_n
        self.units, self.unit = group_sources(sources.cluster, sources.kingdom, sources.label, sources.fold, seed)
        self.runs = AmbiguousRuns(bases)
        self._positions: dict[tuple[int, int], StratumPositions] = {}

    def positions(self, stratum: Stratum) -> StratumPositions:
        """Where the stretches of a stratum may start."""
        window, most_ambiguous = stratum.stretch, stratum.most_ambiguous(self.max_n)
        if (window, most_ambiguous) not in self._positions:
            self._positions[window, most_ambiguous] = self._find_positions(window, most_ambiguous)
        return self._positions[window, most_ambiguous]

    def _find_positions(self, window: int, most_ambiguous: int) -> StratumPositions:
        offset, length, units = self.sources.offset, self.sources.length, len(self.units.label)
        space = position_space(offset, length, self.unit, units, window, most_ambiguous, self.runs)
        starts = np.bincount(space.source, np.diff(space.cumulated), len(offset)).astype(np.int64)
        size = np.diff(space.first)
        return StratumPositions(
            space,
            size,
            np.array([lattice_step(n) for n in size.tolist()], np.int64),
            [np.bincount(self.unit, x, units).astype(np.int64) for x in source_ceilings(starts, window)],
            np.flatnonzero(starts == 0),
        )
