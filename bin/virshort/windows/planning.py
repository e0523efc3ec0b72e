"""The plan of a run's window sets: how many windows each drawing unit gives to each set."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from virshort.errors import InputError
from virshort.labels import LABELS
from virshort.windows.allocation import allocate_in_stages
from virshort.windows.apportionment import largest_remainder
from virshort.windows.recipes import Recipe, sweep
from virshort.windows.sampling import Sampler


@dataclass(frozen=True)
class SamplingDesign:
    """What holds for all window sets of a run: the number of folds, those that are tested, the share of viral windows, and the
    largest share of a label's windows that a cluster may give."""

    folds: int
    test_folds: list[int]
    viral_share: float
    cluster_cap: float

    def drawn_folds(self, recipe: Recipe) -> tuple[list[int], int]:
        """The folds that a set is drawn from, and the number of them that together make up its size."""
        if recipe.purpose == "test":
            validating = {(t + 1) % self.folds for t in self.test_folds} if recipe.insert else set()
            return sorted({*self.test_folds, *validating}), len(self.test_folds)
        return sorted({f for t in self.test_folds for f in range(self.folds) if f != t}), self.folds - 2

    def fold_quotas(self, recipe: Recipe, size: int) -> list[tuple[int, int]]:
        """The folds that a set is drawn from, and how many of `size` windows each gives.

        A test set is shared exactly among the tested folds. Any other fold gives an equal part, rounded up, so that the
        training folds of every split hold the whole size."""
        folds, parts = self.drawn_folds(recipe)
        exact: dict[int, int] = {}
        if recipe.purpose == "test":
            exact = dict(zip(self.test_folds, largest_remainder(size, np.ones(parts)).tolist(), strict=True))
        return [(fold, exact.get(fold, math.ceil(size / parts))) for fold in folds]

    def label_share(self, label: int) -> float:
        """The share of windows with this label."""
        return self.viral_share if label else 1 - self.viral_share


@dataclass
class DrawNumbers:
    """The draws of one pool and stratum: unit u gives its draws first[u] ... first[u] + count[u] - 1. [units] int64 each."""

    stratum: int
    first: np.ndarray
    count: np.ndarray


@dataclass
class Shortage:
    """A fold that has too few windows of a label for a set. `possible`: the size that the set could have because of it."""

    recipe: Recipe
    fold: int
    label: int
    possible: int


