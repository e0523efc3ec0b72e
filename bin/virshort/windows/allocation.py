"""How many windows each cluster gives: drawn by kingdom, then by cluster, with a cap on every cluster.

Real collections are skewed: one genus may hold four fifths of the records. Filling kingdoms, and clusters within
kingdoms, to a common level (water-filling) gives every group the same number of windows until it has no more to give.
"""

import numpy as np


def fill(quota: int, floor: np.ndarray, ceiling: np.ndarray) -> np.ndarray:
    """Share `quota` so that every member gets the same, but no less than its floor and no more than its ceiling.

    floor, ceiling: [n] int64, floor <= ceiling, sum(floor) <= quota <= sum(ceiling). Returns [n] int64 summing to
    quota. The members of lowest number get the odd ones.
    """
    low, high = int(floor.min(initial=0)), int(ceiling.max(initial=0))
    while low < high:  # the highest level whose total is within the quota
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
    """Share `quota` windows among kingdoms alike, and within each among its clusters alike.

    kingdom: [n] integer codes; floor, ceiling: as in `fill`. Returns [n] int64 summing to quota.
    """
    codes, member = np.unique(kingdom, return_inverse=True)
    totals = [np.bincount(member, bound, len(codes)).astype(np.int64) for bound in (floor, ceiling)]
    share = np.zeros(len(kingdom), np.int64)
    for code, part in enumerate(fill(quota, *totals)):
        inside = member == code
        share[inside] = fill(int(part), floor[inside], ceiling[inside])
    return share


def allocate_in_stages(
    quota: int, kingdom: np.ndarray, floor: np.ndarray, stages: list[np.ndarray], cap: int
) -> tuple[np.ndarray, int]:
    """Windows a cluster gives: each stage's ceilings are used up before the next stage is begun.

    floor: [n] windows already given (by the smaller window set that this one contains); stages: ceilings [n], the last
    one what there is at all; cap: the most windows a cluster may give. A cap that leaves too little (few clusters) is
    raised just as far as the quota needs.
    Returns the shares [n], summing to quota, and the cap used. Raises ValueError if sum(stages[-1]) < quota.
    """
    if stages[-1].sum() < quota:
        raise ValueError(f"{quota} windows asked for, {stages[-1].sum()} possible")
    used = max(cap, _least_cap(quota, stages[-1]))
    for stage in stages:
        ceiling = np.maximum(np.minimum(stage, used), floor)
        if ceiling.sum() >= quota:
            return allocate(quota, kingdom, floor, ceiling), used
        floor = ceiling
    raise AssertionError("the last stage holds the quota")


def _least_cap(quota: int, available: np.ndarray) -> int:
    """The smallest c with sum(min(available, c)) >= quota."""
    low, high = 0, int(available.max(initial=0))
    while low < high:
        middle = (low + high) // 2
        if np.minimum(available, middle).sum() >= quota:
            high = middle
        else:
            low = middle + 1
    return low
