"""Water-filling: sums, bounds, evenness, and the cap on clusters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virshort.windows.allocation import allocate, allocate_in_stages, allocate_within_cap, cut_to_cap, fill

bounds = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20)
units = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 60)), min_size=1, max_size=15)
"""Cluster, kingdom and available windows of each unit."""


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


@given(units, st.lists(st.integers(0, 4), min_size=15, max_size=15), st.integers(1, 20), st.data())
def test_a_larger_set_contains_the_smaller_and_no_cluster_exceeds_the_cap(members, early, cap, data):
    cluster, kingdom, available = (np.array(x) for x in zip(*members, strict=True))
    stages = [np.minimum(available, early[: len(available)]), available]
    small = data.draw(st.integers(0, int(available.sum())))
    large = data.draw(st.integers(small, int(available.sum())))
    in_cluster = np.bincount(cluster, available).astype(int)
    before = np.zeros(len(available), int)
    for quota in (small, large):
        share, used = allocate_in_stages(quota, kingdom, cluster, before, stages, cap)
        assert share.sum() == quota
        assert (before <= share).all() and (share <= available).all()
        assert np.bincount(cluster, share).max() <= used
        # The cap is raised only where it must be, and only as far as it must be.
        assert used >= cap
        assert used == cap or np.minimum(in_cluster, used - 1).sum() < quota
        before = share


@given(units, st.integers(1, 80), st.floats(0, 1))
def test_units_of_a_cluster_are_balanced_like_separate_clusters_wherever_the_cap_allows(members, cap, part):
    cluster, kingdom, available = (np.array(x) for x in zip(*members, strict=True))
    separate, nothing = np.arange(len(available)), np.zeros(len(available), int)
    ceiling = np.minimum(available, cap)
    quota = int(part * cut_to_cap(cluster, nothing, ceiling, cap).sum())
    expected = allocate_within_cap(quota, kingdom, separate, nothing, ceiling, cap)
    share = allocate_within_cap(quota, kingdom, cluster, nothing, ceiling, cap)
    assert share.sum() == quota and np.bincount(cluster, share).max() <= cap
    if np.bincount(cluster, expected).max() <= cap:
        np.testing.assert_array_equal(share, expected)


def test_two_kingdoms_share_the_cap_of_a_cluster():
    cluster, kingdom = np.array([0, 0, 1, 2]), np.array(["a", "b", "a", "b"])
    share, used = allocate_in_stages(60, kingdom, cluster, np.zeros(4, int), [np.full(4, 1000)], 20)
    assert used == 20 and share.tolist() == [10, 10, 20, 20]


def test_the_cap_is_raised_just_enough_where_clusters_are_few():
    plenty = np.full(40, 10_000)
    share, used = allocate_in_stages(1000, np.zeros(40, int), np.arange(40), np.zeros(40, int), [plenty], 50)
    assert used == 50 and share.max() <= 50
    few, used = allocate_in_stages(1000, np.zeros(4, int), np.arange(4), np.zeros(4, int), [np.full(4, 10_000)], 50)
    assert used == 250 and few.tolist() == [250] * 4


def test_more_windows_than_possible_are_refused():
    with pytest.raises(ValueError, match="11 windows are needed, but only 10 are possible"):
        allocate_in_stages(11, np.zeros(1, int), np.zeros(1, int), np.zeros(1, int), [np.array([10])], 5)
