"""Recipes: which sets contain which, and which stretches can be cut."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from virshort.windows.recipes import Stratum, recipes


def test_recipes_contain_one_another_as_designed():
    sets = {
        r.pool: r for r in recipes(window_length=150, short=10, scratch=20, mixed=5, full=5, test=9, train_sets=["scratch"])
    }
    assert set(sets) == {"train/short", "train/scratch", "test/short", "test/full"}
    assert sets["train/scratch"].contains is sets["train/short"]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=5, unique=True), st.floats(0, 0.5), st.data())
@settings(max_examples=200)
def test_a_valid_stretch_has_a_valid_window_of_every_length(lengths, max_n, data):
    stratum = Stratum(lengths[0], lengths[0], cut_lengths=tuple(sorted(lengths)))
    ambiguous = np.zeros(stratum.stretch, bool)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    ambiguous[rng.permutation(stratum.stretch)[: stratum.most_ambiguous(max_n)]] = True
    for n in lengths:
        parts = ambiguous[: stratum.stretch // n * n].reshape(-1, n).sum(1)
        assert parts.min() <= int(max_n * n)
