"""What codons and reading frames tell of a window: 317 numbers, found without knowing where its genes are.

A frame that is translated has few stops, so the frames are ordered by their longest run of codons without a stop. The codons of
the first two runs show codon usage; how long the runs are, and how many stops there are, shows how far to trust it. Ambiguous
codons are no stops, unless every reading of them is one, and are not counted otherwise.
"""

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np

from virshort.sequence.bases import INDEX, by_similar_length, stack
from virshort.sequence.composition import RESIDUES, canonical_kmer_counts, canonical_kmers, relative, tally
from virshort.sequence.translation import Runs, codon_numbers, codon_tables, frames_by_run, longest_runs, run_codons

K = 4
CODONS = ["".join(p) for p in product("ACGT", repeat=3)]
_UNKNOWN = len(CODONS)
"""Stands for a codon with an ambiguous or a missing base."""
_BLOCK = 1 << 17
"""Cells of a block of windows, whose arrays then fit into the processor's cache."""


def codon_feature_names() -> list[str]:
    """What each of the 317 numbers is, in their order."""
    residues = [chr(r) for r in RESIDUES]
    return [
        *canonical_kmers(K),
        *(f"longest run {c}" for c in CODONS),
        *(f"longest run {r}" for r in residues),
        "longest run log2(1 + codons)",
        *(f"second run {c}" for c in CODONS),
        *(f"log2(1 + codons) of the run of frame {i + 1} from the shortest" for i in range(6)),
        *(f"log2(1 + stops) of frame {i + 1} from the fewest" for i in range(6)),
        *(f"all frames {r}" for r in residues),
    ]


COLUMNS = len(codon_feature_names())


@cache
def _index() -> np.ndarray:
    """[8192] number of a codon, plus 4096 on the minus strand -> its place in CODONS as it is read, or 64."""
    base = INDEX.astype(int)  # of a mask
    a, b, c = (base[np.arange(4096) >> shift & 15] for shift in (8, 4, 0))
    known = (a < 4) & (b < 4) & (c < 4)
    plus, minus = 16 * a + 4 * b + c, 16 * (3 - c) + 4 * (3 - b) + 3 - a
    return np.concatenate([np.where(known, strand, _UNKNOWN) for strand in (plus, minus)]).astype(np.uint8)


@cache
def _residues(genetic_code: int) -> tuple[np.ndarray, np.ndarray]:
    """[64, 20] float32: 1 where a codon means a residue, read on its own strand, and how often on either strand."""
    letter = np.concatenate(codon_tables(genetic_code))
    meaning = np.zeros((2, _UNKNOWN + 1, len(RESIDUES)), np.float32)
    for strand, table in enumerate(np.split(letter, 2)):
        of = _index()[:4096]
        meaning[strand, of] = table[:, None] == np.frombuffer(RESIDUES, np.uint8)
    return meaning[0, :_UNKNOWN], meaning.sum(0)[:_UNKNOWN]


def codon_features(sequences: Sequence[bytes], genetic_code: int = 1) -> np.ndarray:
    """The numbers that `codon_feature_names` lists, for sequences of any lengths, in their order: [n, 317] float32.

    Frequencies are relative to uniform, as those of `composition`; a sequence in which nothing can be counted has zeros."""
    out = np.zeros((len(sequences), COLUMNS), np.float32)
    for rows in by_similar_length(np.array([len(s) for s in sequences], np.int64), _BLOCK):
        out[rows] = _of_block(stack([sequences[r] for r in rows]), genetic_code)
    return out


def _of_block(masks: np.ndarray, genetic_code: int) -> np.ndarray:
    """The features of rows of base masks, 0 for padding: [n, length] uint8 -> [n, 317] float32."""
    codons = codon_numbers(masks)
    runs = longest_runs(codons, genetic_code)
    frames = frames_by_run(runs)
    meaning, on_either_strand = _residues(genetic_code)
    first, second = (_codons_of_runs(codons, runs, frame) for frame in frames[:2])
    every = tally(_index()[codons], _UNKNOWN)
    sizes, stops = np.sort(runs.size, 0), np.sort(runs.stops, 0)
    return np.hstack(
        [
            relative(canonical_kmer_counts(masks, K)),
            relative(first),
            relative(first.astype(np.float32) @ meaning),
            np.log2(1.0 + sizes[-1:].T),
            relative(second),
            np.log2(1.0 + sizes.T),
            np.log2(1.0 + stops.T),
            relative(every.astype(np.float32) @ on_either_strand),
        ],
        dtype=np.float32,
    )


def _codons_of_runs(codons: np.ndarray, runs: Runs, frame: np.ndarray) -> np.ndarray:
    """Counts of the codons in one run of each window, the longest of its frame `frame` [n]: [n, 64] int64."""
    size, numbers = run_codons(codons, runs, frame)
    cell = np.repeat(np.arange(len(size)) * (_UNKNOWN + 1), size) + _index()[numbers]
    return np.bincount(cell, minlength=len(size) * (_UNKNOWN + 1)).reshape(-1, _UNKNOWN + 1)[:, :_UNKNOWN]
