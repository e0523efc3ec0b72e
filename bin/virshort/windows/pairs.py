"""Pairs: the two ends of a sequenced fragment, read towards each other.

A fragment begins with a drawn window, its mate 1, so that single mates are drawn as the windows of any other test set are.
Where the fragment is shorter than two windows, its mates overlap.
"""

import numpy as np
import pyarrow as pa
from scipy.special import log_ndtr, ndtri_exp

from virshort.files import digest
from virshort.windows.drawing import DrawnWindows
from virshort.windows.lattice import hash_number, uniform
from virshort.windows.recipes import Insert
from virshort.windows.sampling import Sampler

_SALT = np.uint64(int(digest("insert"), 16))
_REDRAWS = 8


def draw_fragments(sampler: Sampler, mates: DrawnWindows, insert: Insert) -> DrawnWindows:
    """The fragments that begin with the given windows, in the direction in which these are read.

    The length of a fragment follows from its place alone, so neither the size of shards nor the number of fragments changes it.
    One whose other mate would hold too many ambiguous bases gets another length, or at last that of its first mate."""
    left = sampler.sources.offset[mates.source]
    anchor = np.where(mates.minus, mates.end, mates.start)
    shortest = mates.end - mates.start
    room = np.where(mates.minus, anchor - left, left + sampler.sources.length[mates.source] - anchor)
    place = (2 * (mates.start - left) + mates.minus).astype(np.uint64)
    key = hash_number(hash_number(sampler.units.key[mates.unit], _SALT), place)
    length = shortest.copy()
    invalid = np.arange(len(length))
    for attempt in range(_REDRAWS):
        k = invalid
        length[k] = truncated_normal(uniform(key[k], np.uint64(attempt)), insert, shortest[k], room[k])
        other = np.where(mates.minus[k], anchor[k] - length[k], anchor[k] + length[k] - shortest[k])
        ambiguous = sampler.runs.count(other, other + shortest[k])
        invalid = k[ambiguous > (sampler.max_n * shortest[k]).astype(np.int64)]
    length[invalid] = shortest[invalid]
    start = np.where(mates.minus, anchor - length, anchor)
    return DrawnWindows(mates.unit, mates.source, start, start + length, mates.minus)


def truncated_normal(u: np.ndarray, insert: Insert, shortest: np.ndarray, longest: np.ndarray) -> np.ndarray:
    """Whole numbers from `shortest` to `longest` by a normal distribution that is truncated to them, [n] int64.

    u: [n] in [0, 1), random; shortest, longest: [n] int64. The distribution function is inverted in logarithms and in its lower
    tail, so that bounds which lie far from the mean on one side keep their digits."""
    low, high = ((bound - insert.mean) / insert.sd for bound in (shortest - 0.5, longest + 0.5))
    mirrored = low > 0
    low, high = np.where(mirrored, -high, low), np.where(mirrored, -low, high)
    u = np.maximum(u, 2.0**-54)
    z = ndtri_exp(np.minimum(np.logaddexp(np.log(u) + log_ndtr(high), np.log1p(-u) + log_ndtr(low)), 0.0))
    value = insert.mean + insert.sd * np.where(mirrored, -z, z)
    return np.clip(np.rint(value), shortest, longest).astype(np.int64)


def mates_of(fragments: DrawnWindows, length: int) -> DrawnWindows:
    """Both mates of each fragment, mate 1 before mate 2: windows of `length` bases that face each other, [2 n].

    Mate 1 is read on the fragment's strand from its beginning, mate 2 on the other strand from its end."""
    minus = np.column_stack([fragments.minus, ~fragments.minus])
    start = np.where(minus, fragments.end[:, None] - length, fragments.start[:, None])
    unit, source = (np.repeat(column, 2) for column in (fragments.unit, fragments.source))
    return DrawnWindows(unit, source, start.ravel(), start.ravel() + length, minus.ravel())


def mark_pairs(manifest: pa.Table, first: int) -> pa.Table:
    """The manifest of mates, as `mates_of` orders them, with the columns `fragment` (counted from `first`) and `mate` (1 or 2).

    The id of a mate is that of its fragment, as of a window, followed by /1 or /2: two mates of different fragments may be the
    same stretch of a source, but two fragments are not."""
    start, end = (manifest[name].to_numpy().reshape(-1, 2) for name in ("start", "end"))
    names, strands = (manifest[name].to_pylist()[::2] for name in ("source", "strand"))
    places = zip(names, start.min(axis=1).tolist(), end.max(axis=1).tolist(), strands, strict=True)
    ids = [f"{source}:{a + 1}-{b}({strand})/{mate}" for source, a, b, strand in places for mate in (1, 2)]
    fragment = np.repeat(first + np.arange(len(start)), 2)
    manifest = manifest.set_column(manifest.schema.get_field_index("window"), "window", pa.array(ids, pa.string()))
    manifest = manifest.append_column("fragment", pa.array(fragment, pa.int64()))
    return manifest.append_column("mate", pa.array(np.tile([1, 2], len(start)), pa.int8()))
