"""Six-frame translation, exact for ambiguous bases, and the longest stop-free stretch of a window.

Base masks (bases.py) make every codon, ambiguous or not, one of 16^3 table entries, filled from Biopython's tables.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from Bio.Seq import translate

from virshort.bases import COMPLEMENT, LETTERS, by_similar_length, stack

STOP = ord("*")


@cache
def codon_tables(genetic_code: int) -> tuple[np.ndarray, np.ndarray]:
    """Residues (ASCII, uint8) of the 4096 codons of base masks, read forwards and as the other strand's codon.

    A codon with a missing base (mask 0) reads 0. Ambiguous codons are as Biopython translates them: the residue if all
    readings agree, '*' if all are stops, B, Z, J where it names the pair, else X.
    Raises ValueError for a genetic code that NCBI does not list.
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


def residues(masks: np.ndarray, genetic_code: int) -> np.ndarray:
    """The residue of the codon that begins (plus strand) or ends (minus strand) at each position, by strand.

    masks: [n, length] uint8, length >= 3, 0 for padding. Returns [2, n, length - 2] uint8 ASCII, 0 over padding."""
    wide = masks.astype(np.uint16)
    codon = wide[:, :-2] << 8 | wide[:, 1:-1] << 4 | wide[:, 2:]
    return np.stack([table[codon] for table in codon_tables(genetic_code)])


def longest_stretches(masks: np.ndarray, genetic_code: int = 1) -> list[bytes]:
    """The longest stop-free stretch of each row over its six frames, translated; of equals the first, in the order
    of frames +0, +1, +2, then the minus strand's by the position at which their codons lie.

    masks: [n, length] uint8 base masks, 0 for padding at the right. Returns n peptides (empty where no codon is)."""
    n, length = masks.shape
    if length < 3:
        return [b""] * n
    by_strand = residues(masks, genetic_code)
    codons = -(-(length - 2) // 3)
    framed = np.zeros((2, n, codons * 3), np.uint8)
    framed[:, :, :length - 2] = by_strand
    framed = framed.reshape(2, n, codons, 3)
    open_frame = (framed != STOP) & (framed != 0)
    at = np.arange(codons, dtype=np.int16 if codons < 2**15 else np.int32)[:, None]
    last_break = np.maximum.accumulate(np.where(open_frame, at.dtype.type(-1), at), axis=2)
    run = np.moveaxis(at - last_break, 1, 0).transpose(0, 1, 3, 2).reshape(n, -1)  # [n, strand x frame x codon]
    best = run.argmax(1)
    size = run[np.arange(n), best].astype(np.int64)
    strand, rest = np.divmod(best, 3 * codons)
    frame, last = np.divmod(rest, codons)
    # The plus strand is read from the stretch's first codon on, the minus strand from its last one back.
    first = np.where(strand == 0, last - size + 1, last)
    step = np.where(strand == 0, 3, -3)
    ends = np.cumsum(size)
    within = np.arange(ends[-1]) - np.repeat(ends - size, size)
    cell = (strand * n + np.arange(n)) * codons * 3 + first * 3 + frame
    text = framed.reshape(-1)[np.repeat(cell, size) + within * np.repeat(step, size)].tobytes()
    return [text[e - k:e] for e, k in zip(ends.tolist(), size.tolist(), strict=True)]


def longest_peptides(sequences: Sequence[bytes], genetic_code: int = 1) -> list[bytes]:
    """As `longest_stretches`, for sequences of any lengths, in their order."""
    lengths = np.array([len(s) for s in sequences], np.int64)
    peptides: list[bytes] = [b""] * len(sequences)
    for rows in by_similar_length(lengths):
        found = longest_stretches(stack([sequences[r] for r in rows]), genetic_code)
        for row, peptide in zip(rows.tolist(), found, strict=True):
            peptides[row] = peptide
    return peptides
