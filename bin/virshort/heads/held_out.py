"""What the held-out windows of a test set say of the model that an arm would be exported as: held_out.json."""

from collections.abc import Sequence

import numpy as np

from virshort.features.window_features import WindowFeatures
from virshort.heads.calibration import LENGTHS, in_bin
from virshort.heads.matches import best_bits
from virshort.heads.pair_record import MateRule
from virshort.heads.pairing import Pairs, pooled_log_odds
from virshort.heads.prediction import Heads
from virshort.inference.held_out_rates import HeldOut, HeldOutRates, measure
from virshort.labels import LABELS
from virshort.modalities import MATCHES

FILE = "held_out.json"
THRESHOLDS = np.arange(-12, 12.01, 0.25)
"""Log-odds at which rates are measured; those between are interpolated."""
GC_RANGE = (0.01, 0.99)
"""Between these quantiles lies the GC content of 98 % of the windows."""
_BLOCK = 1 << 14  # rows of features that are read at once


def calibrated_by_unseen(heads: Heads, folds: int, odds: np.ndarray, fold: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Calibrated log-odds of windows by heads that did not train on them, [2, n]: those that test their fold, and those that
    validate on it; NaN where there is none.

    heads: by the fold that they test; folds: how many there are; odds: [2, n] by the same heads; fold, length (bp): [n]."""
    judges = (heads, heads.by_validation_fold(folds))
    return np.stack([judge.calibrated(o, fold, length) for judge, o in zip(judges, odds, strict=True)])


def as_ensemble(by_head: np.ndarray) -> np.ndarray:
    """Calibrated log-odds of windows as near to those of an exported model, the mean of all folds, as held-out windows allow.

    A window trained neither the head that tests its fold nor the one that validates on it. The mean of these two varies less
    than one of them, so that fewer nonviral windows exceed a threshold, as with the mean of all.
    by_head: [2, n] or [2, n, mates], the second NaN where no such head was trained. Returns [n] or [n, mates]."""
    tested, validated = by_head
    return np.where(np.isnan(validated), tested, (tested + validated) / 2)


def rates_by_length(
    label: np.ndarray,
    cluster: np.ndarray,
    odds: np.ndarray,
    length: np.ndarray,
    reads: str = "single",
    matched: np.ndarray | None = None,
) -> list[HeldOutRates]:
    """Rates of all lengths together and of each bin of lengths, and of reads with and without a match in each, wherever there
    are windows of both labels.

    label: [n] 0 or 1; cluster: [n] codes; odds: [n] calibrated log-odds; length: [n] bp; reads: as in HeldOutRates; matched:
    [n] bool, None where it is not known."""
    found = []
    for lengths in (None, *LENGTHS):
        for only in (None,) if matched is None else (None, False, True):
            here = in_bin(length, lengths)
            if only is not None:
                here &= matched == only
            if len(np.unique(label[here])) == len(LABELS):
                bounds = list(lengths) if lengths else None
                found.append(measure(label[here], cluster[here], odds[here], THRESHOLDS, bounds, reads, only))
    return found


def rates_by_rule(
    label: np.ndarray,
    cluster: np.ndarray,
    mates: np.ndarray,
    together: np.ndarray,
    length: np.ndarray,
    matched: np.ndarray | None = None,
) -> list[HeldOutRates]:
    """Rates of pairs by each rule for pairs. mates: [n, 2] calibrated log-odds; together: [n], by the model's rule; matched:
    [n] bool, whether one of the mates has a match."""
    surer = np.take_along_axis(mates, np.abs(mates).argmax(axis=1)[:, None], axis=1)[:, 0]
    by_rule = {"model": together, "both": mates.min(axis=1), "either": mates.max(axis=1), "best": surer}
    return [r for rule, odds in by_rule.items() for r in rates_by_length(label, cluster, odds, length, rule, matched)]


def rates_of_pairs(pairs: Pairs, mates: np.ndarray, rule: MateRule, matched: np.ndarray | None = None) -> list[HeldOutRates]:
    """Rates of pairs by each rule for pairs. mates: [n, 2] calibrated log-odds; rule: the model's; matched: [n] bool, whether
    one of the mates has a match."""
    together = pooled_log_odds(mates, pairs.overlap, pairs.length, rule)
    return rates_by_rule(pairs.label, pairs.cluster, mates, together, pairs.length, matched)


def describe_held_out(
    windows: WindowFeatures, rates: list[HeldOutRates], match_bits: float | None = None, matched: np.ndarray | None = None
) -> HeldOut:
    """held_out.json of a test set. match_bits: from how many bits a match counts; matched: [n] bool, which windows have one.
    Both are None where there are no such matches."""
    gc = windows.column("gc")  # unknown in features that were given, whose windows' bases nobody has
    label = windows.column("label")
    both = len(np.unique(label)) == len(LABELS)
    return {
        "rates": rates,
        "gc": None if np.isnan(gc).any() else np.quantile(gc, GC_RANGE).tolist(),
        "match_bits": match_bits,
        "without_match": None if matched is None or not both else [float(1 - matched[label == y].mean()) for y in (0, 1)],
    }


def best_matches(windows: WindowFeatures) -> np.ndarray:
    """The bits of the best nonviral and the best viral match of each window with a source of any fold: [n, 2] float32.

    A window was searched in every fold but its own, which are those that the two heads read that did not see it."""
    bits = np.empty((len(windows), len(LABELS)), np.float32)
    for first in range(0, len(windows), _BLOCK):
        which = np.arange(first, min(first + _BLOCK, len(windows)))
        rows, begin = windows.rows_of(which)
        found = windows.rows(rows if begin is None else rows[begin], [MATCHES])
        bits[which] = best_bits(found)
    return bits


def joined(by_set: Sequence[HeldOut]) -> HeldOut | None:
    """What a model says of its held-out windows, from its test sets, of which the first is of short windows.

    Each bin of lengths and kind of reads has the rates of the test set with the most windows in it."""
    if not by_set:
        return None
    best: dict[tuple[str, tuple[int | None, ...] | None, bool | None], HeldOutRates] = {}
    for rates in (r for of_set in by_set for r in of_set["rates"]):
        key = (rates["reads"], tuple(rates["lengths"]) if rates["lengths"] else None, rates["matched"])
        if key not in best or _windows(rates) > _windows(best[key]):
            best[key] = rates
    return {**by_set[0], "rates": list(best.values())}


def _windows(rates: HeldOutRates) -> int:
    return rates["viral"]["windows"] + rates["nonviral"]["windows"]
