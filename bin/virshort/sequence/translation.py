"""Six-frame translation, exact for ambiguous bases, and the longest stop-free stretch of a window.

With base masks (bases.py), every codon, ambiguous or not, is one of 16^3 entries of a table made from Biopython's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from Bio.Seq import translate

from virshort.sequence.bases import COMPLEMENT, LETTERS, by_similar_length, stack


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
def _open_and_stop(genetic_code: int) -> np.ndarray:
    """[4096] four bits per codon: whether it continues a stretch on the plus and on the minus strand, and whether it is a stop
    on the plus and on the minus strand. A codon with a missing base is neither."""
    plus, minus = codon_tables(genetic_code)
    stops = [table == ord("*") for table in (plus, minus)]
    opens = [(table != 0) & ~stop for table, stop in zip((plus, minus), stops, strict=True)]
    return sum(bits.astype(np.uint8) << i for i, bits in enumerate([*opens, *stops]))


def codon_numbers(masks: np.ndarray) -> np.ndarray:
    """The number 0 to 4095 of the codon that begins at each position. masks: [n, length] uint8 base masks, 0 for padding.

    Returns [n, max(length - 2, 0)] uint16."""
    wide = masks.astype(np.uint16)
    return wide[:, :-2] << 8 | wide[:, 1:-1] << 4 | wide[:, 2:]


@dataclass(frozen=True)
class Runs:
    """The longest run of codons without a stop in each frame of n windows, all [6, n]: three frames of the plus strand, then
    three of the minus strand, where frame k holds the codons that begin at positions k, k + 3 ... of the plus strand.

    size: uint16, codons in the run; last: int64, where its rightmost codon begins (the frame's first position if size is 0);
    stops: uint16, stops in the frame."""

    size: np.ndarray
    last: np.ndarray
    stops: np.ndarray


def longest_runs(codons: np.ndarray, genetic_code: int = 1) -> Runs:
    """The runs of windows. codons: [n, positions] as `codon_numbers` gives them.

    The run that ends at a codon is one longer than the run at the codon before it in the frame, or empty if the codon is a
    stop or missing. One pass over the positions finds it for all frames and windows at once."""
    n, positions = codons.shape
    steps = -(-positions // 3)
    flags = np.zeros((steps * 3, n), np.uint8)
    np.take(_open_and_stop(genetic_code), codons.T, out=flags[:positions])
    by_frame = flags.reshape(steps, 1, 3, n) >> np.arange(4, dtype=np.uint8).reshape(4, 1, 1) & 1
    opens = by_frame[:, :2].reshape(steps, 6, n)
    stops = by_frame[:, 2:].reshape(steps, 6, n).sum(0, dtype=np.uint16)
    run, size = np.zeros((2, 6, n), np.uint16)
    step = np.zeros((6, n), np.int32)
    for now in range(steps):
        run += 1
        run *= opens[now]
        np.copyto(step, now, where=run > size)
        np.maximum(size, run, out=size)
    return Runs(size, 3 * step.astype(np.int64) + np.tile(np.arange(3), 2)[:, None], stops)


def frames_by_run(runs: Runs) -> np.ndarray:
    """The frames of each window, that with the longest run first: [6, n].

    Of runs of equal length, one on the plus strand comes first, and then the one that ends first in the window."""
    plus = np.arange(6)[:, None] < 3
    farthest = runs.last.max(initial=0) + 1
    return np.argsort(-((2 * runs.size.astype(np.int64) + plus) * farthest - runs.last), axis=0, kind="stable")


def run_codons(codons: np.ndarray, runs: Runs, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The codons of one run of each window, window after window, in the direction in which they are read.

    codons: [n, positions]; frame: [n], whose run. Returns [n] the sizes of the runs, and [their sum] the numbers of their
    codons, plus 4096 on the minus strand."""
    n, positions = codons.shape
    each = np.arange(n)
    size, last, minus = runs.size[frame, each].astype(np.int64), runs.last[frame, each], frame >= 3
    # The plus strand is read forwards from the first codon of the run, the minus strand backwards from its last.
    first = np.where(minus, last, last - 3 * (size - 1))
    ends = np.cumsum(size)
    within = np.arange(ends[-1] if n else 0) - np.repeat(ends - size, size)
    at = np.repeat(each * positions + first, size) + within * np.repeat(np.where(minus, -3, 3), size)
    return size, codons.reshape(-1)[at] + np.repeat(minus.astype(np.uint16) << 12, size)


def longest_stretches(masks: np.ndarray, genetic_code: int = 1) -> list[bytes]:
    """The longest stop-free stretch of each row over its six frames, translated: the first of `frames_by_run`.

    masks: [n, length] uint8 base masks, 0 for padding. Returns n peptides, which are empty for rows without a codon."""
    codons = codon_numbers(masks)
    runs = longest_runs(codons, genetic_code)
    size, numbers = run_codons(codons, runs, frames_by_run(runs)[0])
    text = np.concatenate(codon_tables(genetic_code))[numbers].tobytes()
    return [text[e - k : e] for e, k in zip(np.cumsum(size).tolist(), size.tolist(), strict=True)]


def longest_peptides(sequences: Sequence[bytes], genetic_code: int = 1) -> list[bytes]:
    """The result of `longest_stretches` for sequences of any lengths, in their order."""
    lengths = np.array([len(s) for s in sequences], np.int64)
    peptides: list[bytes] = [b""] * len(sequences)
    for rows in by_similar_length(lengths):
        found = longest_stretches(stack([sequences[r] for r in rows]), genetic_code)
        for row, peptide in zip(rows.tolist(), found, strict=True):
            peptides[row] = peptide
    return peptides
