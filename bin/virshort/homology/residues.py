"""Residues as small numbers, how alike they are, and which of them say nothing because they repeat."""

import numpy as np
from Bio.Align import substitution_matrices

ALPHABET = b"ARNDCQEGHILKMFPSTWYV"
UNKNOWN, END = 20, 21
"""The codes of a residue that is unknown or masked, and of the gap between two stretches."""
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

_LAMBDA, _K = 0.3176, 0.134
"""Of BLOSUM62 without gaps: Altschul et al., Nucleic Acids Res. 25:3389 (1997)."""


def bits(score: np.ndarray) -> np.ndarray:
    """Bit scores of raw scores. With a database of n residues, a query of m is expected to reach S bits m n / 2^S times by
    chance (Karlin and Altschul, PNAS 87:2264, 1990)."""
    return (_LAMBDA * score - np.log(_K)) / np.log(2)


def raw_score(least_bits: float) -> int:
    """The smallest raw score of at least so many bits."""
    return int(np.ceil((least_bits * np.log(2) + np.log(_K)) / _LAMBDA))


def mask_repeats(codes: np.ndarray, size: int = 12, entropy: float = 2.2) -> np.ndarray:
    """The codes, with UNKNOWN for every residue that lies in a stretch of `size` residues with an entropy below `entropy` bits,
    as SEG does (Wootton and Federhen, Comput. Chem. 17:149, 1993): such stretches match everywhere by chance. codes: [n]."""
    if len(codes) < size:
        return codes
    place = len(codes) - size + 1
    total = np.zeros(place, np.float32)
    table = np.arange(size + 1) / size
    table[1:] *= -np.log2(table[1:])
    for code in range(END):  # a gap adds nothing, so that stretches across it are judged by the residues that they have
        seen = np.concatenate([[0], np.cumsum(codes == code, dtype=np.int32)])
        total += table[seen[size:] - seen[:-size]].astype(np.float32)
    ends = np.concatenate([[0], np.cumsum(codes == END, dtype=np.int32)])
    low = (total < entropy) & (ends[size:] == ends[:-size])
    change = np.zeros(len(codes) + 1, np.int32)
    change[:place] += low
    change[size : size + place] -= low
    return np.where((np.cumsum(change)[:-1] > 0) & (codes < UNKNOWN), np.uint8(UNKNOWN), codes)
