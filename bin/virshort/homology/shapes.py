"""The patterns of positions at which seeds are taken, and how many of them a search uses."""

import numpy as np


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
LENGTHS = (400, 1000)
"""Windows of up to so many bases are short, or long; all others are very long."""
PATTERNS = (SHAPES, LONG_SHAPES, LONG_SHAPES)
"""Of short, of long and of very long windows."""
SENSITIVITIES = {"fast": (2, 1, 1), "default": (5, 2, 1), "sensitive": (8, 4, 4)}
"""How many of the PATTERNS of each a search uses."""


def kind_of(length: np.ndarray) -> np.ndarray:
    """Whether windows are short (0), long (1) or very long (2). length: [n] bases. Returns [n]."""
    return np.searchsorted(LENGTHS, length)