@dataclass
class WindowSetPlan:
    """A window set and the sets it contains.

    draws: by pool, or nothing where the set is left out; caps: by label, the share of the label's windows that a cluster
    may give where it had to be raised; notes: sentences for the user.
    """

    recipe: Recipe
    draws: dict[str, list[DrawNumbers]] = field(default_factory=dict)
    caps: dict[int, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def allocate_recipe(
    sampler: Sampler, recipe: Recipe, design: SamplingDesign
) -> tuple[dict[str, list[DrawNumbers]], dict[int, float]] | Shortage:
    """Decide how many windows each drawing unit gives to a set and to the sets it contains.

    Returns the draws by pool, and by label the cap that was used, as a share of the label's windows, where it had to be raised;
    or else the first shortage.
    """
    units = sampler.units
    _, parts = design.drawn_folds(recipe)
    stages = [sampler.positions(s).ceilings for s in recipe.strata]
    draws: dict[str, list[DrawNumbers]] = {}
    caps: dict[int, float] = {}
    given = [np.zeros(len(units.label), np.int64) for _ in recipe.strata]
    for step in recipe.chain:
        before = [g.copy() for g in given]
        label_sizes = largest_remainder(step.size, np.array([design.viral_share, 1 - design.viral_share])).tolist()
        for label, label_size in zip((1, 0), label_sizes, strict=True):
            for s, size in enumerate(largest_remainder(label_size, np.array([s.share for s in step.strata])).tolist()):
                cap = math.ceil(design.cluster_cap * size)
                for fold, quota in design.fold_quotas(recipe, size):
                    inside = np.flatnonzero((units.label == label) & (units.fold == fold))
                    ceilings = [stage[inside] for stage in stages[s]]
                    available = int(ceilings[-1].sum())
                    if available < quota:
                        of_label = int(available * parts / step.strata[s].share)
                        possible = min(int(of_label / design.label_share(label)), step.size - 1)
                        return Shortage(step, fold, label, max(possible, step.contains.size if step.contains else 0))
                    given[s][inside], used = allocate_in_stages(
                        quota, units.kingdom[inside], units.cluster[inside], given[s][inside], ceilings, cap
                    )
                    if used > cap:
                        caps[label] = max(caps.get(label, 0.0), used / size)
        draws[step.pool] = [DrawNumbers(s, old, new - old) for s, (old, new) in enumerate(zip(before, given, strict=True))]
    return draws, caps


def plan_window_set(sampler: Sampler, recipe: Recipe, design: SamplingDesign) -> WindowSetPlan:
    """Plan one window set and the sets it contains.

    A test set that the sources cannot fill is made smaller, or left out where fewer than two windows per tested fold remain.
    Pairs are left out where a fold would have none of a label. Raises InputError where the sources cannot fill a training set.
    """
    asked = recipe.size
    allocated = allocate_recipe(sampler, recipe, design)
    if isinstance(allocated, Shortage) and recipe.purpose == "train":
        short, label = allocated.recipe, LABELS[allocated.label]
        raise InputError(
            f"--{short.name}_windows {short.size}: fold {allocated.fold} has too few distinct {label} windows of "
            f"{short.strata[0].shortest} bp or more: ask for at most {_largest_possible_size(sampler, short, design)}, or give "
            "more or longer sources"
        )
    while isinstance(allocated, Shortage):
        if allocated.possible < 2 * len(design.test_folds):
            why = f"fold {allocated.fold} has too few {LABELS[allocated.label]} windows of that length"
            return WindowSetPlan(replace(recipe, size=0), notes=[f"Test set {recipe.name} is left out, because {why}."])
        recipe = replace(recipe, size=allocated.possible)
        allocated = allocate_recipe(sampler, recipe, design)
    draws, caps = allocated
    if recipe.insert and (fewest := _fewest_of_a_label(recipe.size, design)) < len(design.test_folds):
        why = f"{fewest} fragments of one label are too few for {len(design.test_folds)} tested folds"
        return WindowSetPlan(replace(recipe, size=0), notes=[f"Test set {recipe.name} is left out, because {why}."])
    notes = []
    if recipe.size < asked:
        things = "fragments" if recipe.insert else "windows"
        notes.append(
            f"Test set {recipe.name} has {recipe.size} of the {asked} {things} requested, because the sources hold no more."
        )
    kind = "Test" if recipe.purpose == "test" else "Training"
    notes += [
        f"{kind} set {recipe.name}: a cluster may give {cap:.0%} of the {LABELS[label]} windows instead of "
        f"{design.cluster_cap:.0%}, because a fold has too few {LABELS[label]} clusters."
        for label, cap in caps.items()
    ]
    return WindowSetPlan(recipe, draws, caps, notes)


def _fewest_of_a_label(size: int, design: SamplingDesign) -> int:
    """How many of `size` windows have the rarer label."""
    return min(largest_remainder(size, np.array([design.viral_share, 1 - design.viral_share])).tolist())


def _largest_possible_size(sampler: Sampler, recipe: Recipe, design: SamplingDesign) -> int:
    """The size that a set may have so that every fold can give its part."""
    while isinstance(allocated := allocate_recipe(sampler, recipe, design), Shortage):
        recipe = replace(recipe, size=allocated.possible)
    return recipe.size


def plan_sweep(sampler: Sampler, size: int, lengths: list[int], design: SamplingDesign) -> list[WindowSetPlan]:
    """Plan the length sweep. lengths: increasing.

    A length that the sources cannot offer is left out, and the others are cut from stretches of the next shorter length."""
    left_out: list[WindowSetPlan] = []
    while lengths:
        plans = [plan_window_set(sampler, recipe, design) for recipe in sweep(size, lengths)]
        if plans[-1].draws:
            return plans + left_out
        left_out.append(plans[-1])
        lengths = lengths[:-1]
    return left_out


def plan_window_sets(
    sampler: Sampler, wanted: list[Recipe], sweep_size: int, sweep_lengths: list[int], design: SamplingDesign
) -> list[WindowSetPlan]:
    """Plan all window sets of a run. A set that another one contains is planned with the larger one."""
    outermost = [recipe for recipe in wanted if not any(recipe in other.chain[:-1] for other in wanted)]
    plans = [plan_window_set(sampler, recipe, design) for recipe in outermost]
    return plans + plan_sweep(sampler, sweep_size, sweep_lengths, design)
