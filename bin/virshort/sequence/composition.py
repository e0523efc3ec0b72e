"""Frequencies of canonical k-mers in DNA, and of residues in peptides."""

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np

from virshort.sequence.bases import INDEX, by_similar_length, stack

RESIDUES = b"ACDEFGHIKLMNPQRSTVWY"


def canonical_kmers(k: int) -> list[str]:
    """The k-mers that come before their reverse complement in alphabetical order, or equal it: 136 for k = 4."""
    other = str.maketrans("ACGT", "TGCA")
    words = ("".join(p) for p in product("ACGT", repeat=k))
    return [w for w in words if w <= w.translate(other)[::-1]]


@cache
def _column(k: int) -> np.ndarray:
    """[5^k] code of a k-mer -> its column. Codes are in base 5, where 4 is an ambiguous base; all codes with a 4 share one more
    column, after the others."""
    other = str.maketrans("ACGT", "TGCA")
    columns = {w: i for i, w in enumerate(canonical_kmers(k))}
    names = ("".join(p) for p in product("ACGTN", repeat=k))
    return np.array([len(columns) if "N" in w else columns[min(w, w.translate(other)[::-1])] for w in names], np.intp)


def tally(column: np.ndarray, columns: int) -> np.ndarray:
    """How often each column occurs among the cells of a row.

    column: [n, cells] int, equal to `columns` for cells that are not counted. Returns [n, columns] int64."""
    n = len(column)
    cell = column + np.arange(n)[:, None] * (columns + 1)
    return np.bincount(cell.reshape(-1), minlength=n * (columns + 1)).reshape(n, columns + 1)[:, :columns]


def relative(counts: np.ndarray) -> np.ndarray:
    """Frequencies relative to uniform, so that values are of order 1: [n, columns] float32. A row without counts is all 0."""
    columns = counts.shape[1]
    return (counts * (columns / np.maximum(counts.sum(1, keepdims=True), 1)).astype(np.float32)).astype(np.float32)


def canonical_kmer_counts(masks: np.ndarray, k: int) -> np.ndarray:
    """Counts of canonical k-mers in rows of base masks, without those that have an ambiguous base.

    masks: [n, length] uint8, 0 for padding. Returns [n, canonical k-mers] int64."""
    columns = len(canonical_kmers(k))
    index = INDEX[masks].astype(np.uint16 if k < 7 else np.uint32)
    width = max(index.shape[1] - k + 1, 0)
    code = index[:, :width].copy()
    for i in range(1, k):
        code *= 5
        code += index[:, i : i + width]
    return tally(_column(k).take(code), columns)


def dna_kmer_frequencies(sequences: Sequence[bytes], k: int) -> np.ndarray:
    """Frequencies of canonical k-mers, relative to uniform. k-mers with an ambiguous base are not counted.

    Returns [n, canonical k-mers] float32; the row of a sequence without a countable k-mer is all 0."""
    out = np.zeros((len(sequences), len(canonical_kmers(k))), np.float32)
    for rows in by_similar_length(np.array([len(s) for s in sequences])):
        out[rows] = relative(canonical_kmer_counts(stack([sequences[r] for r in rows]), k))
    return out


_RESIDUE = np.full(256, len(RESIDUES), np.uint8)
_RESIDUE[list(RESIDUES)] = range(len(RESIDUES))


def residue_frequencies(peptides: Sequence[bytes]) -> np.ndarray:
    """Frequencies of the 20 residues in peptides, relative to uniform, and log2(1 + number of residues).

    The number of residues is a feature because coding windows have longer stop-free stretches. Letters other than the 20
    residues are not counted. Returns [n, 21] float32; the row of an empty peptide is all 0."""
    lengths = np.array([len(p) for p in peptides], np.int64)
    letter = _RESIDUE[np.frombuffer(b"".join(peptides), np.uint8)]
    cell = np.repeat(np.arange(len(peptides)) * 21, lengths) + letter
    counts = np.bincount(cell, minlength=len(peptides) * 21).reshape(-1, 21)[:, :20]
    total = counts.sum(1, keepdims=True)
    return np.hstack([counts * (20 / np.maximum(total, 1)), np.log2(1 + total)]).astype(np.float32)
