"""How often held-out windows are called viral at any threshold, with the variance that their clusters give.

A rate is interpolated between the thresholds at which it was measured. The variance is that of a delete-one-cluster jackknife
(virshort.inference.estimates), computed for all thresholds at once, and an allowance for what the clusters cannot show: the
most unusual of them is often the cause of most false positives, and another like it may be waiting.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypedDict

import numpy as np

from virshort.inference.estimates import effective_clusters

ENOUGH = 20
"""Windows of a cluster from which its own rate is known well enough to be called unusual."""


class RateCurve(TypedDict):
    """A rate at ascending thresholds.

    variance: of the mean over clusters, with the allowance; df: its degrees of freedom, few where a few clusters make most of
    it; effective: how many clusters of equal size would carry the same evidence."""

    rate: list[float]
    variance: list[float]
    df: list[float]
    effective: float
    windows: int


class HeldOutRates(TypedDict):
    """Both rates of held-out reads of some lengths, at the thresholds `log_odds`.

    lengths: bin in bp, [low, high), or None for all lengths; reads: `single`, or the rule by which the mates of a pair are
    called (`model`, `both`, `either`, `best`); matched: only reads with a match, or only those without; None: all."""

    lengths: list[int | None] | None
    reads: str
    matched: bool | None
    log_odds: list[float]
    viral: RateCurve
    nonviral: RateCurve


class HeldOut(TypedDict):
    """What held-out windows say of a model. gc: between what shares of G and C 98 % of them lie, None where their bases are
    unknown; match_bits: from how many bits the best match counts as a match, None where nothing was searched or no match says
    enough; without_match: the share of nonviral and of viral windows without one."""

    rates: list[HeldOutRates]
    gc: list[float] | None
    match_bits: float | None
    without_match: list[float] | None


class Rate(NamedTuple):
    """A rate, its variance over clusters with the degrees of freedom, and the effective number of clusters behind it."""

    value: float
    variance: float
    df: float
    effective: float


def measure(
    label: np.ndarray,
    cluster: np.ndarray,
    odds: np.ndarray,
    at: Sequence[float] | np.ndarray,
    lengths: list[int | None] | None = None,
    reads: str = "single",
    matched: bool | None = None,
) -> HeldOutRates:
    """The rates of held-out reads. label: [n] 0 or 1; cluster: [n] codes; odds: [n], out-of-fold log-odds; at: thresholds;
    lengths, reads, matched: what the reads have in common.

    Raises ValueError where a label has no reads."""
    thresholds = np.unique(np.asarray(at, float))
    nonviral, viral = (_curve(cluster[label == y], odds[label == y], thresholds) for y in (0, 1))
    return {
        "lengths": lengths,
        "reads": reads,
        "matched": matched,
        "log_odds": thresholds.tolist(),
        "viral": viral,
        "nonviral": nonviral,
    }


def _curve(cluster: np.ndarray, odds: np.ndarray, thresholds: np.ndarray) -> RateCurve:
    if not len(odds):
        raise ValueError("rates need reads of both labels")
    _, code = np.unique(cluster, return_inverse=True)
    windows = np.bincount(code)
    groups, steps = len(windows), len(thresholds) + 1
    passed = np.searchsorted(thresholds, odds, side="right")  # how many thresholds a read reaches
    by_step = np.bincount(code * steps + passed, minlength=groups * steps).reshape(groups, steps)
    called = by_step[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]  # [clusters, thresholds]
    total, calls = windows.sum(), called.sum(axis=0)
    without = (calls - called) / np.maximum(total - windows, 1)[:, None]
    squares = (groups - 1) / groups * (without - without.mean(axis=0)) ** 2
    variance, fourth = squares.sum(axis=0), (squares**2).sum(axis=0)
    # Those of a chi-squared distribution whose relative variance is that of the sum of squares: as many as clusters where
    # deviations are normal, and 2 where one cluster makes all of it.
    spread = fourth - variance**2 / groups
    df = np.divide(2 * variance**2, spread, out=np.full(len(thresholds), float(groups)), where=spread > 0)
    # One more cluster of mean size could be as unusual as the most unusual one.
    rate, large = calls / total, windows >= ENOUGH
    farthest = np.abs(called[large] / windows[large, None] - rate).max(axis=0, initial=0)
    variance = variance + (farthest / effective_clusters(windows)) ** 2
    return {
        "rate": (calls / total).tolist(),
        # Where no cluster or every cluster is called, the clusters cannot show how much they differ: one read could.
        "variance": np.maximum(variance, 1 / total**2).tolist(),
        "df": np.clip(df, 1, max(groups - 1, 1)).tolist(),
        "effective": effective_clusters(windows),
        "windows": int(total),
    }


def rates_for(
    known: Sequence[HeldOutRates], reads: str, length: tuple[int | None, int | None], matched: bool | None = None
) -> HeldOutRates | None:
    """The rates of one kind of reads with lengths in a bin: those of the bin, else those of all lengths, else None."""
    mine = [r for r in known if r["reads"] == reads and r["matched"] == matched]
    own = next((r for r in mine if r["lengths"] == list(length)), None)
    return own or next((r for r in mine if r["lengths"] is None), None)


def at_threshold(rates: HeldOutRates, log_odds: float) -> tuple[Rate, Rate]:
    """True and false positive rate at a threshold, interpolated between those that were measured."""
    x = rates["log_odds"]

    def read(curve: RateCurve) -> Rate:
        columns = (curve["rate"], curve["variance"], curve["df"])
        value, variance, df = (float(np.interp(log_odds, x, column)) for column in columns)
        return Rate(value, variance, df, curve["effective"])

    return read(rates["viral"]), read(rates["nonviral"])
