"""Seeds: where windows and a database may have relatives.

A seed is a pattern of positions ("shape", with gaps, so that a mutation at a gap does not matter) at which two stretches have
residues of the same group. This is how DIAMOND finds matches (Buchfink et al., Nat. Methods 12:59, 2015); as in its double
index, the windows are indexed and the database streams by, so the memory does not depend on the database.
"""

from dataclasses import dataclass

import numpy as np

from virshort.homology.residues import ALPHABET

PAD = 32
"""Gaps before and after any text that is searched, so that no seed and no alignment leaves it."""
GROUPS = (b"A", b"KR", b"EDNQ", b"C", b"G", b"H", b"ILVM", b"FYW", b"P", b"ST")
"""Residues that mutate into each other: the ten groups of Murphy et al., Protein Eng. 13:149 (2000), without L apart."""
NO_SEED = np.uint64(10**10)
"""Larger than the number of any seed, even one with such a residue at every position."""
GROUP = np.full(32, NO_SEED, np.uint64)
"""[32] code of a residue -> its group; NO_SEED for others."""
for _number, _letters in enumerate(GROUPS):
    GROUP[[ALPHABET.index(letter) for letter in _letters]] = _number


def _positions(*shapes: str) -> tuple[np.ndarray, ...]:
    """The positions of shapes that are written as ones and zeros."""
    return tuple(np.flatnonzero(np.array(list(shape)) == "1").astype(np.uint64) for shape in shapes)


SHAPES = _positions(
    "11101011011",
    "11100100010111",
    "10110011100101",
    "11010000111011",
    "1100110100111",
    "11011110001001",
    "111000101111",
    "11001010110011",
)
"""The positions of each shape. All have eight; each was chosen from 150 random ones as the one that, with those before it, hits
most random pairs of 44 residues of which 50, 60 or 70 % are in the same group."""
LONG_SHAPES = _positions("111011010111", "111010011001011", "110101000110111", "110010111100101")
"""Shapes for long windows, with nine positions each, chosen likewise for 60 residues of which 45, 55 or 65 % are in the same
group. A long window has several places where a seed may hit a relative. With eight positions it would have ten times as many
chance hits, and long windows would take most of the time of a run."""
SENSITIVITIES = {"fast": (2, 1), "default": (5, 2), "sensitive": (8, 4)}
"""How many of SHAPES and of LONG_SHAPES a search uses."""

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
BUCKET_BITS, FILTER_BITS = 21, 24


@dataclass(frozen=True)
class SeedIndex:
    """The seeds of one shape in a text of codes, by hash.

    first: [2^BUCKET_BITS + 1] uint32, where the entries of each bucket begin; seed, place: [entries] uint32, the seed's number
    and its position in the text; filter: [2^FILTER_BITS / 8] uint8, a bit for each hash that occurs."""

    shape: np.ndarray
    first: np.ndarray
    seed: np.ndarray
    place: np.ndarray
    filter: np.ndarray


def index_seeds(codes: np.ndarray, shape: np.ndarray) -> SeedIndex:
    """Index all seeds of a shape. codes: [n] uint8, which begin and end with PAD gaps."""
    n = max(len(codes) - 2 * PAD, 0)
    number = np.zeros(n, np.uint64)
    for offset in shape.tolist():
        number = number * np.uint64(len(GROUPS)) + GROUP[codes[PAD + offset : PAD + offset + n]]
    place = np.flatnonzero(number < NO_SEED)
    seed = number[place]
    hashed = seed * MULTIPLIER
    bucket = (hashed >> np.uint64(64 - BUCKET_BITS)).astype(np.int64)
    order = np.argsort(bucket)  # the order within a bucket has no effect
    first = np.zeros((1 << BUCKET_BITS) + 1, np.uint32)
    np.cumsum(np.bincount(bucket, minlength=1 << BUCKET_BITS), out=first[1:])
    occurs = np.zeros(1 << FILTER_BITS, bool)
    occurs[hashed >> np.uint64(64 - FILTER_BITS)] = True
    return SeedIndex(
        shape,
        first,
        seed[order].astype(np.uint32),
        (place[order] + PAD).astype(np.uint32),
        np.packbits(occurs, bitorder="little"),
    )
