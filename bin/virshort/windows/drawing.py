"""Window sets: what is drawn for which purpose, how many from which cluster, and which stretch each draw is.

A group is one cluster's sources of one label: the unit that is drawn from. Every group lies in one fold.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from virshort.files import digest
from virshort.windows.allocation import allocate_in_stages
from virshort.windows.apportionment import largest_remainder
from virshort.windows.start_positions import AmbiguousRuns, PositionSpace, hash_number, lattice_step, uniform

_BLOCK = 1 << 16
_REDRAWS = 8


@dataclass(frozen=True)
class Stratum:
    """Windows of `shortest` to `longest` bases, `share` of their window set.

    places: the lengths of window sets that are cut from the same stretches, each as long as the longest of them; () where
    a window's place is its own."""

    shortest: int
    longest: int
    share: float = 1.0
    places: tuple[int, ...] = ()

    @property
    def stretch(self) -> int:
        """Bases of what a position is the start of."""
        return max(self.places, default=self.shortest)

    def most_ambiguous(self, max_n: float) -> int:
        """Ambiguous bases that a stretch may have, so that for each length one of the windows that it is cut into, end to
        end, has no more than its share max_n: were it more in every one, they would add up to more than this."""
        lengths = self.places or (self.shortest,)
        return min(self.stretch // n * (int(max_n * n) + 1) - 1 for n in lengths)


@dataclass(frozen=True)
class Recipe:
    """A window set: `size` windows (training: in each split's training folds; test: over all tested folds), beginning
    with those of the set `contains`, which has the same strata. Sets of one `lattice` have their windows at the same places,
    in the same order."""

    name: str
    purpose: str  # train or test
    size: int
    strata: tuple[Stratum, ...]
    contains: "Recipe | None" = None
    lattice: str = ""

    @property
    def chain(self) -> list["Recipe"]:
        """This recipe and all that it contains, the smallest first."""
        return [*(self.contains.chain if self.contains else []), self]

    @property
    def pool(self) -> str:
        """Where the windows lie that this set has beyond those it contains."""
        return f"{self.purpose}/{self.name}"


MIXED = (Stratum(100, 199, 0.3), Stratum(200, 499, 0.4), Stratum(500, 3000, 0.3))
FULL = (Stratum(500, 3000),)


def recipes(
    *, window_length: int, short: int, scratch: int, mixed: int, full: int, test: int, train_sets: list[str]
) -> list[Recipe]:
    """The window sets of a run but the length sweep: the training sets named in `train_sets`, `short` always, the test sets."""
    fixed = (Stratum(window_length, window_length),)
    short_set = Recipe("short", "train", short, fixed)
    training = [
        short_set,
        Recipe("scratch", "train", scratch, fixed, short_set),
        Recipe("mixed", "train", mixed, MIXED),
        Recipe("full", "train", full, FULL),
    ]
    testing = [Recipe("short", "test", test, fixed), Recipe("full", "test", test, FULL)]
    return [r for r in training if r.name in {"short", *train_sets}] + testing


def sweep(size: int, lengths: list[int]) -> list[Recipe]:
    """The length sweep: a test set a length, all cut from the same stretches of the longest, so that along it nothing changes
    but the length."""
    places = tuple(sorted(lengths))
    return [Recipe(f"length_{n}", "test", size, (Stratum(n, n, places=places),), lattice="test/length") for n in places]


@dataclass
class DrawingUnits:
    """What can be drawn from, one row a group: cluster, kingdom (strings), label (1 viral), fold, key (uint64, of the
    seed and the cluster), and for each stratum the valid positions and the number drawn by the seed's rule."""

    cluster: np.ndarray
    kingdom: np.ndarray
    label: np.ndarray
    fold: np.ndarray
    key: np.ndarray


def group_sources(
    cluster: np.ndarray, kingdom: np.ndarray, label: np.ndarray, fold: np.ndarray, seed: int
) -> tuple[DrawingUnits, np.ndarray]:
    """DrawingUnits, in order of (cluster, label), and each source's group number.

    All [sources]; cluster and kingdom strings, label and fold int8. A group's kingdom is that of its first source."""
    pairs = np.char.add(np.char.add(cluster.astype(str), "\t"), label.astype(str))
    names, first, group = np.unique(pairs, return_index=True, return_inverse=True)
    keys = np.array([int(digest(str(seed), name), 16) for name in names.tolist()], np.uint64)
    return DrawingUnits(cluster[first], kingdom[first], label[first], fold[first], keys), group.astype(np.int64)


def by_the_rule(valid_starts: np.ndarray, window: int) -> np.ndarray:
    """1 to 3 windows a source, by its length: 2 from 10 windows on, 3 from 100. [sources] int64; 0 where none fits."""
    return np.where(valid_starts > 0, 1 + (valid_starts >= 10 * window) + (valid_starts >= 100 * window), 0)


@dataclass
class Draw:
    """The windows of one pool and stratum: group g gives its draws first[g] ... first[g] + count[g] - 1."""

    stratum: int
    first: np.ndarray
    count: np.ndarray


@dataclass
class Shortage:
    """A fold that cannot give its part of a window set."""

    fold: int
    label: int
    asked: int
    possible: int


def allocate_recipe(
    recipe: Recipe,
    groups: DrawingUnits,
    stages: list[list[np.ndarray]],
    folds: list[int],
    parts: int,
    viral_share: float,
    cluster_cap: float,
) -> tuple[dict[str, list[Draw]], dict[int, float]] | Shortage:
    """Decide how many windows each group gives to `recipe` and to the sets it contains.

    stages: for each stratum the ceilings of `allocate_in_stages` by group; folds: the folds to draw from, each giving
    1 / parts of the size, rounded up where that does not come out even (training) or shared out exactly (test, where
    parts == len(folds)).
    Returns the draws by pool, and by label the cap in use as a share of that label's windows; or the first shortage.
    """
    draws: dict[str, list[Draw]] = {}
    caps: dict[int, float] = {}
    given = [np.zeros(len(groups.label), np.int64) for _ in recipe.strata]
    for step in recipe.chain:
        before = [g.copy() for g in given]
        by_label = dict(zip((1, 0), largest_remainder(step.size, np.array([viral_share, 1 - viral_share])), strict=True))
        for label, total in by_label.items():
            sizes = largest_remainder(int(total), np.array([s.share for s in step.strata]))
            for s, size in enumerate(sizes):
                cap = math.ceil(cluster_cap * size)
                quotas = (
                    largest_remainder(int(size), np.ones(parts))
                    if recipe.purpose == "test"
                    else np.full(len(folds), math.ceil(size / parts))
                )
                for fold, quota in zip(folds, quotas, strict=True):
                    inside = np.flatnonzero((groups.label == label) & (groups.fold == fold))
                    ceilings = [stage[inside] for stage in stages[s]]
                    if ceilings[-1].sum() < quota:
                        return Shortage(fold, label, int(total), int(ceilings[-1].sum() * parts / step.strata[s].share))
                    given[s][inside], used = allocate_in_stages(
                        int(quota), groups.kingdom[inside], given[s][inside], ceilings, cap
                    )
                    if used > cap:
                        caps[label] = max(caps.get(label, 0.0), used / size)
        draws[step.pool] = [Draw(s, old, new - old) for s, (old, new) in enumerate(zip(before, given, strict=True))]
    return draws, caps


@dataclass
class Windows:
    """Rows of windows, [n] each: group, source (int64 numbers), start and end in the store (int64), minus (bool)."""

    group: np.ndarray
    source: np.ndarray
    start: np.ndarray
    end: np.ndarray
    minus: np.ndarray


def draw_windows(
    draws: list[Draw],
    recipe: Recipe,
    groups: DrawingUnits,
    spaces: list[PositionSpace],
    offset: np.ndarray,
    length: np.ndarray,
    max_n: float,
    runs: AmbiguousRuns,
) -> Iterator[Windows]:
    """The windows of one pool in its order, in blocks of bounded size.

    Each draw has a place between 0 and 1, spread evenly within its group, and the pool is in order of places: so every
    beginning of a pool has all groups in it in proportion, and the order depends on no block or shard size.
    """
    count = np.concatenate([d.count for d in draws])
    first = np.concatenate([d.first for d in draws])
    group = np.tile(np.arange(len(groups.label)), len(draws))
    stratum = np.repeat([d.stratum for d in draws], len(groups.label))
    salt = np.uint64(_salt(recipe.lattice or recipe.pool))
    shift = uniform(hash_number(groups.key[group], salt + stratum.astype(np.uint64)), np.uint64(0))
    blocks = max(1, math.ceil(count.sum() / _BLOCK))
    bounds = [np.clip(np.ceil(b / blocks * count - shift), 0, count).astype(np.int64) for b in range(blocks)] + [count]
    for low, high in pairwise(bounds):
        part = np.repeat(np.arange(len(count)), high - low)
        number = np.arange(len(part)) - np.repeat(np.cumsum(high - low) - high, high - low)
        place = (number + shift[part]) / count[part]
        order = np.lexsort((part, place))
        part, number = part[order], number[order]
        yield _locate(recipe, group[part], stratum[part], first[part] + number, groups, spaces, offset, length, max_n, runs)


def rechunk(blocks: Iterable[Windows], size: int) -> Iterator[Windows]:
    """The same rows in the same order, `size` at a time (the last time fewer)."""
    rest: list[np.ndarray] | None = None
    for block in blocks:
        columns = [block.group, block.source, block.start, block.end, block.minus]
        rest = [np.concatenate(pair) for pair in zip(rest, columns, strict=True)] if rest else columns
        whole = len(rest[0]) - len(rest[0]) % size
        for first in range(0, whole, size):
            yield Windows(*(c[first : first + size] for c in rest))
        rest = [c[whole:] for c in rest]
    if rest and len(rest[0]):
        yield Windows(*rest)


def _salt(name: str) -> int:
    return int(digest(name), 16)


def _locate(
    recipe: Recipe,
    group: np.ndarray,
    stratum: np.ndarray,
    number: np.ndarray,
    groups: DrawingUnits,
    spaces: list[PositionSpace],
    offset: np.ndarray,
    length: np.ndarray,
    max_n: float,
    runs: AmbiguousRuns,
) -> Windows:
    """The stretch that draw `number` of a group is. All [n]."""
    out = Windows(group, *(np.empty(len(group), np.int64) for _ in range(3)), np.empty(len(group), bool))
    for s, (rule, space) in enumerate(zip(recipe.strata, spaces, strict=True)):
        rows = np.flatnonzero(stratum == s)
        g, i = group[rows], number[rows]
        # Sets that contain one another share a lattice; training and test sets, and strata, do not.
        key = hash_number(groups.key[g], np.uint64(_salt(recipe.lattice or recipe.chain[0].pool)) + np.uint64(s + 1))
        sizes = np.diff(space.first)
        steps = np.array([lattice_step(int(m)) for m in sizes], np.int64)
        position = ((hash_number(key, np.uint64(0)) % sizes[g].astype(np.uint64)).astype(np.int64) + i * steps[g]) % sizes[g]
        source, start = space.locate(g, position)
        # The second time round, every position comes on its other strand.
        minus = (hash_number(key, position.astype(np.uint64)) & np.uint64(1)).astype(bool) ^ (i // sizes[g] % 2 == 1)
        left, right = offset[source], offset[source] + length[source]
        anchor = np.where(minus, start + rule.stretch, start)  # the window's 5' end stays where the lattice put it
        room = np.where(minus, anchor - left, right - anchor)
        choices = np.minimum(room, rule.longest) - rule.shortest + 1
        n = np.full(len(rows), rule.shortest, np.int64)

        def too_ambiguous(k: np.ndarray, minus=minus, anchor=anchor, n=n) -> np.ndarray:
            """Those of the rows k whose window has more Ns than it may."""
            a = np.where(minus[k], anchor[k] - n[k], anchor[k])
            return k[runs.count(a, a + n[k]) > (max_n * n[k]).astype(np.int64)]

        if rule.longest > rule.shortest:
            open_rows = np.arange(len(rows))
            for attempt in range(_REDRAWS):  # too many Ns: another length; the shortest is valid by its position
                k = open_rows
                u = uniform(hash_number(key[k], i[k].astype(np.uint64)), np.uint64(attempt + 1))
                n[k] = rule.shortest + (u * choices[k]).astype(np.int64)
                open_rows = too_ambiguous(k)
            n[open_rows] = rule.shortest
        open_rows = np.arange(len(rows) if rule.places else 0)
        while len(open_rows):  # too many Ns: the stretch's next window of this length; one of them is valid by its position
            open_rows = too_ambiguous(open_rows)
            anchor[open_rows] += np.where(minus[open_rows], -n[open_rows], n[open_rows])
        out.source[rows], out.minus[rows] = source, minus
        out.start[rows] = np.where(minus, anchor - n, anchor)
        out.end[rows] = out.start[rows] + n
    return out
