"""Scores, bits, and the masking of repeats."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from virshort.homology.residues import ALPHABET, CODES, END, SCORE, UNKNOWN, bits, mask_repeats, raw_score

PEPTIDES = st.text("ARNDCQEGHILKMFPSTWYVX\n", max_size=60).map(lambda s: CODES[np.frombuffer(s.encode(), np.uint8)])


def entropy(codes) -> float:
    share = np.unique(codes, return_counts=True)[1] / len(codes)
    return float(-(share * np.log2(share)).sum())


@given(PEPTIDES)
def test_what_is_masked_lies_in_a_stretch_of_low_entropy(codes):
    masked = mask_repeats(codes)
    low = np.zeros(len(codes), bool)
    for first in range(len(codes) - 11):
        part = codes[first : first + 12]
        if END not in part and entropy(part) < 2.2 - 1e-6:
            low[first : first + 12] = True
    assert np.array_equal(masked == UNKNOWN, low | (codes == UNKNOWN))
    assert np.array_equal(masked[masked != UNKNOWN], codes[masked != UNKNOWN])


def test_scores_are_those_of_blosum62():
    table = SCORE.reshape(32, 32)
    w, a, r, k = (ALPHABET.index(x) for x in b"WARK")
    assert (table[w, w], table[a, r], table[r, k], table[a, UNKNOWN]) == (11, -1, 2, -1)
    assert np.array_equal(table, table.T) and (table[END, :22] == -100).all()


def test_bits_are_those_of_karlin_and_altschul():
    # E = K m n exp(-lambda S) = m n / 2^bits
    assert np.isclose(0.134 * np.exp(-0.3176 * 70), 2.0 ** -bits(np.array(70)))
    assert bits(np.array(raw_score(20))) >= 20 > bits(np.array(raw_score(20) - 1))
