"""The share of viral reads in a sample, from how many were called viral and how often held-out reads are.

Calls alone mislead: at a false positive rate of 1 %, a sample without any virus has 1 % viral calls. With the rates t (viral
reads that are found) and f (nonviral reads that are called viral), a share p gives the expected share of calls
q(p) = p t + (1 - p) f, from which Rogan & Gladen 1978 estimate p = (q - f) / (t - f).

The interval holds every share p at which the observed share of calls is no surprise (the inversion of a test, as in the
intervals of Fieller and Wilson), so it stays sound near 0 and 1, where the usual one by error propagation does not. The
variance has two parts: the binomial one of the sample's reads, and that of both rates over clusters. The latter counts twice:
once because the rates were measured on a limited number of clusters, and once because the organisms of the sample are another
draw, which is taken to be of as many clusters.

Viruses that are known are found much more often than new ones, and a sample's need not be as new as held-out ones are. So reads
with a match and reads without one are corrected each by rates of their own, and then added up (stratification).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from virshort.inference.held_out_rates import Rate

DRAWS = 2
"""Draws of clusters that separate the measured rates from those of the sample: the held-out clusters, and the sample's own."""
LEVEL = 0.95
GRID = 2000
SMALLEST = 1e-7  # share


@dataclass(frozen=True)
class SampleRates:
    """The rates to expect in a sample: found (true positives) and false (false positives)."""

    found: Rate
    false: Rate


@dataclass(frozen=True)
class Stratum:
    """Reads of a sample that are corrected together. called: how many reach a threshold; rates: at this threshold; at_least:
    whether viral reads may be found more often than the rate says, since viruses that are known are."""

    called: int
    reads: int
    rates: SampleRates
    at_least: bool = False

    @property
    def share(self) -> float | None:
        """Of these reads, the viral ones."""
        return rogan_gladen(self.called, self.reads, self.rates)

    def interval(self, level: float = LEVEL) -> tuple[float, float] | None:
        """The interval of their share. If viral reads may be found more often, its lower end is that of finding all of them,
        and more calls than the rates explain leave the upper end open."""
        ends = interval(self.called, self.reads, self.rates, level)
        if not self.at_least or self.rates.found.value <= self.rates.false.value:
            return ends
        all_found = SampleRates(Rate(1.0, 0.0, 1.0, self.rates.found.effective), self.rates.false)
        low, _ = interval(self.called, self.reads, all_found, level) or (1.0, 1.0)
        return (min(low, ends[0]), ends[1]) if ends else (low, 1.0)


def pooled(rates: Sequence[tuple[Rate, Rate]], weights: Sequence[float] | np.ndarray) -> SampleRates:
    """The rates of a sample whose reads fall into several classes (length bins; single reads and pairs).

    weights: the share of the sample's scored reads in each class. The classes are of the same clusters, so their errors go
    together: standard deviations add up, not variances."""
    share = np.asarray(weights, float) / np.sum(weights)

    def mean(which: int) -> Rate:
        values = np.array([r[which].value for r in rates])
        deviations = np.sqrt([r[which].variance for r in rates])
        df, effective = (min(column) for column in zip(*((r[which].df, r[which].effective) for r in rates), strict=True))
        return Rate(float(values @ share), float(deviations @ share) ** 2, df, effective)

    return SampleRates(mean(0), mean(1))


def rogan_gladen(called: int, reads: int, rates: SampleRates) -> float | None:
    """The estimated share, cut to [0, 1]; None where viral reads are not called more often than others."""
    gap = rates.found.value - rates.false.value
    return float(np.clip((called / reads - rates.false.value) / gap, 0, 1)) if gap > 0 and reads else None


class _Expectation(NamedTuple):
    """The share of calls to expect at each true share [k], the largest deviation from it that is no surprise, and the calls
    whose clusters make these deviations skewed."""

    calls: np.ndarray
    margin: np.ndarray
    skewed: np.ndarray


def _expected(share: np.ndarray, reads: int, rates: SampleRates, quantile: float) -> _Expectation:
    """What to expect at each true share [k]. The margin is the t quantile times the standard deviation of the calls."""
    found, false = rates.found, rates.false
    calls = share * found.value + (1 - share) * false.value
    binomial = calls * (1 - calls) / reads
    by_viral, by_nonviral = DRAWS * share**2 * found.variance, DRAWS * (1 - share) ** 2 * false.variance
    variance = binomial + by_viral + by_nonviral
    # Satterthwaite; the binomial part has as many degrees of freedom as there are reads.
    below = by_viral**2 / found.df + by_nonviral**2 / false.df + binomial**2 / reads
    df = np.divide(variance**2, below, out=np.full(len(share), 1e9), where=below > 0)
    by_false = np.divide(by_nonviral, variance, out=np.zeros(len(share)), where=variance > 0)
    return _Expectation(calls, special.stdtrit(df, quantile) * np.sqrt(variance), calls - by_false * share * found.value)


