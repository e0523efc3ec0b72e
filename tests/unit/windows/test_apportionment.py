"""Largest remainders: sums and proportions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from virshort.windows.apportionment import largest_remainder


@given(st.integers(0, 10_000), st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_the_parts_add_up_and_are_less_than_one_away_from_their_proportion(total, shares):
    whole = largest_remainder(total, np.array(shares))
    assert whole.sum() == total
    assert np.abs(whole - total * np.array(shares) / sum(shares)).max() < 1
