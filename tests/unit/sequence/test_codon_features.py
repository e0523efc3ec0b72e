"""Codon features, compared with a plain Biopython loop for any bases, lengths and genetic codes."""

from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plain_codons import RESIDUES, plain_codon_features, shares
from virshort.sequence.codon_features import codon_feature_names, codon_features
from virshort.sequence.translation import longest_peptides

dna = st.text("ACGTACGTACGTACGTRYSWKMBDHVNacgtn", max_size=110)


@settings(max_examples=60, deadline=None)
@given(st.lists(dna, max_size=5), st.sampled_from([1, 4, 11, 25]))
@example(["", "A", "AC", "TAA", "NNNN", "TTAA" * 40, "TAACTAACTAACTAACTAACTAACTAACTAAC"], 1)
def test_features_are_those_of_a_plain_loop(sequences: list[str], code: int) -> None:
    found = codon_features([s.encode() for s in sequences], code)
    assert found.shape == (len(sequences), 317) and found.dtype == np.float32
    for row, sequence in zip(found, sequences, strict=True):
        np.testing.assert_allclose(row, plain_codon_features(sequence, code), rtol=1e-6)


@given(st.lists(dna, min_size=2, max_size=8), st.randoms())
def test_other_windows_do_not_change_a_row(sequences: list[str], random: Random) -> None:
    whole = codon_features([s.encode() for s in sequences])
    order = list(range(len(sequences)))
    random.shuffle(order)
    np.testing.assert_array_equal(whole[order], codon_features([sequences[i].encode() for i in order]))


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(0, 3000))
def test_the_longest_run_is_the_stretch_that_the_protein_encoder_reads(seed: int, length: int) -> None:
    window = np.random.default_rng(seed).choice(np.frombuffer(b"ACGT", np.uint8), length).tobytes()
    (row,), (peptide,) = codon_features([window]), longest_peptides([window])
    names = codon_feature_names()
    assert row[names.index("longest run log2(1 + codons)")] == pytest.approx(np.log2(1 + len(peptide)))
    found = [row[names.index(f"longest run {r}")] for r in RESIDUES]
    np.testing.assert_allclose(found, shares(peptide.decode(), RESIDUES), rtol=1e-6)


def test_every_number_has_a_name_of_its_own() -> None:
    assert len(set(codon_feature_names())) == 317


def test_numbers_of_long_windows_fit_into_half_precision() -> None:
    rows = codon_features([b"A" * 100_000, b"TAA" * 30_000])
    assert np.isfinite(rows.astype(np.float16)).all()
    np.testing.assert_allclose(rows.astype(np.float16), rows, rtol=1e-3)
