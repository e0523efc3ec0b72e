"""Bases as IUPAC bit masks: A=1, C=2, G=4, T=8; an ambiguity code is the union of its bases, so N=15.

Reversing the four bits of a mask complements it. Any three masks are one of 4096 codons in a table, so ambiguous codons
are translated exactly.
"""

from collections.abc import Sequence

import numpy as np
from Bio.Data.IUPACData import ambiguous_dna_values

_BIT = {"A": 1, "C": 2, "G": 4, "T": 8}
LETTERS = np.zeros(16, np.uint8)
"""[16] mask -> upper-case ASCII letter; mask 0 (padding, not a base) is '-'."""
LETTERS[0] = ord("-")
MASKS = np.zeros(256, np.uint8)
"""[256] ASCII letter of either case -> mask; U is read as T, and anything that is not a base as 0."""
for _letter, _bases in ambiguous_dna_values.items():
    _mask = sum(_BIT[b] for b in _bases)
    MASKS[[ord(_letter), ord(_letter.lower())]] = _mask
    if _letter != "X":  # X is Biopython's other name for N
        LETTERS[_mask] = ord(_letter)
MASKS[[ord("U"), ord("u")]] = _BIT["T"]
_MASK_BYTES = MASKS.tobytes()

COMPLEMENT = np.array([int(f"{m:04b}"[::-1], 2) for m in range(16)], np.uint8)
"""[16] mask -> mask of the complementary base."""
INDEX = np.full(16, 4, np.uint8)
"""[16] mask -> 0..3 for A, C, G, T, and 4 for anything else."""
INDEX[[1, 2, 4, 8]] = range(4)
COMPLEMENT_LETTER = np.arange(256, dtype=np.uint8)
"""[256] upper-case ASCII letter -> letter of the complementary base."""
COMPLEMENT_LETTER[LETTERS] = LETTERS[COMPLEMENT]


def stack(sequences: Sequence[bytes]) -> np.ndarray:
    """Masks of sequences as one [n, longest] uint8 array; shorter sequences are padded with 0."""
    longest = max(map(len, sequences), default=0)
    joined = b"".join(sequences)
    if len(joined) < longest * len(sequences):
        joined = b"".join([s.ljust(longest, b"\0") for s in sequences])
    return np.frombuffer(joined.translate(_MASK_BYTES), np.uint8).reshape(len(sequences), longest)


def by_similar_length(lengths: np.ndarray, budget: int = 1 << 21, slack: float = 0.1) -> list[np.ndarray]:
    """Divide rows into groups of similar length, to be stacked together. lengths: [n] int.

    Padding makes up at most the share `slack` of any row, and a group has at most `budget` cells unless it is a single row.
    Returns arrays of row numbers; each row is in exactly one of them."""
    order = np.argsort(-lengths, kind="stable")
    ascending = -lengths[order]
    groups, first = [], 0
    while first < len(order):
        longest = -int(ascending[first])
        similar = int(np.searchsorted(ascending, -(1 - slack) * longest, side="right"))
        last = max(first + 1, min(similar, first + budget // max(longest, 1)))
        groups.append(order[first:last])
        first = last
    return groups
