"""From counts to the summary of a sample: calls, prevalence, and whether its reads are like those of training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from virshort.calls.counts import EVIDENCE, GC_STEPS, LOG_ODDS, STEP, SampleCounts
from virshort.calls.decisions import CallRules
from virshort.calls.prevalence import (
    SampleRates,
    Stratum,
    added_detection_limit,
    added_interval,
    added_up,
    expected_precision,
    interval,
    pooled,
    saerens,
)
from virshort.calls.sample_record import CallCounts, LengthCounts, Prevalence
from virshort.heads.calibration import LENGTHS
from virshort.inference.estimates import MINIMUM_EFFECTIVE
from virshort.inference.held_out_rates import HeldOut, HeldOutRates, Rate, at_threshold, rates_for

HISTOGRAM = 20  # bins of the score
NOTED = 0.05
"""A share of reads that is unlike the training windows is noted when it is larger."""
SHORTER, LONGER = 0.8, 1.25
"""Lengths up to so much shorter or longer than those of the training windows count as alike."""


def call_counts(by_call: np.ndarray) -> CallCounts:
    """by_call: [calls], in the order of CALLS."""
    nonviral, viral, unscored = (int(n) for n in by_call)
    return {"all": nonviral + viral + unscored, "viral": viral, "nonviral": nonviral, "unscored": unscored}


def by_mate(counts: SampleCounts) -> dict[str, CallCounts]:
    """The calls of single reads, or of each mate."""
    first = 0 if counts.mates == 1 else 1
    return {str(first + m): call_counts(row) for m, row in enumerate(counts.reads)}


def by_length(counts: SampleCounts) -> list[LengthCounts]:
    """The calls of reads in each bin of lengths."""
    return [{"lengths": list(lengths), **call_counts(row)} for lengths, row in zip(LENGTHS, counts.bins, strict=True)]


def by_evidence(counts: SampleCounts) -> dict[str, CallCounts]:
    """The calls of scored reads by what speaks for them."""
    return {name: call_counts(row) for name, row in zip(EVIDENCE, counts.evidence, strict=True)}


def score_histogram(counts: SampleCounts) -> list[int]:
    """Fragments in bins of the score of equal width."""
    where = np.minimum((special.expit(LOG_ODDS) * HISTOGRAM).astype(np.int64), HISTOGRAM - 1)
    return [int(n) for n in np.bincount(where, counts.odds.sum(axis=(0, 1, 2)), HISTOGRAM)]


def prevalence(
    counts: SampleCounts, rules: CallRules, balanced: CallRules, threshold: str | float, known: Sequence[HeldOutRates]
) -> tuple[Prevalence | None, str | None]:
    """The share of viral fragments, or None and the sentence that says why it is not known.

    rules: those of the calls; balanced: the same at the balanced threshold; threshold: the name of the former."""
    fragments, called = int(counts.classes.sum()), int(counts.classes[..., 1].sum())
    if not fragments:
        return None, "No read was scored."
    if not known:
        return None, "The model holds no rates of held-out reads, so the share of viral reads cannot be corrected."
    strata = [s for matched in (True, False) if (s := _stratum(counts, rules, balanced, known, matched))]
    if sum(s.counted.reads for s in strata) < fragments or not all(s.told for s in strata):
        # A match says nothing to this model, or its held-out windows are too few to be divided.
        strata = [s for s in (_stratum(counts, rules, balanced, known, None),) if s]
    if sum(s.counted.reads for s in strata) < fragments:
        return None, _without_rates(counts, rules, known)
    return _corrected(strata, called / fragments, threshold), None


@dataclass(frozen=True)
class _Stratum:
    """Fragments that are corrected together. counted: by the threshold at which their share is estimated; lenient: whether it
    is another one than that of the calls; called, rates: by that of the calls; saerens: their share from log-odds alone;
    viral: the share of held-out viral windows that are like them."""

    matched: bool | None
    counted: Stratum
    lenient: bool
    called: int
    rates: SampleRates
    saerens: float | None
    viral: float

    @property
    def enough(self) -> bool:
        """Whether there are enough clusters behind both rates for an interval."""
        return min(self.counted.rates.found.effective, self.counted.rates.false.effective) >= MINIMUM_EFFECTIVE

    @property
    def told(self) -> bool:
        """Whether the share of these fragments can be told at all, with an interval."""
        return self.enough and self.counted.rates.found.value > self.counted.rates.false.value


def _stratum(
    counts: SampleCounts, rules: CallRules, balanced: CallRules, known: Sequence[HeldOutRates], matched: bool | None
) -> _Stratum | None:
    """The fragments with a match, those without, or all (None), of classes whose rates are known. None if there are none."""
    classes, by_odds = (a.sum(axis=0) if matched is None else a[int(matched)] for a in (counts.classes, counts.odds))
    of_calls: list[tuple[Rate, Rate]] = []
    of_counts: list[tuple[Rate, Rate]] = []
    weights: list[int] = []
    reached, called = 0, 0
    odds: list[np.ndarray] = []
    trained: list[np.ndarray] = []
    viral: list[float] = []
    lenient = False
    for kind, where in zip(*np.nonzero(classes.sum(axis=-1)), strict=True):
        found, all_of_them = (_rates(rules, known, kind, where, m) for m in (matched, None))
        if found is None or all_of_them is None:
            continue
        cut, softer = (_cut(r, kind, where) for r in (rules, balanced))
        called += int(classes[kind, where, 1])
        of_calls.append(at_threshold(found, cut))
        if matched is False and softer < cut:
            # Stricter thresholds find so few viral reads without a match that nothing can be told from them.
            lenient, edge = True, _edge(softer)
            reached += int(by_odds[kind, where][edge < LOG_ODDS].sum())
            of_counts.append(at_threshold(found, edge))
        else:
            reached += int(classes[kind, where, 1])
            of_counts.append(of_calls[-1])
        weights.append(int(classes[kind, where].sum()))
        odds.append(by_odds[kind, where])
        windows = found["viral"]["windows"], found["nonviral"]["windows"]
        trained.append(np.full(len(LOG_ODDS), windows[0] / sum(windows)))
        viral.append(min(windows[0] / all_of_them["viral"]["windows"], 1))
    if not weights:
        return None
    return _Stratum(
        matched,
        Stratum(reached, sum(weights), pooled(of_counts, weights), at_least=matched is not None),
        lenient,
        called,
        pooled(of_calls, weights),
        saerens(np.tile(LOG_ODDS, len(odds)), np.concatenate(odds), np.concatenate(trained)),
        float(np.average(viral, weights=weights)),
    )


def _rates(rules: CallRules, known: Sequence[HeldOutRates], kind: int, where: int, matched: bool | None) -> HeldOutRates | None:
    """The rates of pairs (kind 1) or single reads (0) of a bin of lengths."""
    return rates_for(known, rules.rule if kind else "single", LENGTHS[where], matched)


def _cut(rules: CallRules, kind: int, where: int) -> float:
    """The log-odds that fragments of a kind and bin of lengths must reach."""
    cut = rules.pair if kind and rules.rule == "model" else rules.single
    return float(cut(np.array([LENGTHS[where][0]]))[0])


def _edge(cut: float) -> float:
    """The edge between two of LOG_ODDS that is nearest to a threshold, so that fragments can be counted above it."""
    return (np.floor(cut / STEP) + 0.5) * STEP


def _without_rates(counts: SampleCounts, rules: CallRules, known: Sequence[HeldOutRates]) -> str:
    """The sentence that names fragments of which the model holds no rates."""
    for kind, where in zip(*np.nonzero(counts.classes.sum(axis=(0, -1))), strict=True):
        if _rates(rules, known, kind, where, None) is None:
            what = f"pairs called by the rule '{rules.rule}'" if kind else "single reads"
            return f"The model holds no rates of held-out {what} of {in_words(LENGTHS[where])}."
    raise AssertionError("all fragments have rates")


def _corrected(strata: Sequence[_Stratum], called: float, threshold: str | float) -> Prevalence:
    counted = [s.counted for s in strata]
    enough = all(s.enough for s in strata)
    ends = added_interval(counted) if enough else None
    by_stratum = [s.interval() for s in counted]
    # Without an interval, the rates are not those of the sample.
    shares = [s.share if known or not enough else None for s, known in zip(counted, by_stratum, strict=True)]
    share = added_up(shares, counted)
    limit = added_detection_limit(counted, [s.viral for s in strata]) if enough else None

    def precision(of_strata: Sequence[float | None]) -> float | None:
        found = [p for p in of_strata if p is not None]
        if len(found) < len(strata):
            return None
        return expected_precision(found, [s.reads for s in counted], [s.rates for s in strata])

    bounds = [precision([known[end] if known else None for known in by_stratum]) for end in (0, 1)] if ends else []
    precise = [p for p in bounds if p is not None]
    return {
        "fragments": sum(s.reads for s in counted),
        "called": called,
        "strata": [
            {
                "matched": s.matched,
                "fragments": s.counted.reads,
                "called": s.called / s.counted.reads,
                "true_positive_rate": s.rates.found.value,
                "false_positive_rate": s.rates.false.value,
                "counted_at": "balanced" if s.lenient else threshold,
                "share": of_stratum,
                "ci95": list(known) if enough and known else None,
                "precision": None if of_stratum is None else expected_precision([of_stratum], [1], [s.rates]),
            }
            for s, of_stratum, known in zip(strata, shares, by_stratum, strict=True)
        ],
        "share": share,
        "ci95": list(ends) if ends else None,
        "saerens": added_up([s.saerens for s in strata], counted),
        "precision": precision(shares),
        "precision_ci95": precise if len(precise) == 2 else None,
        "detection_limit": limit,
        "distinguishable": ends is not None and ends[0] > 0,
        "sentence": _sentence(strata, shares, share, ends, limit),
    }


WHICH = {True: "scored fragments with a match", False: "scored fragments without a match", None: "scored fragments"}


def _sentence(
    strata: Sequence[_Stratum],
    shares: Sequence[float | None],
    share: float | None,
    ends: tuple[float, float] | None,
    limit: float | None,
) -> str:
    for s, of_stratum in zip(strata, shares, strict=True):
        rates = s.counted.rates
        if rates.found.value <= rates.false.value:
            return "At this threshold viral reads are called no more often than others, so the share of viral reads is unknown."
        if of_stratum is None:
            at = " at the balanced threshold" if s.lenient else ""
            return (
                f"{percent(s.counted.called / s.counted.reads)} of the {WHICH[s.matched]} are called viral{at}, but only "
                f"{percent(rates.found.value)} of held-out viral ones, so no share explains the calls and the share of viral "
                "reads is unknown. This is to be expected where the viruses of a sample have closer relatives among the "
                "sources of the model than held-out viruses have."
            )
    if ends is None:
        return (
            f"About {percent(share or 0)} of the scored fragments are viral. The rates come from too few clusters of held-out "
            "sources for an interval."
        )
    lowest = f" The smallest share that this sample could have told from none is {percent(limit)}." if limit is not None else ""
    if ends[0] == 0:
        most = f"at most {percent(ends[1])} of the scored fragments are viral"
        return f"The viral share is not distinguishable from none: {most}.{lowest}"
    bounds = f"95 % interval {percent(ends[0])} to {percent(ends[1])}"
    return (
        f"{percent(share or 0)} of the scored fragments are viral ({bounds}){_parts(strata, shares)}.{lowest}{_excess(strata)}"
    )


def _parts(strata: Sequence[_Stratum], shares: Sequence[float | None]) -> str:
    """How the share is made up: what matches, and what composition alone says."""
    if len(strata) == 1:
        return ""
    total = sum(s.counted.reads for s in strata)
    parts = {s.matched: percent((share or 0) * s.counted.reads / total) for s, share in zip(strata, shares, strict=True)}
    return f": {parts[True]} with a match, and {parts[False]} without one"


def _excess(strata: Sequence[_Stratum]) -> str:
    """A sentence where more fragments without a match are called viral than even a sample of viruses explains, or nothing."""
    total = sum(s.counted.reads for s in strata)
    for s in strata:
        called, reads, rates = s.counted.called, s.counted.reads, s.counted.rates
        if s.matched is False and reads > NOTED * total and interval(called, reads, rates) is None:
            return (
                f" {percent(called / reads)} of the {WHICH[False]} are called viral at the balanced threshold, but only "
                f"{percent(rates.found.value)} of held-out viral ones: their organisms are unlike the held-out ones, and the "
                "estimate cannot be relied upon."
            )
    return ""


def kind_of_fragments(layout: str) -> str:
    """What the fragments of a sample are."""
    return "reads" if layout == "single" else "pairs"


def percent(share: float) -> str:
    """A share in percent, with two digits that count."""
    value = 100 * share
    return f"{value:.1f} %" if value >= 10 else f"{value:.2g} %" if value >= 0.001 else "less than 0.001 %" if value else "0 %"


def in_words(lengths: tuple[int, int | None]) -> str:
    """A bin of lengths."""
    low, high = lengths
    return f"{low} bp and more" if high is None else f"under {high} bp" if not low else f"{low} to {high - 1} bp"


def unlike(counts: SampleCounts, trained_on: Mapping[str, Sequence[int | None]], held_out: HeldOut | None) -> list[str]:
    """How the scored reads differ from the windows that the model was trained on, one sentence for each difference.

    trained_on: the shortest and longest windows of each training set, in bp."""
    scored = int(counts.lengths.sum())
    if not scored:
        return []
    found = []
    ends = [n for lengths in trained_on.values() for n in lengths if n is not None]
    if ends:
        shortest, longest = min(ends), max(ends)
        under = counts.lengths[: int(np.ceil(SHORTER * shortest))].sum() / scored
        over = counts.lengths[int(LONGER * longest) + 1 :].sum() / scored
        for share, word, limit in ((under, "shorter", shortest), (over, "longer", longest)):
            if share > NOTED:
                found.append(f"{percent(share)} of the scored reads are much {word} than any window of training ({limit} bp).")
    if held_out is None:
        return found
    if held_out["gc"] is not None:
        low, high = (round(GC_STEPS * g) for g in held_out["gc"])
        outside = 1 - counts.gc[low : high + 1].sum() / scored
        if outside > NOTED:
            found.append(
                f"{percent(outside)} of the scored reads have a GC content outside the range of 98 % of the held-out windows "
                f"({low} to {high} %)."
            )
    if held_out["without_match"] is not None:
        alone = counts.evidence[0].sum() / scored
        most = max(held_out["without_match"])
        if alone > most + NOTED:
            found.append(
                f"{percent(alone)} of the scored reads match no source of the model; of held-out windows it was at most "
                f"{percent(most)} of a label."
            )
    return found
