"""Which rows of features a window has: one for its longest stop-free stretch, or one for each of its stop-free frames.

With `longest`, the DNA encoder reads all bases of the window, and the protein encoder the translation of the longest stop-free
stretch. With `all`, as in VirNucPro, a row is a frame without any stop, and both encoders read the same codons: their bases on
the strand of the frame (and, as in VirNucPro's files, the base after the last codon if there is one), and their translation. A
window without such a frame has the row of `longest`, so that no window is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from virshort.features.tensors import ROWS, STRETCH
from virshort.sequence.bases import COMPLEMENT_LETTER, by_similar_length, stack
from virshort.sequence.translation import codon_tables, longest_peptides

_COMPLEMENT = COMPLEMENT_LETTER.tobytes()


@dataclass(frozen=True)
class RowTable:
    """window: [rows] int32, the number of each row's window, ascending; frame: [rows] int8, an index into tensors.FRAMES."""

    window: np.ndarray
    frame: np.ndarray

    def __len__(self) -> int:
        return len(self.window)


def find_rows(sequences: Sequence[bytes], frames: str, genetic_code: int = 1) -> RowTable:
    """The rows of some windows, in the order of the windows, and within a window in that of FRAMES. frames: longest or all."""
    if frames == "longest":
        return RowTable(np.arange(len(sequences), dtype=np.int32), np.full(len(sequences), STRETCH, np.int8))
    free = np.hstack([stop_free(strand, genetic_code) for strand in (sequences, [_reverse(s) for s in sequences])])
    window, frame = np.nonzero(np.column_stack([free, ~free.any(1)]))
    return RowTable(window.astype(np.int32), frame.astype(np.int8))


def row_tensors(modality: str, rows: np.ndarray, table: RowTable, frames: str) -> dict[str, np.ndarray]:
    """The tensors of one encoder's features: the rows [rows, dim] by the name of their modality, and with frames `all` also
    which window and frame each is of."""
    named = {} if frames == "longest" else {ROWS: np.stack([table.window, table.frame], 1, dtype=np.int32)}
    return {modality: rows, **named}


def row_sequences(sequences: Sequence[bytes], rows: RowTable, translate: bool, genetic_code: int = 1) -> list[bytes]:
    """What an encoder reads for each row: bases, or their translation. rows.window are indices into `sequences`."""
    if (rows.frame == STRETCH).all():
        bases = [sequences[w] for w in rows.window.tolist()]
    else:
        bases = [_bases(sequences[w], f) for w, f in zip(rows.window.tolist(), rows.frame.tolist(), strict=True)]
    if not translate:
        return bases
    peptides = [b""] * len(bases)
    for which, read in ((rows.frame == STRETCH, longest_peptides), (rows.frame != STRETCH, first_frame)):
        chosen = np.flatnonzero(which).tolist()
        for row, peptide in zip(chosen, read([bases[r] for r in chosen], genetic_code), strict=True):
            peptides[row] = peptide
    return peptides


def stop_free(sequences: Sequence[bytes], genetic_code: int = 1) -> np.ndarray:
    """Whether each of the three frames of a strand has a codon but no stop: [n, 3] bool."""
    length = np.array([len(s) for s in sequences], np.int64)
    found = np.empty((len(sequences), 3), bool)
    for group in by_similar_length(length):
        stop = _codons(stack([sequences[r] for r in group]), genetic_code) == ord("*")
        found[group] = np.stack([~stop[:, k::3].any(1) & (length[group] >= k + 3) for k in range(3)], 1)
    return found


def first_frame(sequences: Sequence[bytes], genetic_code: int = 1) -> list[bytes]:
    """Translations of sequences from their first base on, without an incomplete last codon."""
    peptides = [b""] * len(sequences)
    for group in by_similar_length(np.array([len(s) for s in sequences], np.int64)):
        residues = _codons(stack([sequences[r] for r in group]), genetic_code)[:, ::3]
        for row, line in zip(group.tolist(), residues, strict=True):
            peptides[row] = line[: len(sequences[row]) // 3].tobytes()
    return peptides


def _codons(masks: np.ndarray, genetic_code: int) -> np.ndarray:
    """Residues of the codons that begin at each position of rows of base masks: [n, length - 2], 0 past the end of a row."""
    wide = masks.astype(np.uint16)
    return codon_tables(genetic_code)[0][wide[:, :-2] << 8 | wide[:, 1:-1] << 4 | wide[:, 2:]]


def _bases(sequence: bytes, frame: int) -> bytes:
    """The bases of a frame's codons, on its own strand, and one more base; all bases for the longest stretch."""
    if frame == STRETCH:
        return sequence
    strand = sequence if frame < 3 else _reverse(sequence)
    first = frame % 3
    return strand[first : first + (len(strand) - first) // 3 * 3 + 1]


def _reverse(sequence: bytes) -> bytes:
    return sequence.translate(_COMPLEMENT)[::-1]
