"""ESM-2's tokens: one for each residue."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from virshort.errors import InputError, RowError

_RESIDUES = "ACDEFGHIKLMNPQRSTVWYXBZUO"


class ResidueTokenizer:
    """ESM-2's tokens, from its published vocab.txt: BOS, one for each residue, EOS."""

    def __init__(self, path: Path):
        """Raises InputError if the file lacks a residue."""
        number = {token: i for i, token in enumerate(path.read_text(encoding="utf-8").split())}
        missing = [t for t in ("<cls>", "<eos>", *_RESIDUES) if t not in number]
        if missing:
            raise InputError(f"{path}: has no {', '.join(missing)}, so this is not ESM-2's: fetch the weights again")
        self._bos, self._eos = number["<cls>"], number["<eos>"]
        self._table = np.full(256, -1, np.int64)
        for letter in _RESIDUES:
            self._table[[ord(letter), ord(letter.lower())]] = number[letter]
        # J (leucine or isoleucine, from an ambiguous codon) has no token. Like every other ambiguous residue it becomes X.
        self._table[[ord("J"), ord("j")]] = number["X"]

    def __call__(self, peptides: Sequence[bytes]) -> list[np.ndarray]:
        """Ids of each peptide, int64 [residues + 2]. An empty peptide has no ids, since there is no residue to average over.

        Raises RowError for a peptide that holds anything but residues."""
        return [self._encode(row, peptide) for row, peptide in enumerate(peptides)]

    def _encode(self, row: int, peptide: bytes) -> np.ndarray:
        if not peptide:
            return np.empty(0, np.int64)
        ids = np.empty(len(peptide) + 2, np.int64)
        ids[0], ids[-1] = self._bos, self._eos
        ids[1:-1] = self._table[np.frombuffer(peptide, np.uint8)]
        if ids.min() < 0:
            wrong = chr(peptide[int((ids < 0).argmax()) - 1])
            raise RowError(row, f"{wrong!r} is not a residue: peptides must be translated and free of stops")
        return ids
