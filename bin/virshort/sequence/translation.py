"""Six-frame translation, exact for ambiguous bases, and the longest stop-free stretch of a window.

With base masks (bases.py), every codon, ambiguous or not, is one of 16^3 entries of a table made from Biopython's.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from Bio.Seq import translate

from virshort.sequence.bases import COMPLEMENT, LETTERS, by_similar_length, stack

_OPEN_PLUS, _OPEN_MINUS = 1, 2


@cache
def codon_tables(genetic_code: int) -> tuple[np.ndarray, np.ndarray]:
    """Residues (ASCII, uint8) of the 4096 codons of base masks, read forwards and on the opposite strand.

    A codon with a missing base (mask 0) is 0. Ambiguous codons are translated as Biopython does: to a residue or '*' if all
    readings agree, to B, Z or J if that stands for the two possible residues, and otherwise to X.
    Raises KeyError for a genetic code that NCBI does not list.
    """
    letters = [chr(c) for c in LETTERS]
    forward = np.zeros(4096, np.uint8)
    masks = [(a, b, c) for a in range(1, 16) for b in range(1, 16) for c in range(1, 16)]
    codons = "".join(letters[m] for abc in masks for m in abc)
    number = np.array([a << 8 | b << 4 | c for a, b, c in masks])
    forward[number] = np.frombuffer(translate(codons, table=genetic_code).encode(), np.uint8)
    every = np.arange(4096)
    other = COMPLEMENT[every & 15].astype(int) << 8 | COMPLEMENT[every >> 4 & 15].astype(int) << 4 | COMPLEMENT[every >> 8]
    return forward, forward[other]


@cache
def _open_codons(genetic_code: int) -> np.ndarray:
    """[4096] two bits per codon: whether it is a residue on the plus strand, and on the minus strand."""
    plus, minus = ((table != 0) & (table != ord("*")) for table in codon_tables(genetic_code))
    return (plus * _OPEN_PLUS + minus * _OPEN_MINUS).astype(np.uint8)


def longest_stretches(masks: np.ndarray, genetic_code: int = 1) -> list[bytes]:
    """The longest stop-free stretch of each row over its six frames, translated.

    Of stretches of equal length, one on the plus strand is preferred, and then the one that ends first in the window.
    masks: [n, length] uint8 base masks, 0 for padding. Returns n peptides, which are empty for rows without a codon.

    A frame consists of every third position. The run of codons that ends at position p is therefore one longer than the
    run at p - 3, or empty if the codon at p is a stop. One pass over the positions finds it for all windows at once.
    """
    n, length = masks.shape
    by_position = np.ascontiguousarray(masks.T).astype(np.uint16)
    open_codons = _open_codons(genetic_code)
    run = {bit: [np.zeros(n, np.uint16) for _ in range(3)] for bit in (_OPEN_PLUS, _OPEN_MINUS)}
    best = {bit: np.zeros(n, np.uint16) for bit in run}
    last = {bit: np.zeros(n, np.int32) for bit in run}
    for p in range(length - 2):
        codon = by_position[p] << 8 | by_position[p + 1] << 4 | by_position[p + 2]
        flags = open_codons.take(codon)
        for bit, frames in run.items():
            frames[p % 3] = (frames[p % 3] + 1) * ((flags & bit) != 0)
            last[bit][frames[p % 3] > best[bit]] = p
            np.maximum(best[bit], frames[p % 3], out=best[bit])
    minus = best[_OPEN_MINUS] > best[_OPEN_PLUS]
    size = np.where(minus, best[_OPEN_MINUS], best[_OPEN_PLUS]).astype(np.int64)
    end = np.where(minus, last[_OPEN_MINUS], last[_OPEN_PLUS])
    # The plus strand is read forwards from the first codon of the stretch, the minus strand backwards from its last.
    first = np.where(minus, end, end - 3 * (size - 1))
    step = np.where(minus, -3, 3)
    ends = np.cumsum(size)
    within = np.arange(ends[-1] if n else 0) - np.repeat(ends - size, size)
    at = np.repeat(np.arange(n) * length + first, size) + within * np.repeat(step, size)
    wide = masks.reshape(-1).astype(np.uint16)
    codon = wide[at] << 8 | wide[at + 1] << 4 | wide[at + 2]
    plus_table, minus_table = codon_tables(genetic_code)
    text = np.where(np.repeat(minus, size), minus_table[codon], plus_table[codon]).tobytes()
    return [text[e - k : e] for e, k in zip(ends.tolist(), size.tolist(), strict=True)]


def longest_peptides(sequences: Sequence[bytes], genetic_code: int = 1) -> list[bytes]:
    """The result of `longest_stretches` for sequences of any lengths, in their order."""
    lengths = np.array([len(s) for s in sequences], np.int64)
    peptides: list[bytes] = [b""] * len(sequences)
    for rows in by_similar_length(lengths):
        found = longest_stretches(stack([sequences[r] for r in rows]), genetic_code)
        for row, peptide in zip(rows.tolist(), found, strict=True):
            peptides[row] = peptide
    return peptides
