"""What is counted of a sample while its chunks pass: whole numbers only, so that neither chunks nor their order matter."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from virshort.calls.decisions import CALLS, UNSCORED, VIRAL, FragmentCalls
from virshort.calls.scores_file import ScoredReads
from virshort.heads.calibration import LENGTHS
from virshort.labels import LABELS

LIMIT, STEP = 20.0, 0.05
LOG_ODDS = np.arange(-LIMIT, LIMIT + STEP / 2, STEP)
"""The log-odds to which those of fragments are rounded where they are counted, [k]."""
EVIDENCE = ("composition", *(f"homology {label}" for label in LABELS))
GC_STEPS = 100
LONGEST = 1000
"""Reads of this length and longer, in bp, are counted together."""


def _zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.int64)


@dataclass
class SampleCounts:
    """match_bits: from how many bits a match counts; None: from any.

    reads: [mates, calls]; fragments: [calls]; classes: [2, 2, bins, 2], fragments by whether a read of theirs has a match, by
    whether both mates took part, by length bin and by call; odds: [2, 2, bins, k], the same by log-odds; lengths:
    [LONGEST + 1], gc: [GC_STEPS + 1] (percent), of scored reads; bins: [bins, calls], reads by length; evidence: [3, calls],
    of scored reads; shares_31mer: [calls], reads."""

    mates: int
    match_bits: float | None = None
    reads: np.ndarray = field(init=False)
    fragments: np.ndarray = field(default_factory=lambda: _zeros(len(CALLS)))
    classes: np.ndarray = field(default_factory=lambda: _zeros(2, 2, len(LENGTHS), 2))
    odds: np.ndarray = field(default_factory=lambda: _zeros(2, 2, len(LENGTHS), len(LOG_ODDS)))
    lengths: np.ndarray = field(default_factory=lambda: _zeros(LONGEST + 1))
    gc: np.ndarray = field(default_factory=lambda: _zeros(GC_STEPS + 1))
    bins: np.ndarray = field(default_factory=lambda: _zeros(len(LENGTHS), len(CALLS)))
    evidence: np.ndarray = field(default_factory=lambda: _zeros(len(EVIDENCE), len(CALLS)))
    shares_31mer: np.ndarray = field(default_factory=lambda: _zeros(len(CALLS)))
    reasons: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.reads = _zeros(self.mates, len(CALLS))

    def add(self, scored: ScoredReads, found: FragmentCalls) -> None:
        """Count a block of fragments."""
        call = np.repeat(found.call[:, None], self.mates, axis=1).astype(np.int64)
        for mate in range(self.mates):
            _add(self.reads[mate], call[:, mate])
        _add(self.fragments, found.call)
        decided = found.call != UNSCORED
        matched = has_match(scored.bits, self.match_bits)
        place = np.any(matched, axis=1)[decided], found.as_pair[decided], length_bin(found.length[decided])
        _add(self.classes, *place, found.call[decided] == VIRAL)
        _add(self.odds, *place, nearest_log_odds(found.log_odds[decided]))
        _add(self.bins, length_bin(scored.length), call)
        known = ~np.isnan(scored.log_odds)  # a read without a score may still have the call that its mate gave the pair
        _add(self.lengths, np.minimum(scored.scored_length[known], LONGEST))
        _add(self.gc, np.rint(scored.gc[known] * GC_STEPS).astype(np.int64))
        _add(self.evidence, kinds_of_evidence(scored.bits[known], self.match_bits), call[known])
        _add(self.shares_31mer, call[scored.shares_31mer])
        self.reasons.update(_tally(scored.reason))
        for flags, count in _tally(scored.flags).items():
            self.flags.update(dict.fromkeys(flags.split(","), count))


def has_match(bits: np.ndarray, match_bits: float | None) -> np.ndarray:
    """Whether the best match counts: from `match_bits` on, or any if that is None. bits: [..., labels]; returns [...] bool."""
    most: np.ndarray = bits.max(axis=-1)
    return most > 0 if match_bits is None else most >= match_bits


def kinds_of_evidence(bits: np.ndarray, match_bits: float | None) -> np.ndarray:
    """Which of EVIDENCE speaks for reads: that of the best match, if it counts. bits: [n, labels]; returns [n] int64."""
    return np.where(has_match(bits, match_bits), 1 + bits.argmax(axis=-1), 0)


def length_bin(length: np.ndarray) -> np.ndarray:
    """The bin of LENGTHS that each length belongs to."""
    return np.searchsorted([low for low, _ in LENGTHS], length, side="right") - 1


def nearest_log_odds(odds: np.ndarray) -> np.ndarray:
    """Which of LOG_ODDS is nearest to each number, [n]."""
    return np.rint((np.clip(odds, -LIMIT, LIMIT) + LIMIT) / STEP).astype(np.int64)


def _add(sums: np.ndarray, *at: np.ndarray) -> None:
    """Add 1 at each place, also where a place occurs several times."""
    places = np.ravel_multi_index([a.ravel().astype(np.int64) for a in at], sums.shape)
    sums += np.bincount(places, minlength=sums.size).reshape(sums.shape)


def _tally(texts: pa.Array) -> dict[str, int]:
    """How often each text occurs that is not empty."""
    return {c["values"]: c["counts"] for c in pc.value_counts(texts).to_pylist() if c["values"]}
