"""The records that sampling hands on: window_sets.json, and metadata.json of each pool."""

from pathlib import Path
from typing import Literal, TypedDict

from virshort.files import read_json


class WindowSet(TypedDict):
    """A window set: the pools that hold its windows, the number of windows (of training sets, in each split; None: all that the
    pools hold), and sentences for the user."""

    pools: list[str]
    size: int | None
    notes: list[str]


class WindowSets(TypedDict):
    """window_sets.json: the training and test sets by name, the share of viral windows (None where the user brought
    features with labels of their own), and the folds."""

    train: dict[str, WindowSet]
    test: dict[str, WindowSet]
    viral_share: float | None
    folds: int
    test_folds: list[int]


class WindowCount(TypedDict):
    """The windows of a pool with one label and kingdom in one fold."""

    label: str
    kingdom: str
    fold: int
    windows: int


class PoolContents(TypedDict):
    """What was written of a pool: its windows, its shards, their digests in order, and counts."""

    windows: int
    shards: int
    digests: list[str]
    counts: list[WindowCount]


class PoolMetadata(PoolContents):
    """metadata.json of a pool, which has the name of the window set that it was drawn for.

    strata: shortest, longest and share of each; cut_from: the length of the stretches that windows are cut from, if they are;
    contains: the window sets that begin this one; cluster_cap_used: by label, the cap where it had to be raised."""

    window_set: str
    purpose: Literal["train", "test"]
    size: int
    seed: int
    strata: list[tuple[int, int, float]]
    cut_from: int | None
    contains: list[str]
    cluster_cap: float
    cluster_cap_used: dict[str, float]
    notes: list[str]
    sources_without_window: list[str]


def read_window_sets(path: Path) -> WindowSets:
    """Read window_sets.json."""
    return read_json(path)
