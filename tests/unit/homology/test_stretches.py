"""Stop-free stretches over six frames."""

import numpy as np
from Bio.Seq import Seq
from hypothesis import given, settings
from hypothesis import strategies as st

from virshort.homology import stretches
from virshort.homology.stretches import source_stretches, stop_free_stretches

BASES = st.text("ACGTN", max_size=300)


def of(bases: str) -> np.ndarray:
    return np.frombuffer(bases.encode(), np.uint8)


@given(BASES, st.sampled_from([1, 4, 11]), st.integers(1, 30))
@settings(max_examples=60)
def test_the_stretches_are_those_of_biopython(bases, code, shortest):
    expected = []
    for strand in (Seq(bases), Seq(bases).reverse_complement()):
        # On the minus strand a frame counts from where its last codon ends on the plus strand
        starts = range(3) if strand == Seq(bases) else [(len(bases) - f) % 3 for f in range(3)]
        for start in starts:
            line = strand[start : start + (len(strand) - start) // 3 * 3].translate(table=code)
            expected += [part for part in str(line).split("*") if len(part) >= shortest]
    assert sorted(s.decode() for s in stop_free_stretches(of(bases), code, shortest)) == sorted(expected)


def test_masked_bases_become_unknown_residues():
    found = stop_free_stretches(of("ATG" * 10 + "N" * 30 + "GCT" * 10), 1, 30)
    assert b"M" * 10 + b"X" * 10 + b"A" * 10 in found


def test_a_long_source_is_cut_into_pieces_that_overlap(monkeypatch):
    rng = np.random.default_rng(1)
    letters = rng.choice(np.frombuffer(b"ACGT", np.uint8), 20_000)
    letters[9000:9300] = np.frombuffer(b"GCT" * 100, np.uint8)
    whole = stop_free_stretches(letters, 1, 25)
    monkeypatch.setattr(stretches, "PIECE", 6000)
    monkeypatch.setattr(stretches, "OVERLAP", 1200)
    pieces = [s for piece in source_stretches(letters, 1, 25) for s in piece]
    assert set(whole) <= set(pieces)


def test_a_source_without_a_codon_has_no_stretch():
    assert stop_free_stretches(of("AC"), 1, 1) == []
    assert list(source_stretches(of(""), 1, 1)) == [[]]
