"""How often the interval of the viral share covers the truth, where clusters differ and the sample's are another draw."""

import sys
from pathlib import Path

import numpy as np
from common import ROOT, Line, report

sys.path.insert(0, str(ROOT / "tests" / "helpers"))
from mixtures import held_out, sample
from virshort.calls.prevalence import interval, pooled
from virshort.inference.held_out_rates import at_threshold, measure

SHARES = (0.5, 0.1, 0.01, 0.001, 0.0)
CLUSTERS = ((200, 200), (40, 40), (1000, 1000), (200, 20))
"""Held-out clusters of each label, and clusters of each label in the sample."""
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


def main() -> None:
    Path(sys.argv[1]).mkdir(exist_ok=True)
    lines = []
    for known, sampled in CLUSTERS:
        found = [coverage(np.random.default_rng(i), share, known, sampled) for i, share in enumerate(SHARES)]
        promised = sampled >= known
        lines.append(
            Line(
                f"share of viral reads, {known} held-out clusters of a label, {sampled} in the sample",
                "95 %",
                f">= {TARGET:.0%} covered" if promised else "-",
                ", ".join(f"{f:.1%}" for f in found) + " at " + ", ".join(f"{s:.1%}" for s in SHARES),
                f"{min(found):.2f}",
                min(found) >= TARGET if promised else None,
            )
        )
    report(lines)


if __name__ == "__main__":
    main()
