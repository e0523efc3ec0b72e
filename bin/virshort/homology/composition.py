"""The correction of scores for composition. Compiled by Numba when it is first called."""

import numba
import numpy as np

from virshort.homology.residues import ALPHABET, END, FREQUENCY, SCORE

REACH = 20
_TABLE = SCORE.reshape(32, 32)[:, : len(ALPHABET)].astype(np.int32)
_EXPECTED = SCORE.reshape(32, 32).astype(np.float32)[:, : len(ALPHABET)] @ FREQUENCY


def composition_correction(codes: np.ndarray) -> np.ndarray:
    """What is added to every score of a residue, so that a stretch made of few residues does not match all others like it.

    It is the mean score of the residue with any residue, less its mean score with the other residues of its stretch that are at
    most REACH away (Hauser et al., Bioinformatics 32:1323, 2016), rounded; 0 for UNKNOWN and END. codes: [n] uint8, stretches
    between ENDs. Returns [n] int8."""
    correction = np.zeros(len(codes), np.int8)
    _correct(codes, correction)
    return correction


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _correct(codes, correction):
    """Goes along each stretch with the numbers of residues that are near."""
    count = np.zeros(32, np.int32)
    begin = 0
    while begin < len(codes):
        end = begin
        while end < len(codes) and codes[end] != END:
            end += 1
        count[:] = 0
        ahead = begin
        for i in range(begin, end):
            while ahead < min(i + REACH + 1, end):
                count[codes[ahead]] += 1
                ahead += 1
            if i - REACH > begin:
                count[codes[i - REACH - 1]] -= 1
            code = codes[i]
            near, total = 0, 0
            for other in range(len(ALPHABET)):
                near += count[other]
                total += count[other] * _TABLE[code, other]
            if code < len(ALPHABET) and near > 1:
                own = (total - _TABLE[code, code]) / (near - 1)
                correction[i] = np.int8(np.rint(_EXPECTED[code] - own))
        begin = end + 1
