"""Scores, bits, and the correction for composition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from virshort.homology.composition import composition_correction
from virshort.homology.residues import (
    ALPHABET,
    CODES,
    END,
    FREQUENCY,
    SCORE,
    UNKNOWN,
    bits,
    raw_score,
)

PEPTIDES = st.text("ARNDCQEGHILKMFPSTWYVX\n", max_size=60).map(
    lambda s: np.frombuffer(s.encode().translate(CODES.tobytes()), np.uint8)
)


@given(PEPTIDES)
def test_the_correction_is_the_expected_score_less_that_with_the_surroundings(codes):
    table = SCORE.reshape(32, 32)
    for i, (code, found) in enumerate(zip(codes, composition_correction(codes), strict=True)):
        near = [j for j in range(max(i - 20, 0), min(i + 21, len(codes))) if END not in codes[min(i, j) : max(i, j) + 1]]
        others = [float(table[code, codes[j]]) for j in near if j != i and codes[j] < UNKNOWN]
        expected = float(table[code, :20] @ FREQUENCY) - np.mean(others) if code < UNKNOWN and others else 0
        assert abs(found - expected) <= 0.501


def test_scores_are_those_of_blosum62():
    table = SCORE.reshape(32, 32)
    w, a, r, k = (ALPHABET.index(x) for x in b"WARK")
    assert (table[w, w], table[a, r], table[r, k], table[a, UNKNOWN]) == (11, -1, 2, -1)
    assert np.array_equal(table, table.T) and (table[END, :22] == -100).all()


def test_bits_are_those_of_karlin_and_altschul():
    # E = K m n exp(-lambda S) = m n / 2^bits
    assert np.isclose(0.134 * np.exp(-0.3176 * 70), 2.0 ** -bits(np.array(70)))
    assert bits(np.array(raw_score(20))) >= 20 > bits(np.array(raw_score(20) - 1))
