"""The codon features of one sequence as their names say, with Biopython, codon by codon: slow, and easy to check by eye."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
from Bio.Seq import reverse_complement, translate

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
CODONS = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]
WORDS = sorted({min(w, reverse_complement(w)) for w in (codon + base for codon in CODONS for base in "ACGT")})


def shares(items: Iterable[str], names: list[str] | str) -> list[float]:
    """Frequencies of the names among those items that are one of them, relative to uniform."""
    counts = Counter(i for i in items if i in names)
    return [counts[name] * len(names) / max(1, counts.total()) for name in names]


def plain_codon_features(sequence: str, code: int) -> list[float]:
    """The 317 numbers of one sequence."""
    sequence = sequence.upper()
    frames: list[tuple[int, int, int, list[str]]] = []  # what orders them, and the codons of the longest run
    every: list[str] = []
    stops: list[int] = []
    for strand in (0, 1):
        for frame in range(3):
            found = [sequence[p : p + 3] for p in range(frame, len(sequence) - 2, 3)]
            if strand:
                found = [reverse_complement(c) for c in found]
            closed = [translate(c, table=code) == "*" for c in found]
            runs, first = [(0, frame, 0, 0)], 0
            for at, stop in enumerate([*closed, True]):
                if stop:
                    runs.append((first - at, frame + 3 * (at - 1), first, at))
                    first = at + 1
            size, last, begin, end = min(r for r in runs if r[0] < 0 or r == (0, frame, 0, 0))
            frames.append((size, strand, last, found[begin:end]))
            every += found
            stops.append(sum(closed))
    ordered = sorted(frames)
    (*_, one), (*_, two) = ordered[:2]
    words = [sequence[p : p + 4] for p in range(len(sequence) - 3)]
    sizes = sorted(-size for size, *_ in frames)
    return [
        *shares((min(w, reverse_complement(w)) for w in words), WORDS),
        *shares(one, CODONS),
        *shares((translate(c, table=code) for c in one if c in CODONS), RESIDUES),
        np.log2(1 + sizes[-1]),
        *shares(two, CODONS),
        *np.log2(1 + np.array(sizes)),
        *np.log2(1 + np.array(sorted(stops))),
        *shares((translate(c, table=code) for c in every if c in CODONS), RESIDUES),
    ]
