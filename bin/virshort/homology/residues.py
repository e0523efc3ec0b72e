"""Residues as small numbers, how alike they are, and the bits that scores stand for."""

import numpy as np
from Bio.Align import substitution_matrices

ALPHABET = b"ARNDCQEGHILKMFPSTWYV"
UNKNOWN, END = 20, 21
"""The codes of a residue that is unknown, and of the gap between two stretches."""
PAD = 32
"""Gaps before and after any text that is searched, so that no seed and no alignment leaves it."""
CODES = np.full(256, UNKNOWN, np.uint8)
"""[256] ASCII letter -> code: 0..19 as in ALPHABET, END for a line's end, and UNKNOWN for anything else."""
CODES[list(ALPHABET)] = range(20)
CODES[ord("\n")] = END

SCORE = np.zeros(32 * 32, np.int8)
"""[1024] BLOSUM62, at 32 * one code + the other. UNKNOWN scores -1, and END so little that no alignment goes across it."""
_BLOSUM62 = substitution_matrices.load("BLOSUM62")
for _i, _a in enumerate(ALPHABET):
    for _j, _b in enumerate(ALPHABET):
        SCORE[32 * _i + _j] = int(_BLOSUM62[chr(_a)][chr(_b)])
    SCORE[[32 * _i + UNKNOWN, 32 * UNKNOWN + _i]] = -1
SCORE[32 * UNKNOWN + UNKNOWN] = -1
SCORE.reshape(32, 32)[END, :] = -100
SCORE.reshape(32, 32)[:, END] = -100

FREQUENCY = np.array(
    [8.25, 5.53, 4.06, 5.46, 1.37, 3.93, 6.75, 7.07, 2.27, 5.96, 9.66, 5.84, 2.42, 3.86, 4.70, 6.56, 5.34, 1.08, 2.92, 6.87],
    np.float32,
)
FREQUENCY /= FREQUENCY.sum()
"""[20] share of each residue among the proteins of Swiss-Prot, in the order of ALPHABET."""

_LAMBDA, _K = 0.3176, 0.134
"""Of BLOSUM62 without gaps: Altschul et al., Nucleic Acids Res. 25:3389 (1997)."""


def bits(score: np.ndarray) -> np.ndarray:
    """Bit scores of raw scores. With a database of n residues, a query of m is expected to reach S bits m n / 2^S times by
    chance (Karlin and Altschul, PNAS 87:2264, 1990)."""
    return (_LAMBDA * score - np.log(_K)) / np.log(2)


def raw_score(least_bits: float) -> int:
    """The smallest raw score of at least so many bits."""
    return int(np.ceil((least_bits * np.log(2) + np.log(_K)) / _LAMBDA))
