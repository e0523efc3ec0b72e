"""Drawing: which stretch of which source each window of a pool is, in the order of the pool."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from virshort.files import digest
from virshort.windows.lattice import hash_number, uniform
from virshort.windows.planning import DrawNumbers
from virshort.windows.recipes import Recipe, Stratum
from virshort.windows.sampling import Sampler

_BLOCK = 1 << 16
_REDRAWS = 8


@dataclass
class DrawnWindows:
    """Windows, one row each: drawing unit and source (numbers), start and end in the sequence file, [n] int64 each; minus: [n]
    bool, whether the window is read on the minus strand."""

    unit: np.ndarray
    source: np.ndarray
    start: np.ndarray
    end: np.ndarray
    minus: np.ndarray


def draw_windows(sampler: Sampler, recipe: Recipe, draws: list[DrawNumbers]) -> Iterator[DrawnWindows]:
    """The windows of one pool in its order, in blocks of bounded size.

    Each draw has a place between 0 and 1, the places of a unit being evenly spaced, and the pool is sorted by place. Every
    beginning of a pool therefore holds all units in proportion, and the order does not depend on the size of blocks or shards.
    """
    units = sampler.units
    count = np.concatenate([d.count for d in draws])
    first = np.concatenate([d.first for d in draws])
    unit = np.tile(np.arange(len(units.label)), len(draws))
    stratum = np.repeat([d.stratum for d in draws], len(units.label))
    salt = _salt(recipe.lattice or recipe.pool)
    shift = uniform(hash_number(units.key[unit], salt + stratum.astype(np.uint64)), np.uint64(0))
    blocks = max(1, math.ceil(count.sum() / _BLOCK))
    bounds = [np.clip(np.ceil(b / blocks * count - shift), 0, count).astype(np.int64) for b in range(blocks)] + [count]
    for low, high in pairwise(bounds):
        part = np.repeat(np.arange(len(count)), high - low)
        number = np.arange(len(part)) - np.repeat(np.cumsum(high - low) - high, high - low)
        place = (number + shift[part]) / count[part]
        order = np.lexsort((part, place))
        part, number = part[order], number[order]
        yield _locate(sampler, recipe, unit[part], stratum[part], first[part] + number)


def rechunk(blocks: Iterable[DrawnWindows], size: int) -> Iterator[DrawnWindows]:
    """The same windows in the same order, `size` at a time (fewer the last time)."""
    rest: list[np.ndarray] | None = None
    for block in blocks:
        columns = [block.unit, block.source, block.start, block.end, block.minus]
        rest = [np.concatenate(pair) for pair in zip(rest, columns, strict=True)] if rest else columns
        whole = len(rest[0]) - len(rest[0]) % size
        for first in range(0, whole, size):
            yield DrawnWindows(*(c[first : first + size] for c in rest))
        rest = [c[whole:] for c in rest]
    if rest and len(rest[0]):
        yield DrawnWindows(*rest)


def _salt(name: str) -> np.uint64:
    return np.uint64(int(digest(name), 16))


def _locate(sampler: Sampler, recipe: Recipe, unit: np.ndarray, stratum: np.ndarray, number: np.ndarray) -> DrawnWindows:
    """The windows that are draws `number` of the units, in the strata. All [n] int64."""
    source, start, end = (np.empty(len(unit), np.int64) for _ in range(3))
    minus = np.empty(len(unit), bool)
    # Sets that contain one another share a lattice, while training and test sets, and the strata of a set, have different ones.
    salt = _salt(recipe.lattice or recipe.chain[0].pool)
    for s, rule in enumerate(recipe.strata):
        rows = np.flatnonzero(stratum == s)
        key = hash_number(sampler.units.key[unit[rows]], salt + np.uint64(s + 1))
        source[rows], anchor, minus[rows] = _lattice_positions(sampler, rule, unit[rows], number[rows], key)
        start[rows], end[rows] = _choose_lengths(sampler, rule, source[rows], anchor, minus[rows], number[rows], key)
    return DrawnWindows(unit, source, start, end, minus)


def _lattice_positions(
    sampler: Sampler, rule: Stratum, unit: np.ndarray, number: np.ndarray, key: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Source, 5' end (in the sequence file) and strand of the stretch that each draw is.

    unit, number: [n] int64; key: [n] uint64. Returns [n] int64, [n] int64 and [n] bool. When all positions of a unit are
    used up, every one comes again on its other strand."""
    positions = sampler.positions(rule)
    size = positions.size[unit]
    origin = (hash_number(key, np.uint64(0)) % size.astype(np.uint64)).astype(np.int64)
    position = (origin + number * positions.step[unit]) % size
    source, start = positions.space.locate(unit, position)
    minus = (hash_number(key, position.astype(np.uint64)) & np.uint64(1)).astype(bool) ^ (number // size % 2 == 1)
    return source, np.where(minus, start + rule.stretch, start), minus


def _choose_lengths(
    sampler: Sampler,
    rule: Stratum,
    source: np.ndarray,
    anchor: np.ndarray,
    minus: np.ndarray,
    number: np.ndarray,
    key: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Start and end, in the sequence file, of the windows whose 5' ends are given: [n] int64 each.

    source, number: [n] int64; anchor: [n] int64, the 5' ends; minus: [n] bool; key: [n] uint64. A window with too many
    ambiguous bases gets another length, or, where it is cut from a stretch, the next place in the stretch."""
    anchor, n = anchor.copy(), np.full(len(anchor), rule.shortest, np.int64)

    def too_ambiguous(rows: np.ndarray) -> np.ndarray:
        """Those rows whose window holds more ambiguous bases than it may."""
        start = np.where(minus[rows], anchor[rows] - n[rows], anchor[rows])
        return rows[sampler.runs.count(start, start + n[rows]) > (sampler.max_n * n[rows]).astype(np.int64)]

    if rule.longest > rule.shortest:
        left = sampler.sources.offset[source]
        room = np.where(minus, anchor - left, left + sampler.sources.length[source] - anchor)
        choices = np.minimum(room, rule.longest) - rule.shortest + 1
        invalid = np.arange(len(n))
        for attempt in range(_REDRAWS):
            k = invalid
            u = uniform(hash_number(key[k], number[k].astype(np.uint64)), np.uint64(attempt + 1))
            n[k] = rule.shortest + (u * choices[k]).astype(np.int64)
            invalid = too_ambiguous(k)
        n[invalid] = rule.shortest  # valid, because positions are chosen for the shortest window
    invalid = np.arange(len(n) if rule.cut_lengths else 0)
    while len(invalid):  # ends, because one of the windows that a stretch is cut into is valid
        invalid = too_ambiguous(invalid)
        anchor[invalid] += np.where(minus[invalid], -n[invalid], n[invalid])
    start = np.where(minus, anchor - n, anchor)
    return start, start + n
