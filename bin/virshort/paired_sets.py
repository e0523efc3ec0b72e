"""The two test sets of sequenced fragments, which have their windows in common."""

from collections.abc import Mapping
from typing import Any

MATE, PAIR = "mate", "pair"
"""The first mates of fragments, and both mates. Both sets are evaluated on the windows of the set `pair`."""


def pools_of_test_set(sets: Mapping[str, Any], name: str) -> list[str]:
    """The pools that hold the windows of a test set; none where window_sets.json, `sets`, does not name it."""
    found = sets["test"].get(PAIR if name == MATE else name)
    return found["pools"] if found else []
