"""How often the interval of the viral share covers the truth, where clusters differ and the sample's are another draw."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import ROOT, Line, report

sys.path.insert(0, str(ROOT / "tests" / "helpers"))
from mixtures import KNOWN, held_out, held_out_with_matches, sample, sample_with_matches
from virshort.calls.prevalence import Stratum, added_interval, interval, pooled
from virshort.inference.held_out_rates import at_threshold, measure

SHARES = (0.5, 0.1, 0.01, 0.001, 0.0)
CLUSTERS = ((200, 200), (40, 40), (1000, 1000), (200, 20))
"""Held-out clusters of each label, and clusters of each label in the sample."""
LENIENT = 0.0
"""Threshold for reads without a match."""
THRESHOLD, READS, REPEATS, TARGET = 2.0, 20_000, 200, 0.9


def coverage(rng: np.random.Generator, share: float, known: int, sampled: int) -> float:
    """The share of repeats in which the interval holds the truth."""
    covered = 0
    for _ in range(REPEATS):
        rates = pooled([at_threshold(measure(*held_out(rng, known), np.linspace(-8, 8, 65)), THRESHOLD)], [1])
        called = int((sample(rng, READS, share, sampled) >= THRESHOLD).sum())
        ends = interval(called, READS, rates)
        covered += ends is not None and ends[0] <= share <= ends[1]
    return covered / REPEATS


def coverage_with_matches(rng: np.random.Generator, share: float, known: int, sampled: int, viruses: str) -> float:
    """The same where reads with a match and reads without one are corrected by rates of their own."""
    covered = 0
    for _ in range(REPEATS):
        label, cluster, odds, matched = held_out_with_matches(rng, known)
        reads, of_read = sample_with_matches(rng, READS, share, viruses, sampled)
        strata = []
        for which, threshold in ((False, LENIENT), (True, THRESHOLD)):
            here, mine = matched == which, reads[of_read == which]
            rates = measure(label[here], cluster[here], odds[here], np.linspace(-8, 8, 65))
            called = int((mine >= threshold).sum())
            strata.append(Stratum(called, len(mine), pooled([at_threshold(rates, threshold)], [1]), at_least=True))
        ends = added_interval(strata)
        covered += ends is not None and ends[0] <= share <= ends[1]
    return covered / REPEATS


def line(what: str, found: Sequence[float], promised: bool) -> Line:
    """A line of the table. found: by share."""
    return Line(
        f"share of viral reads, {what}",
        "95 %",
        f">= {TARGET:.0%} covered" if promised else "-",
        ", ".join(f"{f:.1%}" for f in found) + " at " + ", ".join(f"{s:.1%}" for s in SHARES),
        f"{min(found):.2f}",
        min(found) >= TARGET if promised else None,
    )


def main() -> None:
    Path(sys.argv[1]).mkdir(exist_ok=True)
    lines = []
    for viruses in KNOWN:
        for known, sampled in CLUSTERS[:2]:
            rngs = [np.random.default_rng(i) for i in range(len(SHARES))]
            found = [coverage_with_matches(rng, s, known, sampled, viruses) for rng, s in zip(rngs, SHARES, strict=True)]
            what = f"{known} held-out clusters of a label"
            lines.append(line(f"with and without matches, {what}, a sample of {viruses} viruses", found, True))
    for known, sampled in CLUSTERS:
        found = [coverage(np.random.default_rng(i), share, known, sampled) for i, share in enumerate(SHARES)]
        what = f"{known} held-out clusters of a label, {sampled} in the sample"
        lines.append(line(what, found, sampled >= known))
    report(lines)


if __name__ == "__main__":
    main()
