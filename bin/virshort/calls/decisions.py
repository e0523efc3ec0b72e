"""From log-odds to calls: one call for each fragment, which is a single read or a pair.

Arrays over fragments have a column for each mate, [n, mates]; the log-odds of a mate that was not scored are NaN. A call rises
with the log-odds and never with the threshold, whatever the rule.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from virshort.errors import InputError, nearest
from virshort.heads.calibration import RATES
from virshort.labels import LABELS

CALLS = (*LABELS, "unscored")
"""The index of a call is its code."""
NONVIRAL, VIRAL, UNSCORED = range(3)
PAIR_RULES = ("model", "both", "either", "best")
THRESHOLDS = (*RATES, "balanced")


Cut = Callable[[np.ndarray], np.ndarray]
"""The log-odds that reads of some lengths must reach to be called viral: [n] bp to [n]."""
Together = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""The log-odds of pairs [n], from those of both mates [n, 2], the share of bases that both read [n], and the length [n]."""


@dataclass(frozen=True)
class CallRules:
    """How a model's log-odds become calls. rule: one of PAIR_RULES; pair, together: needed by the rule `model` alone."""

    single: Cut
    pair: Cut
    together: Together
    rule: str


@dataclass(frozen=True)
class FragmentCalls:
    """call: [n] int8, index in CALLS; log_odds: [n], on which the call rests, NaN if unscored; length: [n], by which the
    threshold was chosen, in bp; as_pair: [n] bool, whether both mates took part."""

    call: np.ndarray
    log_odds: np.ndarray
    length: np.ndarray
    as_pair: np.ndarray


def parse_threshold(text: str) -> str | float:
    """The value of --threshold: the name of a threshold of the model, or a score. Raises InputError for anything else."""
    if text in THRESHOLDS:
        return text
    try:
        score = float(text)
    except ValueError:
        raise InputError(f"--threshold '{text}': {nearest(text, THRESHOLDS)}, or a number between 0 and 1") from None
    if not 0 <= score <= 1:
        raise InputError(f"--threshold {text}: a score lies between 0 and 1")
    return score


def log_odds_of(score: float) -> float:
    """The log-odds of a score between 0 and 1; infinite at both ends."""
    with np.errstate(divide="ignore"):
        return float(np.log(score) - np.log1p(-score))


def call_fragments(odds: np.ndarray, length: np.ndarray, overlap: np.ndarray, rules: CallRules) -> FragmentCalls:
    """One call for each fragment.

    odds: [n, mates] log-odds, NaN where a mate was not scored; length: [n, mates] scored length in bp; overlap: [n]. A pair
    with one scored mate is called by that mate as if it were a single read."""
    odds = odds.astype(float)
    scored = ~np.isnan(odds)
    count = scored.sum(axis=1)
    one, two = count == 1, count == 2
    n = len(odds)
    decisive, length_used, reached = np.full(n, np.nan), np.zeros(n, np.int64), np.zeros(n, bool)
    if one.any():
        mate = scored[one].argmax(axis=1)
        rows = np.arange(len(mate))
        decisive[one], length_used[one] = odds[one][rows, mate], length[one][rows, mate]
        reached[one] = decisive[one] >= rules.single(length_used[one])
    if two.any():
        decisive[two], length_used[two], reached[two] = _call_pairs(odds[two], length[two], overlap[two], rules)
    call = np.where(count == 0, UNSCORED, np.where(reached, VIRAL, NONVIRAL)).astype(np.int8)
    return FragmentCalls(call, decisive, length_used, two)


def _call_pairs(
    odds: np.ndarray, length: np.ndarray, overlap: np.ndarray, rules: CallRules
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-odds, length and whether they reach the threshold, each [n], of pairs whose mates [n, 2] are both scored."""
    if rules.rule == "model":
        mean = length.sum(axis=1) // 2
        together = rules.together(odds, overlap, mean)
        return together, mean, together >= rules.pair(mean)
    cut = np.stack([rules.single(length[:, m]) for m in (0, 1)], axis=1)
    # The mate that decides is chosen by how far each is above its threshold; for `best`, by its log-odds alone, since a choice
    # that depends on the threshold could turn a call the wrong way when the threshold falls.
    chosen = {
        "both": (odds - cut).argmin(axis=1),
        "either": (odds - cut).argmax(axis=1),
        "best": np.abs(odds).argmax(axis=1),
    }[rules.rule]
    rows = np.arange(len(odds))
    return odds[rows, chosen], length[rows, chosen], odds[rows, chosen] >= cut[rows, chosen]
