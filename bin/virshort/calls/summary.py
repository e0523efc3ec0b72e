"""From counts to the summary of a sample: calls, prevalence, and whether its reads are like those of training."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from virshort.calls.counts import EVIDENCE, GC_STEPS, LOG_ODDS, SampleCounts
from virshort.calls.decisions import CallRules
from virshort.calls.prevalence import (
    SampleRates,
    detection_limit,
    expected_precision,
    interval,
    pooled,
    rogan_gladen,
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
    return [int(n) for n in np.bincount(where, counts.odds.sum(axis=(0, 1)), HISTOGRAM)]


def prevalence(counts: SampleCounts, rules: CallRules, known: Sequence[HeldOutRates]) -> tuple[Prevalence | None, str | None]:
    """The share of viral fragments, or None and the sentence that says why it is not known."""
    fragments, called = int(counts.classes.sum()), int(counts.classes[..., 1].sum())
    if not fragments:
        return None, "No read was scored."
    if not known:
        return None, "The model holds no rates of held-out reads, so the share of viral reads cannot be corrected."
    rates: list[tuple[Rate, Rate]] = []
    weights: list[int] = []
    odds: list[np.ndarray] = []
    trained: list[float] = []
    for kind, where in zip(*np.nonzero(counts.classes.sum(axis=-1)), strict=True):
        reads, lengths = (rules.rule if kind else "single"), LENGTHS[where]
        found = rates_for(known, reads, lengths)
        if found is None:
            what = f"pairs called by the rule '{reads}'" if kind else "single reads"
            return None, f"The model holds no rates of held-out {what} of {in_words(lengths)}."
        cut = (rules.pair if kind and rules.rule == "model" else rules.single)(np.array([lengths[0]]))
        rates.append(at_threshold(found, float(cut[0])))
        weights.append(int(counts.classes[kind, where].sum()))
        odds.append(counts.odds[kind, where])
        windows = found["viral"]["windows"], found["nonviral"]["windows"]
        trained.append(windows[0] / sum(windows))
    of_sample = pooled(rates, weights)
    share, ends = rogan_gladen(called, fragments, of_sample), interval(called, fragments, of_sample)
    enough = min(of_sample.found.effective, of_sample.false.effective) >= MINIMUM_EFFECTIVE
    if enough and ends is None:
        share = None  # the rates are not those of the sample
    ends = ends if enough else None
    at = np.repeat(trained, [len(o) for o in odds])
    second = saerens(np.tile(LOG_ODDS, len(odds)), np.concatenate(odds), at)
    precisions = [expected_precision(p, of_sample) for p in ends or ()]
    precise = [p for p in precisions if p is not None]
    limit = detection_limit(fragments, of_sample) if enough else None
    seen = ends is not None and ends[0] > 0
    found_share: Prevalence = {
        "fragments": fragments,
        "called": called / fragments,
        "true_positive_rate": of_sample.found.value,
        "false_positive_rate": of_sample.false.value,
        "share": share,
        "ci95": list(ends) if ends else None,
        "saerens": second,
        "precision": None if share is None else expected_precision(share, of_sample),
        "precision_ci95": precise if len(precise) == 2 else None,
        "detection_limit": limit,
        "distinguishable": seen,
        "sentence": _sentence(called / fragments, of_sample, share, ends, limit),
    }
    return found_share, None


def _sentence(
    called: float, rates: SampleRates, share: float | None, ends: tuple[float, float] | None, limit: float | None
) -> str:
    if rates.found.value <= rates.false.value:
        return "At this threshold viral reads are called no more often than others, so the share of viral reads is unknown."
    if share is None:
        return (
            f"{percent(called)} of the scored fragments are called viral, but only {percent(rates.found.value)} of held-out "
            "viral ones, so no share explains the calls and the share of viral reads is unknown. This is to be expected where "
            "the viruses of a sample have closer relatives among the sources of the model than held-out viruses have."
        )
    if ends is None:
        return (
            f"About {percent(share)} of the scored fragments are viral. The rates come from too few clusters of held-out "
            "sources for an interval."
        )
    lowest = f" The smallest share that this sample could have told from none is {percent(limit)}." if limit is not None else ""
    if ends[0] == 0:
        most = f"at most {percent(ends[1])} of the scored fragments are viral"
        return f"The viral share is not distinguishable from none: {most}.{lowest}"
    bounds = f"95 % interval {percent(ends[0])} to {percent(ends[1])}"
    return f"{percent(share)} of the scored fragments are viral ({bounds}).{lowest}"


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
