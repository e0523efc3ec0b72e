"""k-mer frequencies, compared with plain counting."""

from collections import Counter

import numpy as np
from Bio.Seq import reverse_complement
from hypothesis import given
from hypothesis import strategies as st

from virshort.encoders.catalogue import COUNTED, load_encoder
from virshort.sequence.composition import RESIDUES, canonical_kmers, dna_kmer_frequencies, residue_frequencies

dna = st.text("ACGTACGTN", max_size=60)


@given(st.lists(dna, max_size=6), st.integers(1, 5))
def test_frequencies_are_those_of_plain_counting(sequences, k):
    found = dna_kmer_frequencies([s.encode() for s in sequences], k)
    names = canonical_kmers(k)
    for row, s in zip(found, sequences, strict=True):
        words = [s[i : i + k] for i in range(len(s) - k + 1) if "N" not in s[i : i + k]]
        counts = Counter(min(w, reverse_complement(w)) for w in words)
        expected = [counts[n] * len(names) / max(1, len(words)) for n in names]
        np.testing.assert_allclose(row, expected, rtol=1e-6)


@given(dna)
def test_both_strands_have_the_same_frequencies(s):
    a, b = dna_kmer_frequencies([s.encode(), reverse_complement(s).encode()], 4)
    np.testing.assert_array_equal(a, b)


@given(st.lists(st.text("ACDEFGHIKLMNPQRSTVWYXB", max_size=40), max_size=6))
def test_residues_are_those_of_plain_counting(peptides):
    found = residue_frequencies([p.encode() for p in peptides])
    for row, p in zip(found, peptides, strict=True):
        known = [c for c in p if c in RESIDUES.decode()]
        expected = [20 * known.count(c) / max(1, len(known)) for c in RESIDUES.decode()] + [np.log2(1 + len(known))]
        np.testing.assert_allclose(row, expected, rtol=1e-6)


def test_encoders_have_the_dimensions_they_state():
    for name in ("kmer-dna", "kmer-protein"):
        encoder, entry = load_encoder(name), COUNTED[name]
        rows = encoder.embed([b"ACGTACGTAA", b"ACGT"])
        assert (encoder.modality, encoder.dim, rows.shape, rows.dtype) == (
            entry.modality,
            entry.dim,
            (2, entry.dim),
            np.float32,
        )
