"""Plans: sizes, caps and balance, and what is said where the sources cannot fill a set."""

from dataclasses import replace

import numpy as np
import pytest

from synthetic_sources import DESIGN, FOLDS, random_bases, skewed_sampler, source_table
from virshort.errors import InputError
from virshort.windows.planning import allocate_recipe, plan_sweep, plan_window_set, plan_window_sets
from virshort.windows.recipes import Recipe, Stratum, recipes, sweep
from virshort.windows.sampling import Sampler, source_ceilings

SHORT = Recipe("short", "train", 3000, (Stratum(150, 150),))
SCRATCH = Recipe("scratch", "train", 9000, (Stratum(150, 150),), SHORT)


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return skewed_sampler(ambiguous=0.1)


def test_a_source_gives_one_window_first_and_few_more_where_it_is_long():
    few, once, all_ = source_ceilings(np.array([0, 1, 99, 100, 999, 1000]), 10)
    assert few.tolist() == [0, 1, 1, 2, 2, 3]
    assert once.tolist() == [0, 2, 20, 20, 200, 200]
    assert all_.tolist() == [0, 2, 198, 200, 1998, 2000]


def test_too_large_a_training_set_is_refused_with_a_size_that_is_possible(sampler):
    recipe = replace(SHORT, size=10**7)
    with pytest.raises(InputError, match=r"--short_windows 10000000: fold \d has too few distinct (non)?viral windows") as e:
        plan_window_set(sampler, recipe, DESIGN)
    possible = int(str(e.value).split("at most ")[1].split(",")[0])
    assert 10**5 < possible < 10**7
    assert plan_window_set(sampler, replace(SHORT, size=possible), DESIGN).recipe.size == possible


def test_the_set_that_lacks_windows_is_named_and_not_the_larger_one_that_contains_it(sampler):
    short = replace(SHORT, size=10**7)
    with pytest.raises(InputError, match="--short_windows 10000000: "):
        plan_window_set(sampler, replace(SCRATCH, contains=short, size=2 * 10**7), DESIGN)
    with pytest.raises(InputError, match="--scratch_windows 20000000: "):
        plan_window_set(sampler, replace(SCRATCH, size=2 * 10**7), DESIGN)


def test_a_test_set_that_the_sources_cannot_fill_is_made_smaller_and_says_so(sampler):
    recipe = Recipe("full", "test", 10**7, (Stratum(500, 3000),))
    plan = plan_window_set(sampler, recipe, DESIGN)
    assert 0 < plan.recipe.size < 10**7
    assert plan.notes[0] == (
        f"Test set full has {plan.recipe.size} of the 10000000 windows requested, because the sources hold no more."
    )
    windows = sum(d.count.sum() for d in plan.draws["test/full"])
    assert windows == plan.recipe.size


def test_a_test_set_of_windows_longer_than_the_sources_is_left_out(sampler):
    plan = plan_window_set(sampler, Recipe("huge", "test", 100, (Stratum(20_000, 20_000),)), DESIGN)
    assert plan.recipe.size == 0 and not plan.draws
    assert plan.notes == ["Test set huge is left out, because fold 0 has too few viral windows of that length."]


def test_a_sweep_leaves_out_lengths_that_the_sources_cannot_offer(sampler):
    plans = {p.recipe.name: p for p in plan_sweep(sampler, 500, [100, 300, 10_000, 20_000], DESIGN)}
    assert {name: p.recipe.size for name, p in plans.items()} == {
        "length_100": 500,
        "length_300": 500,
        "length_10000": 0,
        "length_20000": 0,
    }
    assert plans["length_100"].recipe == sweep(500, [100, 300])[0]
    assert [p.recipe.size for p in plan_sweep(sampler, 500, [20_000], DESIGN)] == [0]


def test_a_set_is_planned_once_with_the_larger_set_that_contains_it(sampler):
    wanted = recipes(window_length=150, short=300, scratch=900, mixed=300, full=0, test=100, train_sets=["scratch", "mixed"])
    plans = plan_window_sets(sampler, wanted, 100, [100, 200], DESIGN)
    assert [p.recipe.pool for p in plans] == [
        "train/scratch",
        "train/mixed",
        "test/short",
        "test/full",
        "test/length_100",
        "test/length_200",
    ]
    assert list(plans[0].draws) == ["train/short", "train/scratch"]


def test_few_clusters_raise_the_cap_and_say_so():
    plan = plan_window_set(skewed_sampler(clusters=5), SHORT, DESIGN)
    assert plan.caps.keys() == {0, 1} and plan.caps[1] == pytest.approx(1 / 3, abs=0.01)
    assert plan.notes[0] == (
        "Training set short: a cluster may give 33% of the viral windows instead of 5%, "
        "because a fold has too few viral clusters."
    )


def test_folds_that_are_not_tested_give_no_test_windows(sampler):
    design = replace(DESIGN, test_folds=[1])
    plan = plan_window_set(sampler, Recipe("short", "test", 100, (Stratum(150, 150),)), design)
    assert set(sampler.units.fold[plan.draws["test/short"][0].count > 0]) == {1}
    training, parts = design.drawn_folds(SHORT)
    assert training == [0, 2, 3, 4] and parts == FOLDS - 2


def clusters_of_two_kingdoms(separate: bool) -> Sampler:
    """Forty clusters of each label with a source of each of two kingdoms; `separate`: a cluster for each source instead."""
    rng = np.random.default_rng(4)
    number = np.repeat(np.arange(80), 2)
    kingdom = np.tile(["a", "b"], 80)
    cluster = np.array([f"c{n}{k if separate else ''}" for n, k in zip(number, kingdom, strict=True)])
    length = np.full(160, 3000)
    sources = source_table(length, cluster, number < 40, kingdom, number % FOLDS)
    return Sampler(sources, random_bases(rng, 160 * 3000, 0), 42, 0.1)


def by_label_and_kingdom(sampler: Sampler, cluster_cap: float) -> dict[tuple[int, str], int]:
    allocated = allocate_recipe(sampler, SHORT, replace(DESIGN, cluster_cap=cluster_cap))
    assert isinstance(allocated, tuple) and not allocated[1]
    count = allocated[0]["train/short"][0].count
    units = sampler.units
    return {(y, k): int(count[(units.label == y) & (units.kingdom == k)].sum()) for y in (0, 1) for k in "ab"}


def test_kingdoms_are_balanced_within_clusters_as_between_clusters():
    mixed = by_label_and_kingdom(clusters_of_two_kingdoms(separate=False), 0.05)
    assert mixed == by_label_and_kingdom(clusters_of_two_kingdoms(separate=True), 0.05)
    assert mixed == {(0, "a"): 1200, (0, "b"): 1200, (1, "a"): 1300, (1, "b"): 1300}
