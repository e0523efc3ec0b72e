"""Frequencies of canonical k-mers in DNA and of residues in peptides."""

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np

from virshort.sequence.bases import INDEX, by_similar_length, stack

RESIDUES = b"ACDEFGHIKLMNPQRSTVWY"


def canonical_kmers(k: int) -> list[str]:
    """The k-mers that are not after their reverse complement in the alphabet: 136 for k = 4."""
    other = str.maketrans("ACGT", "TGCA")
    words = ("".join(p) for p in product("ACGT", repeat=k))
    return [w for w in words if w <= w.translate(other)[::-1]]


@cache
def _column(k: int) -> np.ndarray:
    """[5^k] k-mer code, in base 5 with 4 for an ambiguous base, -> column; those with a 4 go to a last column."""
    other = str.maketrans("ACGT", "TGCA")
    columns = {w: i for i, w in enumerate(canonical_kmers(k))}
    names = ("".join(p) for p in product("ACGTN", repeat=k))
    return np.array([len(columns) if "N" in w else columns[min(w, w.translate(other)[::-1])] for w in names], np.intp)


def _frequencies(column: np.ndarray, columns: int) -> np.ndarray:
    """Share of each column among a row's cells, times the number of columns, so that 1 is what chance gives and a head
    sees values of order 1. column: [n, cells] int, `columns` for cells that do not count. Returns [n, columns] float32."""
    n = len(column)
    cell = column + np.arange(n)[:, None] * (columns + 1)
    counts = np.bincount(cell.reshape(-1), minlength=n * (columns + 1)).reshape(n, columns + 1)[:, :columns]
    return counts * (columns / np.maximum(counts.sum(1, keepdims=True), 1)).astype(np.float32)


def dna_kmer_frequencies(sequences: Sequence[bytes], k: int) -> np.ndarray:
    """Frequencies of canonical k-mers, relative to uniform. k-mers with an ambiguous base do not count.

    Returns [n, canonical k-mers] float32; a sequence without any countable k-mer is all 0."""
    columns = len(canonical_kmers(k))
    out = np.zeros((len(sequences), columns), np.float32)
    for rows in by_similar_length(np.array([len(s) for s in sequences])):
        index = INDEX[stack([sequences[r] for r in rows])].astype(np.uint16 if k < 7 else np.uint32)
        width = index.shape[1] - k + 1
        if width > 0:
            code = index[:, :width].copy()
            for i in range(1, k):
                code *= 5
                code += index[:, i : i + width]
            out[rows] = _frequencies(_column(k).take(code), columns)
    return out


_RESIDUE = np.full(256, len(RESIDUES), np.uint8)
_RESIDUE[list(RESIDUES)] = range(len(RESIDUES))


def residue_frequencies(peptides: Sequence[bytes]) -> np.ndarray:
    """Frequencies of the 20 residues in peptides, relative to uniform, and the logarithm (base 2) of 1 + residues: how long
    a stretch stays open tells coding windows from others. Other letters do not count.

    Returns [n, 21] float32; an empty peptide is all 0."""
    lengths = np.array([len(p) for p in peptides], np.int64)
    letter = _RESIDUE[np.frombuffer(b"".join(peptides), np.uint8)]
    cell = np.repeat(np.arange(len(peptides)) * 21, lengths) + letter
    counts = np.bincount(cell, minlength=len(peptides) * 21).reshape(-1, 21)[:, :20]
    total = counts.sum(1, keepdims=True)
    return np.hstack([counts * (20 / np.maximum(total, 1)), np.log2(1 + total)]).astype(np.float32)
