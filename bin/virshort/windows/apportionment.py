"""Sharing a whole number of windows in given proportions."""

import numpy as np


def largest_remainder(total: int, shares: np.ndarray) -> np.ndarray:
    """Divide `total` into whole numbers in proportion to `shares` (Hamilton's method of largest remainders).

    shares: [n] positive numbers, which need not add up to 1. Returns [n] int64 that add up to `total`, each less than one away
    from its exact proportion.
    """
    exact = total * np.asarray(shares, float) / np.sum(shares)
    whole = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact, kind="stable")[: total - whole.sum()]] += 1
    return whole
