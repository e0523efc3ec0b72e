"""Water-filling: sums, bounds, evenness, and the cap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virshort.windows.allocation import allocate, allocate_in_stages, fill

bounds = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20)


@given(bounds, st.floats(0, 1))
def test_fill_shares_all_within_bounds_and_evenly(pairs, part):
    floor, ceiling = (np.array(x) for x in zip(*[(min(p), max(p)) for p in pairs], strict=True))
    quota = int(floor.sum() + part * (ceiling.sum() - floor.sum()))
    share = fill(quota, floor, ceiling)
    assert share.sum() == quota
    assert (share >= floor).all() and (share <= ceiling).all()
    # No two members that are both free to move differ by more than one.
    for i in range(len(share)):
        for j in range(len(share)):
            if share[i] > floor[i] and share[j] < ceiling[j]:
                assert share[i] <= share[j] + 1


def test_kingdoms_come_before_clusters():
    kingdom = np.array([0] * 9 + [1])
    share = allocate(100, kingdom, np.zeros(10, int), np.full(10, 1000))
    assert share[:9].sum() == 50 and share[9] == 50


@given(st.lists(st.integers(1, 100), min_size=2, max_size=15), st.data())
def test_a_larger_set_contains_the_smaller(available, data):
    ceiling = np.array(available)
    kingdom = np.arange(len(available)) % 3
    small = data.draw(st.integers(0, int(ceiling.sum())))
    large = data.draw(st.integers(small, int(ceiling.sum())))
    stages = [np.minimum(ceiling, 2), ceiling]
    first, _ = allocate_in_stages(small, kingdom, np.zeros(len(available), int), stages, 10)
    second, _ = allocate_in_stages(large, kingdom, first, stages, 10)
    assert first.sum() == small and second.sum() == large and (second >= first).all()


def test_the_cap_holds_where_it_can_and_is_raised_just_enough_where_not():
    plenty = np.full(40, 10_000)
    share, used = allocate_in_stages(1000, np.zeros(40, int), np.zeros(40, int), [plenty], 50)
    assert used == 50 and share.max() <= 50
    few, used = allocate_in_stages(1000, np.zeros(4, int), np.zeros(4, int), [np.full(4, 10_000)], 50)
    assert used == 250 and few.tolist() == [250] * 4


def test_more_than_there_is_is_refused():
    with pytest.raises(ValueError, match="11 windows asked for, 10 possible"):
        allocate_in_stages(11, np.zeros(1, int), np.zeros(1, int), [np.array([10])], 5)
