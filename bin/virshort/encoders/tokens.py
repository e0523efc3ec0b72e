"""Token ids of the two language models: bases in byte pairs for DNABERT-S, one id a residue for ESM-2."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from virshort.errors import InputError, RowError

_RESIDUES = "ACDEFGHIKLMNPQRSTVWYXBZUO"


class Bases:
    """DNABERT-S's byte pairs, from its published tokenizer.json."""

    def __init__(self, tokenizer: Path):
        """Raises InputError where the file is not that tokenizer."""
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as e:  # the library raises Exception itself
            raise InputError(f"{tokenizer}: not a tokenizer ({e}): fetch the weights anew") from e
        special = [self._tokenizer.token_to_id(t) for t in ("[UNK]", "[CLS]", "[SEP]")]
        if special != [0, 1, 2]:
            raise InputError(
                f"{tokenizer}: [UNK], [CLS] and [SEP] are {special} and not 0, 1 and 2, so this is not "
                "DNABERT-S's: fetch the weights anew"
            )
        # As published it pads, and cuts after 2000 tokens.
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def __call__(self, sequences: Sequence[bytes]) -> list[np.ndarray]:
        """Ids of each sequence, [CLS] and [SEP] included, int64 [tokens]. Lower case is read as upper case: the
        vocabulary has no other."""
        text = [s.upper().decode("latin-1") for s in sequences]
        return [np.array(e.ids, np.int64) for e in self._tokenizer.encode_batch_fast(text)]


class Residues:
    """ESM-2's tokens, from its published vocab.txt: BOS, one a residue, EOS."""

    def __init__(self, vocabulary: Path):
        """Raises InputError where the file lacks a residue."""
        number = {token: i for i, token in enumerate(vocabulary.read_text(encoding="utf-8").split())}
        missing = [t for t in ("<cls>", "<eos>", *_RESIDUES) if t not in number]
        if missing:
            raise InputError(f"{vocabulary}: no {', '.join(missing)}, so this is not ESM-2's: fetch the weights anew")
        self._bos, self._eos = number["<cls>"], number["<eos>"]
        self._table = np.full(256, -1, np.int64)
        for letter in _RESIDUES:
            self._table[[ord(letter), ord(letter.lower())]] = number[letter]
        # J (leucine or isoleucine, from an ambiguous codon) has no token: like every other unclear residue it is X.
        self._table[[ord("J"), ord("j")]] = number["X"]

    def __call__(self, peptides: Sequence[bytes]) -> list[np.ndarray]:
        """Ids of each peptide, int64 [residues + 2]. An empty peptide has no residue to take a mean of: no ids.

        Raises RowError for a peptide with something else than residues in it."""
        return [self._one(row, peptide) for row, peptide in enumerate(peptides)]

    def _one(self, row: int, peptide: bytes) -> np.ndarray:
        if not peptide:
            return np.empty(0, np.int64)
        ids = np.empty(len(peptide) + 2, np.int64)
        ids[0], ids[-1] = self._bos, self._eos
        ids[1:-1] = self._table[np.frombuffer(peptide, np.uint8)]
        if ids.min() < 0:
            wrong = chr(peptide[int((ids < 0).argmax()) - 1])
            raise RowError(row, f"{wrong!r} is not a residue: peptides must be translated and free of stops")
        return ids
