"""Longest stop-free stretch over six frames, compared with a loop over windows with Biopython."""

import numpy as np
from Bio.Seq import Seq
from common import Line, medians, report

from virshort.sequence.translation import longest_peptides

WINDOWS, LOOPED, LENGTH, REPEATS = 200_000, 4_000, 150, 5


def plain(window: bytes) -> int:
    """Number of residues in the longest stretch between stops in six frames."""
    forward = Seq(window)
    return max(
        len(stretch)
        for strand in (forward, forward.reverse_complement())
        for frame in range(3)
        for stretch in str(strand[frame : len(strand) - (len(strand) - frame) % 3].translate()).split("*")
    )


def main() -> None:
    text = np.random.default_rng(1).choice(np.frombuffer(b"ACGT", np.uint8), WINDOWS * LENGTH).tobytes()
    windows = [text[i : i + LENGTH] for i in range(0, len(text), LENGTH)]
    assert [len(p) for p in longest_peptides(windows[:LOOPED])] == [plain(w) for w in windows[:LOOPED]]
    ours, loop = medians([lambda: longest_peptides(windows), lambda: [plain(w) for w in windows[:LOOPED]]], REPEATS)
    ours, loop = ours / WINDOWS, loop / LOOPED
    report(
        [
            Line(
                "six-frame longest stop-free stretch, 150 bp, one core",
                f"{1 / loop:,.0f} windows/s, loop with Biopython",
                ">= 20x",
                f"{1 / ours:,.0f} windows/s",
                f"{loop / ours:.0f}x",
                loop >= 20 * ours,
            )
        ]
    )


if __name__ == "__main__":
    main()
