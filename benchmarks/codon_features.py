"""Codon features of short windows, compared with a loop over windows with Biopython."""

import numpy as np
from common import Line, medians, report

from plain_codons import plain_codon_features
from virshort.sequence.codon_features import codon_features

WINDOWS, LOOPED, LENGTH, REPEATS = 65_536, 300, 150, 7


def main() -> None:
    text = (
        np.random.default_rng(1).choice(np.frombuffer(b"ACGTN", np.uint8), WINDOWS * LENGTH, p=[*[0.2495] * 4, 0.002]).tobytes()
    )
    windows = [text[i : i + LENGTH] for i in range(0, len(text), LENGTH)]

    def plain() -> list[list[float]]:
        return [plain_codon_features(w.decode(), 1) for w in windows[:LOOPED]]

    np.testing.assert_allclose(codon_features(windows[:LOOPED]), plain(), rtol=1e-6)
    ours, loop = medians([lambda: codon_features(windows), plain], REPEATS)
    rate = WINDOWS / ours
    report(
        [
            Line(
                "codon features, 150 bp, one core",
                f"{LOOPED / loop:,.0f} windows/s, loop with Biopython",
                ">= 100,000 windows/s",
                f"{rate:,.0f} windows/s",
                f"{rate / 100_000:.2f}",
                rate >= 100_000,
                f"{rate * loop / LOOPED:.0f} times as fast as the loop",
            )
        ]
    )


if __name__ == "__main__":
    main()
