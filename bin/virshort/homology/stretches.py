"""The proteins that a sequence may code for: its stop-free stretches in six frames, translated."""

from collections.abc import Iterator

import numpy as np

from virshort.sequence.bases import MASKS
from virshort.sequence.translation import codon_tables

PIECE = 3 << 20
"""Bases of a long sequence that are translated at a time."""
OVERLAP = 6000
"""Bases that two pieces have in common. A stretch across a cut lies whole in one of them, unless it is longer than this; then
each half still has more than any window can match."""


def stop_free_stretches(letters: np.ndarray, genetic_code: int, shortest: int) -> list[bytes]:
    """The stretches of at least `shortest` residues between stops, or between a stop and an end, over all six frames.

    letters: [n] uint8 ASCII bases of either case; an ambiguous codon is translated as in `codon_tables`, so that masked bases
    become X. Order: the plus strand first, its frames 0, 1, 2, then the minus strand; within a frame in reading direction."""
    if len(letters) < 3:
        return []
    masks = MASKS[letters].astype(np.uint16)
    codons = masks[:-2] << 8 | masks[1:-1] << 4 | masks[2:]
    found = []
    for table, direction in zip(codon_tables(genetic_code), (1, -1), strict=True):
        residues = table[codons]
        for frame in range(3):
            line = residues[frame::3][::direction]
            text = line.tobytes()
            stops = np.flatnonzero(line == ord("*"))
            first, last = np.append(0, stops + 1), np.append(stops, len(line))
            long = last - first >= shortest
            found += [text[a:b] for a, b in zip(first[long].tolist(), last[long].tolist(), strict=True)]
    return found


def source_stretches(letters: np.ndarray, genetic_code: int, shortest: int) -> Iterator[list[bytes]]:
    """The stretches of a source of any length, piece by piece. letters: as above (may be a memmap)."""
    for first in range(0, max(len(letters) - OVERLAP, 1), PIECE - OVERLAP):
        yield stop_free_stretches(letters[first : first + PIECE], genetic_code, shortest)
