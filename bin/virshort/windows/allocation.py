"""How many windows each drawing unit gives: balanced by kingdom, then by cluster, with a cap on every cluster.

Real collections are skewed: a single genus may hold four fifths of the records. Windows are therefore shared by
water-filling: kingdoms, and the drawing units within each kingdom, are filled to a common level, and whoever has no more to
give stops earlier.
"""

import numpy as np


def fill(quota: int, floor: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """Share `quota` evenly, while no member gets less than its floor or more than its ceiling.

    floor, ceiling: [n] int64, floor <= ceiling, sum(floor) <= quota <= sum(ceiling). Returns [n] int64 that add up to `quota`.
    Where it does not come out even, the first members get one more.
    """
    low, high = int(floor.min(initial=0)), int(ceiling.max(initial=0))
    while low < high:  # find the highest level whose total is within the quota
        level = (low + high + 1) // 2
        if np.clip(level, floor, ceiling).sum() <= quota:
            low = level
        else:
            high = level - 1
    share = np.clip(low, floor, ceiling)
    odd = int(quota - share.sum())
    share[np.flatnonzero((share < ceiling) & (share <= low))[:odd]] += 1
    return share


def allocate(quota: int, kingdom: np.ndarray, floor: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """Share `quota` windows evenly among kingdoms, and within each kingdom evenly among its units.

    kingdom: [n] strings or codes; floor, ceiling: as in `fill`. Returns [n] int64 that add up to `quota`.
    """
    codes, member = np.unique(kingdom, return_inverse=True)
    floors, ceilings = (np.bincount(member, bound, len(codes)).astype(np.int64) for bound in (floor, ceiling))
    share = np.zeros(len(kingdom), np.int64)
    for code, part in enumerate(fill(quota, floors, ceilings)):
        inside = member == code
        share[inside] = fill(int(part), floor[inside], ceiling[inside])
    return share


def allocate_within_cap(
    quota: int, kingdom: np.ndarray, cluster: np.ndarray, floor: np.ndarray, ceiling: np.ndarray, cap: int
) -> np.ndarray:
    """Share `quota` windows as `allocate` does, so that the units of no cluster give more than `cap` together.

    cluster: [n] integer codes; the other arrays as in `allocate`. Requires that `cut_to_cap` leaves ceilings that hold the
    quota. Returns [n] int64 that add up to `quota`.

    Units are first treated as if each were a cluster. Where the units of a cluster then give too many windows together,
    they share the cap evenly, keep this share as their ceiling, and the allocation is repeated. Each round settles at least
    one cluster, and settled clusters can still give the full cap, so that enough windows always remain.
    """
    while True:
        share = allocate(quota, kingdom, floor, ceiling)
        over = np.bincount(cluster, share)[cluster] > cap
        if not over.any():
            return share
        ceiling = np.where(over, cut_to_cap(cluster, floor, share, cap), ceiling)


def cut_to_cap(cluster: np.ndarray, floor: np.ndarray, ceiling: np.ndarray, cap: int) -> np.ndarray:
    """Lower the ceilings of units so that those of one cluster add up to no more than `cap`, shared evenly between them.

    cluster: [n] integer codes; floor, ceiling: as in `fill`, the floors of a cluster adding up to no more than `cap`.
    Returns [n] int64: the ceilings of clusters within the cap are as they were."""
    lowered = ceiling.copy()
    over = np.flatnonzero(np.bincount(cluster, ceiling) > cap)
    order = np.argsort(cluster, kind="stable")
    first, last = (np.searchsorted(cluster[order], over, side=side) for side in ("left", "right"))
    for a, b in zip(first.tolist(), last.tolist(), strict=True):
        units = order[a:b]
        lowered[units] = fill(cap, floor[units], ceiling[units])
    return lowered


def allocate_in_stages(
    quota: int, kingdom: np.ndarray, cluster: np.ndarray, floor: np.ndarray, stages: list[np.ndarray], cap: int
) -> tuple[np.ndarray, int]:
    """Share `quota` windows among units, using up the ceilings of each stage before going on to the next.

    kingdom, cluster: [n] strings or codes; floor: [n] windows that each unit has given already (to the smaller set that
    this one contains); stages: the ceilings [n] of each stage, the last one being all that a unit has; cap: the most
    windows that the units of a cluster may give together. Where that leaves too few windows (few clusters), the cap is
    raised just as far as the quota needs. Returns the shares, [n] int64 that add up to `quota`, and the cap used. Raises
    ValueError if sum(stages[-1]) < quota.
    """
    if stages[-1].sum() < quota:
        raise ValueError(f"{quota} windows are needed, but only {stages[-1].sum()} are possible")
    _, cluster = np.unique(cluster, return_inverse=True)
    used = max(cap, _least_cap(quota, np.bincount(cluster, stages[-1]).astype(np.int64)))
    for stage in stages:
        ceiling = np.maximum(np.minimum(stage, used), floor)
        possible = cut_to_cap(cluster, floor, ceiling, used)
        if possible.sum() >= quota:
            return allocate_within_cap(quota, kingdom, cluster, floor, ceiling, used), used
        floor = possible
    raise AssertionError("the last stage holds the quota")


def _least_cap(quota: int, available: np.ndarray) -> int:
    """The smallest cap c for which sum(min(available, c)) >= quota. available: [clusters] int64."""
    low, high = 0, int(available.max(initial=0))
    while low < high:
        middle = (low + high) // 2
        if np.minimum(available, middle).sum() >= quota:
            high = middle
        else:
            low = middle + 1
    return low
