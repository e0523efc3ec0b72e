"""The lattice: every position once, spread evenly from the first draws on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virshort.windows.lattice import lattice_step, uniform


@given(st.integers(1, 5000))
def test_every_position_is_visited_once(size):
    step = lattice_step(size)
    assert len(set((np.arange(size) * step % size).tolist())) == size


@pytest.mark.parametrize("first", range(200, 100_000, 20_000))
def test_the_first_draws_are_spread_out(first):
    """Of any size of interest, each tenth of the positions gets its share of the first hundred draws, give or take a few."""
    sizes = np.arange(first, first + 20_001)
    steps = np.array([lattice_step(n) for n in sizes.tolist()])
    tenth = np.arange(100) * steps[:, None] % sizes[:, None] * 10 // sizes[:, None]
    counts = np.stack([(tenth == t).sum(1) for t in range(10)])
    assert counts.min() >= 4


def test_only_small_sizes_need_another_step_than_the_nearest_coprime_one():
    def nearest(size: int) -> int:
        steps = range(int(size * 0.6180339887498949), 0, -1)
        return next(s for s in steps if np.gcd(s, size) == 1)

    changed = {n: lattice_step(n) for n in range(2, 5000) if lattice_step(n) != nearest(n)}
    assert changed == {102: 59, 108: 61, 118: 69, 132: 73, 162: 95, 192: 113, 198: 115, 308: 183}


def test_a_unit_without_positions_has_a_step():
    assert lattice_step(0) == lattice_step(1) == 1


def test_uniform_numbers_are_uniform():
    u = uniform(np.full(100_000, 7, np.uint64), np.arange(100_000, dtype=np.uint64))
    counts = np.histogram(u, 20, (0, 1))[0]
    assert abs(counts - 5000).max() < 5 * np.sqrt(5000)
