"""Six-frame translation, compared with a plain Biopython loop for any IUPAC sequence and genetic code."""

import numpy as np
import pytest
from Bio.Data.CodonTable import unambiguous_dna_by_id
from Bio.Seq import reverse_complement, translate
from hypothesis import given, settings
from hypothesis import strategies as st

from virshort.sequence.bases import COMPLEMENT_LETTER, LETTERS, MASKS, by_similar_length, stack
from virshort.sequence.translation import codon_tables, longest_peptides

dna = st.text("ACGTACGTACGTRYSWKMBDHVN", max_size=120)


def plain(sequence: str, code: int) -> bytes:
    """The longest stretch. Of equal ones, the plus strand is preferred, and then the one that ends first in the window."""
    found = []
    for strand, read in enumerate((sequence, reverse_complement(sequence))):
        for frame in range(3):
            protein = translate(read[frame : frame + (len(read) - frame) // 3 * 3], table=code)
            at = 0
            for part in protein.split("*"):
                first, last = frame + 3 * at, frame + 3 * (at + len(part) - 1)
                end = last if strand == 0 else len(read) - 3 - first
                found.append((-len(part), strand, end, part))
                at += len(part) + 1
    return min(found)[-1].encode() if found else b""


@settings(max_examples=300)
@given(st.lists(dna, max_size=8), st.sampled_from([1, 4, 11]))
def test_longest_stretch_is_that_of_a_plain_loop(sequences, code):
    assert longest_peptides([s.encode() for s in sequences], code) == [plain(s, code) for s in sequences]


@given(st.lists(dna, min_size=2, max_size=8), st.randoms())
def test_other_windows_do_not_change_the_result(sequences, random):
    whole = longest_peptides([s.encode() for s in sequences])
    order = list(range(len(sequences)))
    random.shuffle(order)
    assert [whole[i] for i in order] == longest_peptides([sequences[i].encode() for i in order])


def test_the_result_is_residues_and_not_bases():
    peptide = longest_peptides([b"ATGGCC" * 25])[0]
    assert len(peptide) == 50 and set(peptide) <= set(b"ACDEFGHIKLMNPQRSTVWYXBZJ")


def test_every_codon_of_every_genetic_code():
    for code, table in unambiguous_dna_by_id.items():
        plus, minus = codon_tables(code)
        for codon in [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]:
            number = int(sum(int(MASKS[ord(x)]) << s for x, s in zip(codon, (8, 4, 0), strict=True)))
            assert chr(plus[number]) == translate(codon, table=table.id)
            assert chr(minus[number]) == translate(reverse_complement(codon), table=table.id)


def test_masks_name_all_iupac_letters():
    letters = "ACGTRYSWKMBDHVN"
    assert bytes(LETTERS[MASKS[list(letters.encode())]]).decode() == letters
    assert bytes(COMPLEMENT_LETTER[list(letters.encode())]).decode() == reverse_complement(letters)[::-1]
    assert MASKS[ord("u")] == MASKS[ord("T")]


@given(st.lists(st.integers(0, 4000), max_size=60), st.integers(1, 20_000))
def test_groups_have_every_row_once_and_little_padding(lengths, budget):
    groups = by_similar_length(np.array(lengths, np.int64), budget)
    assert sorted(r for g in groups for r in g.tolist()) == list(range(len(lengths)))
    for g in groups:
        members = np.array(lengths)[g]
        assert len(g) == 1 or len(g) * members.max() <= budget
        assert members.min() >= 0.9 * members.max()


def test_stack_pads_with_zero():
    assert stack([b"AC", b"ACG"])[0].tolist() == [1, 2, 0]
    with pytest.raises(KeyError):
        codon_tables(99)
