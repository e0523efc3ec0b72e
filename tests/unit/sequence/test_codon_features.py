"""Codon features, compared with a plain Biopython loop for any bases, lengths and genetic codes."""

from collections import Counter
from collections.abc import Iterable
from random import Random

import numpy as np
import pytest
from Bio.Seq import reverse_complement, translate
from hypothesis import example, given, settings
from hypothesis import strategies as st

from virshort.sequence.codon_features import codon_feature_names, codon_features
from virshort.sequence.translation import longest_peptides

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
CODONS = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]
dna = st.text("ACGTACGTACGTACGTRYSWKMBDHVNacgtn", max_size=110)


def shares(items: Iterable[str], names: list[str] | str) -> list[float]:
    """Frequencies of the names among those items that are one of them, relative to uniform."""
    counts = Counter(i for i in items if i in names)
    return [counts[name] * len(names) / max(1, counts.total()) for name in names]


def plain(sequence: str, code: int) -> list[float]:
    """The features as their names say, codon by codon."""
    sequence = sequence.upper()
    frames = []  # [(order, codons of the longest run)], and all codons of each frame
    every, stops = [], []
    for strand in (0, 1):
        for frame in range(3):
            found = [sequence[p : p + 3] for p in range(frame, len(sequence) - 2, 3)]
            if strand:
                found = [reverse_complement(c) for c in found]
            closed = [translate(c, table=code) == "*" for c in found]
            runs, first = [(0, frame, 0, 0)], 0
            for at, stop in enumerate([*closed, True]):
                if stop:
                    runs.append((first - at, frame + 3 * (at - 1), first, at))
                    first = at + 1
            size, last, begin, end = min(r for r in runs if r[0] < 0 or r == (0, frame, 0, 0))
            frames.append((size, strand, last, found[begin:end]))
            every += found
            stops.append(sum(closed))
    ordered = sorted(frames)
    (*_, one), (*_, two) = ordered[:2]
    words = [sequence[p : p + 4] for p in range(len(sequence) - 3)]
    names = sorted({min(w, reverse_complement(w)) for w in (a + c for a in CODONS for c in "ACGT")})
    sizes = sorted(-size for size, *_ in frames)
    return [
        *shares((min(w, reverse_complement(w)) for w in words), names),
        *shares(one, CODONS),
        *shares((translate(c, table=code) for c in one if c in CODONS), RESIDUES),
        np.log2(1 + sizes[-1]),
        *shares(two, CODONS),
        *np.log2(1 + np.array(sizes)),
        *np.log2(1 + np.array(sorted(stops))),
        *shares((translate(c, table=code) for c in every if c in CODONS), RESIDUES),
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(dna, max_size=5), st.sampled_from([1, 4, 11, 25]))
@example(["", "A", "AC", "TAA", "NNNN", "TTAA" * 40, "TAACTAACTAACTAACTAACTAACTAACTAAC"], 1)
def test_features_are_those_of_a_plain_loop(sequences: list[str], code: int) -> None:
    found = codon_features([s.encode() for s in sequences], code)
    assert found.shape == (len(sequences), 317) and found.dtype == np.float32
    for row, sequence in zip(found, sequences, strict=True):
        np.testing.assert_allclose(row, plain(sequence, code) if len(sequence) > 2 else np.zeros(317), rtol=1e-6)


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
