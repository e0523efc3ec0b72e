"""Bases in two bits, so that one comparison covers 32 of them."""

import numba
import numpy as np

BASES = 32
"""Bases of a word."""
CODE = np.zeros(256, np.uint64)
"""[256] upper-case letter -> 0..3 for A, C, G, T, and 0 for anything else: words that differ come from letters that differ, but
not the other way round."""
CODE[list(b"ACGT")] = range(4)
_LOW = np.uint64(0x5555555555555555)
_PAIRS = np.uint64(0x3333333333333333)
_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_SUM = np.uint64(0x0101010101010101)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def pack(letters: np.ndarray, first: int, last: int, code: np.ndarray, words: np.ndarray) -> None:
    """Write the word that begins at each base of letters[first:last] to words[0], words[1], ..., the first base in the lowest
    bits; bases after the last are A. code: CODE."""
    word = np.uint64(0)
    for at in range(last - 1, first - 1, -1):
        word = (word << np.uint64(2)) | code[letters[at]]
        words[at - first] = word


@numba.njit(nogil=True, cache=True, boundscheck=False, inline="always")
def differing(one: np.uint64, other: np.uint64, bases: int) -> np.int64:
    """How many of the first `bases` bases (1 to 32) of two words differ."""
    found = one ^ other
    found = (found | (found >> np.uint64(1))) & (_LOW >> np.uint64(64 - 2 * bases))
    found = (found & _PAIRS) + ((found >> np.uint64(2)) & _PAIRS)
    found = (found + (found >> np.uint64(4))) & _NIBBLES
    return np.int64((found * _SUM) >> np.uint64(56))
