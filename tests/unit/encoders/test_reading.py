"""How sequences become text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virshort.encoders.reading import Reading

DNA, PROTEIN = Reading("dna", 8), Reading("protein", 8)


@pytest.mark.parametrize(
    ("reading", "sequence", "text"),
    [
        (DNA, b"acgTUn", "ACGTTN"),
        (Reading("dna", 8, thymine="U"), b"ACGTU", "ACGUU"),
        (Reading("dna", 8, letters="ACGTN", unknown="N"), b"ACGTURY", "ACGTTNN"),
        (Reading("dna", 8, letters="ACGU", unknown="A", thymine="U"), b"ACGTN", "ACGUA"),
        (Reading("dna", 8, case="lower"), b"ACGT", "acgt"),
        (PROTEIN, b"mkU", "MKU"),
        (Reading("protein", 8, spaces=True, letters="ACDEFGHIKLMNPQRSTVWYX", unknown="X"), b"MKBUZ", "M K X X X"),
        (Reading("protein", 8, spaces=True), b"", ""),
    ],
)
def test_letters_become_those_that_the_model_knows(reading: Reading, sequence: bytes, text: str) -> None:
    assert reading.text(sequence) == text


@given(st.binary(max_size=60), st.booleans(), st.sampled_from(["T", "U"]))
def test_a_text_has_a_letter_for_every_letter_and_no_unknown_one(sequence: bytes, spaces: bool, thymine: str) -> None:
    reading = Reading("dna", 8, spaces=spaces, thymine=thymine, letters="ACGTN", unknown="N")
    letters = reading.text(sequence).split(" ") if spaces and sequence else [*reading.text(sequence)]
    assert len(letters) == len(sequence) and set(letters) <= set("ACGN" + thymine)


def test_readings_that_differ_have_other_sentences() -> None:
    others = [
        DNA,
        Reading("dna", 8, pooling="last"),
        Reading("dna", 8, max_tokens=512),
        Reading("dna", 8, spaces=True),
        Reading("dna", 8, case="lower"),
        Reading("dna", 8, thymine="U"),
        Reading("dna", 8, letters="ACGTN", unknown="N"),
        Reading("dna", 8, letters="ACGT", unknown="A"),
    ]
    assert len({str(reading) for reading in others}) == len(others)
