"""DNABERT-S's tokens: byte pairs of bases."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from virshort.errors import InputError


class BytePairTokenizer:
    """DNABERT-S's byte pair encoding, from its published tokenizer.json."""

    def __init__(self, path: Path):
        """Raises InputError if the file is not that tokenizer."""
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as e:  # the library raises Exception itself
            raise InputError(f"{path}: not a tokenizer ({e}): fetch the weights again") from e
        special = [self._tokenizer.token_to_id(t) for t in ("[UNK]", "[CLS]", "[SEP]")]
        if special != [0, 1, 2]:
            raise InputError(
                f"{path}: the ids of [UNK], [CLS] and [SEP] are {special} instead of 0, 1 and 2, so this is not the tokenizer "
                "of DNABERT-S: fetch the weights again"
            )
        # The published file asks for padding, and for truncation to 2000 tokens.
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def __call__(self, sequences: Sequence[bytes]) -> list[np.ndarray]:
        """Ids of each sequence, [CLS] and [SEP] included, int64 [tokens]. Lower case is read as upper case, since the
        vocabulary has upper case only."""
        text = [s.upper().decode("latin-1") for s in sequences]
        return [np.array(e.ids, np.int64) for e in self._tokenizer.encode_batch_fast(text)]
