"""How long the fragments of pairs are, by the overlap of their mates."""

import numba
import numpy as np

from virshort.reads.packing import BASES, CODE, differing, pack
from virshort.sequence.bases import COMPLEMENT_LETTER

SHORTEST = 20
"""Bases of an overlap; mates of random bases have one by chance in fewer than one of 10^8 pairs."""
BASES_PER_MISMATCH = 10
"""One mismatch is allowed for so many bases of the overlap."""
_COST = 5
"""What a mismatch takes from the length of an overlap, of which the best is chosen. Matches by chance (one in four) then lower
the sum, so that of two overlaps in a repeat the one with fewer mismatches wins."""


def fragment_lengths(
    letters: np.ndarray, first: np.ndarray, last: np.ndarray, other: np.ndarray, other_first: np.ndarray, other_last: np.ndarray
) -> np.ndarray:
    """The length of each fragment whose mates overlap, without gaps; 0 where they do not. [n] int64.

    letters: [bases] uint8 upper-case letters; first, last: [n] int64, where the first mates begin and end in them; other,
    other_first, other_last: the same of the second mates, which read the other strand. A fragment that is shorter than a mate
    shows that this mate has read on into an adapter."""
    return _fragment_lengths(letters, first, last, other, other_first, other_last, COMPLEMENT_LETTER, CODE)


def overlaps(fragment: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The share of a pair's bases that both mates read: [n] float32, 0 where `fragment` is 0.

    fragment: [n] bp; one, other: [n], the bases of each mate within the fragment."""
    shared = np.minimum(np.maximum(one + other - fragment, 0), np.minimum(one, other))
    return np.where(fragment > 0, 2 * shared / np.maximum(one + other, 1), 0).astype(np.float32)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _fragment_lengths(
    letters: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    other: np.ndarray,
    other_first: np.ndarray,
    other_last: np.ndarray,
    complement: np.ndarray,
    code: np.ndarray,
) -> np.ndarray:
    found = np.zeros(len(first), np.int64)
    longest = 0
    for row in range(len(first)):
        longest = max(longest, last[row] - first[row], other_last[row] - other_first[row])
    turned = np.empty(longest, np.uint8)
    words, turned_words = np.empty(longest, np.uint64), np.empty(longest, np.uint64)
    for row in range(len(first)):
        one, two = last[row] - first[row], other_last[row] - other_first[row]
        best = 0
        # The second mate, as the first strand has it, covers the last `two` bases of the fragment
        for i in range(two):
            turned[i] = complement[other[other_last[row] - 1 - i]]
        pack(letters, first[row], last[row], code, words)
        pack(turned, 0, two, code, turned_words)
        for fragment in range(one + two - SHORTEST, SHORTEST - 1, -1):
            begin, end = max(0, fragment - two), min(one, fragment)
            size = end - begin
            if size <= best:
                continue
            allowed = size // BASES_PER_MISMATCH
            start = begin - (fragment - two)  # in the second mate
            if differing(words[begin], turned_words[start], min(size, BASES)) > allowed:
                continue  # nearly all end here
            mismatches = 0
            a, b = first[row] + begin, start
            for i in range(size):
                if letters[a + i] != turned[b + i]:
                    mismatches += 1
                    if mismatches > allowed:
                        break
            if mismatches <= allowed and size - _COST * mismatches > best:
                best = size - _COST * mismatches
                found[row] = fragment
    return found
