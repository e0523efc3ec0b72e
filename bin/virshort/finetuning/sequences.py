"""What an encoder reads of windows."""

from collections.abc import Sequence

from virshort.features.frames import find_rows, row_sequences


def as_read(sequences: Sequence[bytes], translates: bool, genetic_code: int) -> list[bytes]:
    """What an encoder reads of windows: their bases, or the translation of their longest stop-free stretches."""
    return row_sequences(sequences, find_rows(sequences, "longest", genetic_code), translates, genetic_code)
