"""Pairs: where the mates of a fragment lie, how long fragments are, and that no other window moves because of them."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from synthetic_sources import FOLDS, drawn, random_bases, skewed_sampler, source_table
from virshort.windows.drawing import DrawnWindows
from virshort.windows.pairs import draw_fragments, mark_pairs, mates_of, truncated_normal
from virshort.windows.planning import SamplingDesign, plan_window_set
from virshort.windows.recipes import Insert, pairs
from virshort.windows.sampling import Sampler

INSERT = Insert(350, 75)


def fragments(sampler: Sampler, size: int, length: int = 150, insert: Insert = INSERT, tested: int = FOLDS) -> DrawnWindows:
    (recipe,) = pairs(size, length, insert)
    plan = plan_window_set(sampler, recipe, SamplingDesign(FOLDS, list(range(tested)), 0.52, 0.05))
    return draw_fragments(sampler, drawn(sampler, plan)["test/pair"], insert)


def small_sampler(seed: int, ambiguous: float, max_n: float) -> Sampler:
    """Sources of 100 to 700 bp, so that many fragments end where their source does."""
    rng = np.random.default_rng(seed)
    length = rng.integers(100, 700, 20 * FOLDS)
    number = np.arange(len(length))
    bases = random_bases(rng, int(length.sum()), ambiguous)
    kingdom = np.array(["abc"[n % 3] for n in number])
    sources = source_table(length, np.array([f"c{n}" for n in number]), number // FOLDS % 2, kingdom, number % FOLDS)
    return Sampler(sources, bases, seed, max_n)


@settings(max_examples=60)
@given(
    st.integers(0, 2**16),
    st.integers(50, 100),
    st.floats(50, 2000),
    st.floats(1, 500),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.sampled_from([0.0, 0.1]),
)
def test_mates_lie_in_their_source_and_face_each_other(seed, length, mean, sd, ambiguous, max_n):
    sampler = small_sampler(seed, ambiguous, max_n)
    whole = fragments(sampler, 100, length, Insert(mean, sd))
    both = mates_of(whole, length)
    assert len(both.start) == 2 * len(whole.start) > 0 and (both.end - both.start == length).all()
    offset = sampler.sources.offset[both.source]
    assert (both.start >= offset).all() and (both.end <= offset + sampler.sources.length[both.source]).all()
    assert (sampler.runs.count(both.start, both.end) <= max_n * length).all()
    np.testing.assert_array_equal(both.source.reshape(-1, 2), np.repeat(whole.source, 2).reshape(-1, 2))
    start, end, minus = (column.reshape(-1, 2) for column in (both.start, both.end, both.minus))
    # The mate on the plus strand begins where the fragment does, and the one on the minus strand ends where it ends.
    assert (minus.sum(axis=1) == 1).all() and (minus[:, 0] == whole.minus).all()
    plus, other = np.argmin(minus, axis=1), np.argmax(minus, axis=1)
    rows = np.arange(len(start))
    assert (start[rows, plus] == whole.start).all() and (end[rows, other] == whole.end).all()
    overlap = np.minimum(end[:, 0], end[:, 1]) - np.maximum(start[:, 0], start[:, 1])
    assert ((overlap > 0) == (whole.end - whole.start < 2 * length)).all()


@given(st.floats(0, 1, exclude_max=True), st.floats(50, 1e5), st.floats(1, 1e5), st.integers(50, 3000), st.integers(0, 10**6))
def test_a_length_keeps_its_bounds_however_far_they_lie_from_the_mean(u, mean, sd, shortest, more):
    found = truncated_normal(np.array([u]), Insert(mean, sd), np.array([shortest]), np.array([shortest + more]))
    assert shortest <= found[0] <= shortest + more
    # A bound far below or above the mean is where nearly all of what is left of the distribution lies.
    if shortest - mean > 40 * sd and more:
        assert found[0] - shortest <= max(1, sd)
    if mean - shortest - more > 40 * sd and more:
        assert shortest + more - found[0] <= max(1, sd)


@pytest.mark.parametrize(("low", "high"), [(150, 10_000), (150, 320), (500, 520), (600, 700), (20, 60)])
def test_lengths_follow_the_truncated_normal_distribution(low, high):
    u = np.random.default_rng(0).random(200_000)
    found = truncated_normal(u, INSERT, np.full(len(u), low), np.full(len(u), high))
    a, b = ((bound - INSERT.mean) / INSERT.sd for bound in (low - 0.5, high + 0.5))
    expected = stats.truncnorm(a, b, INSERT.mean, INSERT.sd)
    values = np.arange(low, min(high, 1000) + 1)
    shares = np.bincount(found, minlength=values[-1] + 1)[values] / len(u)
    np.testing.assert_allclose(np.cumsum(shares), expected.cdf(values + 0.5), atol=0.005)


def test_fragments_have_the_lengths_and_shares_asked_for():
    sampler = skewed_sampler()
    found = fragments(sampler, 2000)
    length = found.end - found.start
    assert abs(length.mean() - 350) < 10 and abs(length.std() - 75) < 10
    assert len(found.start) == 2000 and sampler.units.label[found.unit].sum() == 1040
    keys = set(zip(found.start.tolist(), found.end.tolist(), found.minus.tolist(), strict=True))
    assert len(keys) == 2000 and 0.4 < found.minus.mean() < 0.6
    assert np.bincount(sampler.units.fold[found.unit]).tolist() == [400] * FOLDS


@pytest.mark.parametrize(("tested", "size", "counts"), [(1, 400, [400, 400, 0, 0, 0]), (2, 401, [201, 200, 201, 0, 0])])
def test_the_folds_that_validate_give_as_many_fragments_as_those_that_are_tested(tested, size, counts):
    sampler = skewed_sampler()
    found = fragments(sampler, size, tested=tested)
    assert np.bincount(sampler.units.fold[found.unit], minlength=FOLDS).tolist() == counts


def test_a_fragment_does_not_depend_on_the_others():
    """Of two sets, the smaller one's fragments are among those of the larger one: their lengths follow from their places."""
    few, many = (fragments(skewed_sampler(), size) for size in (200, 2000))
    places = [set(zip(f.start.tolist(), f.end.tolist(), f.minus.tolist(), strict=True)) for f in (few, many)]
    assert places[0] < places[1]


def test_pairs_too_few_for_both_labels_are_left_out():
    (recipe,) = pairs(8, 150, INSERT)
    plan = plan_window_set(skewed_sampler(), recipe, SamplingDesign(FOLDS, list(range(FOLDS)), 0.52, 0.05))
    assert not plan.draws and "4 fragments of one label are too few for 5 tested folds" in plan.notes[0]
    assert pairs(0, 150, INSERT) == []


def test_a_mate_is_named_after_its_fragment():
    manifest = pa.table(
        {
            "window": ["a:11-20(+)", "a:36-45(-)", "b:31-40(-)", "b:26-35(+)"],
            "source": ["a", "a", "b", "b"],
            "start": [10, 35, 30, 25],
            "end": [20, 45, 40, 35],
            "strand": ["+", "-", "-", "+"],
        }
    )
    found = mark_pairs(manifest, 7)
    assert found["window"].to_pylist() == ["a:11-45(+)/1", "a:11-45(+)/2", "b:26-40(-)/1", "b:26-40(-)/2"]
    assert found["fragment"].to_pylist() == [7, 7, 8, 8] and found["mate"].to_pylist() == [1, 2, 1, 2]
    assert found.column_names == [*manifest.column_names, "fragment", "mate"]
