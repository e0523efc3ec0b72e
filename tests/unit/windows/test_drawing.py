"""Drawn windows: sizes, shares, caps, nesting, validity, and independence of how they are cut into blocks and shards."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic_sources import DESIGN, FOLDS, drawn, random_bases, skewed_sampler, source_table
from virshort.heads.splits import label_sizes, split_rows
from virshort.windows.drawing import DrawnWindows, rechunk
from virshort.windows.planning import plan_sweep, plan_window_set
from virshort.windows.recipes import MIXED, Recipe, Stratum
from virshort.windows.sampling import Sampler

SHORT = Recipe("short", "train", 3000, (Stratum(150, 150),))
SCRATCH = Recipe("scratch", "train", 9000, (Stratum(150, 150),), SHORT)


def draw(sampler: Sampler, recipe: Recipe) -> dict[str, DrawnWindows]:
    return drawn(sampler, plan_window_set(sampler, recipe, DESIGN))


@pytest.fixture(scope="module", params=[False, True], ids=["one kingdom per cluster", "several kingdoms per cluster"])
def sampler(request) -> Sampler:
    return skewed_sampler(ambiguous=0.1, mixed=request.param)


@pytest.mark.parametrize(
    "recipe",
    [SCRATCH, Recipe("mixed", "train", 3000, MIXED), Recipe("full", "test", 2000, (Stratum(500, 3000),))],
    ids=lambda r: r.name,
)
def test_windows_lie_in_their_source_are_distinct_and_have_few_ns(sampler, recipe):
    sources = sampler.sources
    seen: set[tuple[int, int, bool]] = set()
    for w in draw(sampler, recipe).values():
        assert (w.start >= sources.offset[w.source]).all()
        assert (w.end <= sources.offset[w.source] + sources.length[w.source]).all()
        for column in ("cluster", "label", "kingdom", "fold"):
            np.testing.assert_array_equal(getattr(sampler.units, column)[w.unit], getattr(sources, column)[w.source])
        n = w.end - w.start
        assert n.min() >= min(s.shortest for s in recipe.strata) and n.max() <= max(s.longest for s in recipe.strata)
        assert (sampler.runs.count(w.start, w.end) <= 0.1 * n).all()
        keys = list(zip(w.start.tolist(), w.end.tolist(), w.minus.tolist(), strict=True))
        assert len(set(keys)) == len(keys) and not seen & set(keys)
        seen |= set(keys)
        assert 0.4 < w.minus.mean() < 0.6


def test_the_smaller_set_is_the_beginning_of_the_larger(sampler):
    """The 3000 windows of `short` are the same whether or not `scratch` is drawn too."""
    alone, together = (draw(sampler, recipe)["train/short"] for recipe in (SHORT, SCRATCH))
    for column in ("unit", "source", "start", "end", "minus"):
        np.testing.assert_array_equal(getattr(alone, column), getattr(together, column))


def test_every_split_has_the_size_and_shares_requested_and_no_cluster_more_than_the_cap(sampler):
    plan = plan_window_set(sampler, SCRATCH, DESIGN)
    assert not plan.caps
    pools = drawn(sampler, plan)
    _, cluster_of = np.unique(sampler.units.cluster, return_inverse=True)
    for recipe, names in ((SHORT, ["train/short"]), (SCRATCH, ["train/short", "train/scratch"])):
        unit = np.concatenate([pools[n].unit for n in names])
        label, fold, cluster = sampler.units.label[unit], sampler.units.fold[unit], cluster_of[unit]
        for test_fold in range(FOLDS):
            train, validation = split_rows(label, fold, test_fold, FOLDS, recipe.size, 0.52)
            assert len(train) == recipe.size and label[train].sum() == label_sizes(recipe.size, 0.52)[1]
            assert not set(fold[train]) & {test_fold, (test_fold + 1) % FOLDS}
            assert set(fold[validation]) == {(test_fold + 1) % FOLDS}
            assert abs(label[validation].mean() - 0.52) < 0.01
            for y, n in label_sizes(recipe.size, 0.52).items():
                assert np.bincount(cluster[train][label[train] == y]).max() <= np.ceil(0.05 * n)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.integers(200, 900)), min_size=1, max_size=20),
    st.integers(1, 30),
)
def test_a_window_has_the_kingdom_of_its_source_however_kingdoms_and_clusters_overlap(rows, size):
    number, kingdom, length = (np.array(x) for x in zip(*rows, strict=True))
    # Each fold gets these clusters once per label, so that no fold lacks a label.
    number, kingdom, length = (np.tile(x, 2 * FOLDS) for x in (number, kingdom, length))
    fold, label = (np.repeat(x, len(rows)) for x in (np.tile(range(FOLDS), 2), np.repeat([0, 1], FOLDS)))
    cluster = np.array([f"{f}.{c}" for f, c in zip(fold, number, strict=True)])
    bases = random_bases(np.random.default_rng(size), int(length.sum()), 0)
    sampler = Sampler(source_table(length, cluster, label, kingdom, fold), bases, 42, 0.1)
    smaller = Recipe("short", "train", size, (Stratum(100, 100),))
    plan = plan_window_set(sampler, Recipe("scratch", "train", 3 * size, (Stratum(100, 100),), smaller), DESIGN)
    for w in drawn(sampler, plan).values():
        for column in ("cluster", "label", "kingdom", "fold"):
            np.testing.assert_array_equal(getattr(sampler.units, column)[w.unit], getattr(sampler.sources, column)[w.source])


def test_strata_have_their_shares(sampler):
    windows = draw(sampler, Recipe("mixed", "train", 3000, MIXED))["train/mixed"]
    length = windows.end - windows.start
    shares = [np.mean((length >= s.shortest) & (length <= s.longest)) for s in MIXED]
    np.testing.assert_allclose(shares, [s.share for s in MIXED], atol=0.01)


def test_windows_are_spread_over_a_source():
    sampler = skewed_sampler(clusters=25)
    w = draw(sampler, Recipe("short", "train", 12_000, (Stratum(150, 150),)))["train/short"]
    longest = np.argmax(np.bincount(w.source))
    at = (w.start - sampler.sources.offset[longest])[w.source == longest] / (sampler.sources.length[longest] - 150)
    assert np.histogram(at, 5, (0, 1))[0].min() > 0.1 * len(at)


def test_rows_do_not_depend_on_the_shard_size(sampler):
    windows = draw(sampler, SHORT)["train/short"]
    for size in (1, 7, 1000, 10**6):
        again = list(rechunk(iter([windows]), size))
        assert all(len(b.start) == size for b in again[:-1])
        np.testing.assert_array_equal(np.concatenate([b.start for b in again]), windows.start)


def test_rows_do_not_depend_on_the_block_size(sampler, monkeypatch):
    windows = draw(sampler, SCRATCH)["train/scratch"]
    monkeypatch.setattr("virshort.windows.drawing._BLOCK", 100)
    np.testing.assert_array_equal(draw(sampler, SCRATCH)["train/scratch"].start, windows.start)


@pytest.mark.parametrize("lengths", [[100, 150, 200, 300, 500, 1000, 3000], [130, 700, 1900], [150]])
@pytest.mark.parametrize("max_n", [0.0, 0.02, 0.1])
def test_along_the_sweep_nothing_changes_but_the_length(sampler, lengths, max_n):
    sampler = Sampler(sampler.sources, sampler.bases, 42, max_n)
    found = [drawn(sampler, plan)[plan.recipe.pool] for plan in plan_sweep(sampler, 500, lengths, DESIGN)]
    longest = found[-1]
    for w, n in zip(found, lengths, strict=True):
        assert (w.end - w.start == n).all() and len(w.start) == 500
        assert (sampler.runs.count(w.start, w.end) <= int(max_n * n)).all()
        for column in ("unit", "source", "minus"):
            np.testing.assert_array_equal(getattr(w, column), getattr(longest, column))
        assert ((w.start >= longest.start) & (w.end <= longest.end)).all(), "not within the longest window"
        whole = sampler.runs.count(longest.start, longest.end) == 0
        ends = np.where(w.minus, w.end, w.start) == np.where(longest.minus, longest.end, longest.start)
        assert ends[whole].all(), "a stretch without Ns begins where its windows begin"