def _distance(called_share: np.ndarray | float, expected: _Expectation) -> np.ndarray:
    """How far an observed share of calls is from the expected one, in units of the largest distance that is no surprise.

    Rates of clusters are skewed: one may have ten times the mean false positive rate, but none less than none. So more calls
    than expected are compared by their ratio to the calls that are skewed, and fewer by their difference."""
    calls, margin, skewed = expected
    base = np.maximum(np.maximum(skewed, margin / 2), 1e-300)
    excess = base * np.log1p(np.maximum(called_share - calls, 0) / base)
    return np.where(called_share > calls, excess, calls - called_share) / np.maximum(margin, 1e-300)


def shares() -> np.ndarray:
    """Shares from 0 to 1, dense near both ends: float64 [k]."""
    low = np.geomspace(SMALLEST, 0.5, GRID)
    return np.concatenate([[0.0], low, 1 - low[-2::-1], [1.0]])


def interval(called: int, reads: int, rates: SampleRates, level: float = LEVEL) -> tuple[float, float] | None:
    """The interval of the share; None where the rates cannot tell shares apart, and where more is called than any share
    explains, so that the rates are not those of the sample. An interval from 0 to 1 says nothing."""
    if not reads or rates.found.value <= rates.false.value:
        return None
    grid = shares()
    inside = np.flatnonzero(_distance(called / reads, _expected(grid, reads, rates, 0.5 + level / 2)) <= 1)
    if not len(inside):  # fewer calls than any share explains, or more
        return (0.0, 0.0) if called / reads < rates.false.value else None
    # One step further out on each side: the ends lie between grid points.
    low, high = max(inside[0] - 1, 0), min(inside[-1] + 1, len(grid) - 1)
    return float(grid[low]) if inside[0] else 0.0, float(grid[high])


def detection_limit(reads: int, rates: SampleRates) -> float | None:
    """The smallest share that is told from none in 95 % of such samples, by a test at the level of 5 % (Currie 1968); None
    where no share is."""
    if not reads or rates.found.value <= rates.false.value:
        return None
    grid = shares()
    expected = _expected(grid, reads, rates, LEVEL)
    none = _Expectation(*(column[:1] for column in expected))
    sure = expected.calls - expected.margin  # calls that nearly every sample with this share has
    seen = np.flatnonzero((sure > none.calls) & (_distance(sure, none) > 1))
    return float(grid[seen[0]]) if len(seen) else None


def added_up(shares: Sequence[float | None], strata: Sequence[Stratum]) -> float | None:
    """The share of all reads that have a property, from the shares in each stratum; None where one is not known."""
    known = [share for share in shares if share is not None]
    if len(known) < len(shares):
        return None
    return float(np.average(known, weights=[s.reads for s in strata]))


def added_interval(strata: Sequence[Stratum]) -> tuple[float, float] | None:
    """The 95 % interval of the share of all reads; None where one stratum has none.

    The ends of the strata add up. Their levels are such that all strata are right at once in 95 % of samples (Bonferroni), so
    nothing need be known about how their errors go together."""
    level = 1 - (1 - LEVEL) / len(strata)
    low, high = zip(*((s.interval(level) or (None, None)) for s in strata), strict=True)
    ends = added_up(low, strata), added_up(high, strata)
    return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])


def added_detection_limit(strata: Sequence[Stratum], viral: Sequence[float]) -> float | None:
    """The smallest share of all reads that is told from none in one of the strata; None where no share is.

    viral: the share of a sample's viral reads that is expected in each stratum."""
    total = sum(s.reads for s in strata)
    limits = [detection_limit(s.reads, s.rates) for s in strata]
    shares = [
        limit * s.reads / total / part
        for limit, s, part in zip(limits, strata, viral, strict=True)
        if limit is not None and part > 0
    ]
    return min((share for share in shares if share <= 1), default=None)


def expected_precision(shares: Sequence[float], reads: Sequence[int], rates: Sequence[SampleRates]) -> float | None:
    """The share of viral calls that are right, where a share of the reads of each stratum is viral; None where nothing is
    called. rates: of the calls."""
    share, weight = np.asarray(shares, float), np.asarray(reads, float)
    right = weight * share * [r.found.value for r in rates]
    called = (right + weight * (1 - share) * [r.false.value for r in rates]).sum()
    return float(right.sum() / called) if called > 0 else None


def saerens(odds: np.ndarray, counts: np.ndarray, trained: float | np.ndarray, rounds: int = 1000) -> float | None:
    """The share of viral reads by expectation maximization on calibrated log-odds (Saerens, Latinne & Decaestecker 2002).

    odds: [k] log-odds; counts: [k], how many reads have them; trained: the share of viral windows for which the log-odds were
    calibrated, one number or [k]. None without reads."""
    total = counts.sum()
    if not total:
        return None
    evidence = odds - special.logit(trained)  # the log of the likelihood ratio
    share = 0.5
    for _ in range(rounds):
        update = float((counts * special.expit(evidence + special.logit(share))).sum() / total)
        update = min(max(update, 1e-12), 1 - 1e-12)
        if abs(update - share) < 1e-10:
            break
        share = update
    return update
