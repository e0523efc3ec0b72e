"""Rows of stop-free frames: VirNucPro's own, and what Biopython says of any window."""

import os
from pathlib import Path

import numpy as np
import pytest
from Bio import SeqIO
from Bio.Seq import Seq
from hypothesis import given
from hypothesis import strategies as st

from virshort.features.frames import RowTable, find_rows, row_sequences
from virshort.features.tensors import FRAMES
from virshort.sequence.translation import longest_peptides

SHARED = Path(os.environ.get("VIRSHORT_SHARED", Path(__file__).resolve().parents[3].parent / "shared"))
GOLDEN = SHARED / "golden/virnucpro"


def records(path: Path) -> dict[str, bytes]:
    return {r.id: str(r.seq).upper().encode() for r in SeqIO.parse(path, "fasta")}


@pytest.mark.skipif(not GOLDEN.exists(), reason="golden data not here")
@pytest.mark.parametrize("name", ["real_with_orfs", "real_fixed_500bp"])
def test_rows_are_those_that_virnucpro_made(name: str) -> None:
    contigs = records(GOLDEN / name / "input.fa")
    sequences = list(contigs.values())
    rows = find_rows(sequences, "all")
    ids = [f"{list(contigs)[w]}_chunk_1{FRAMES[f]}" for w, f in zip(rows.window, rows.frame, strict=True)]
    assert dict(zip(ids, row_sequences(sequences, rows, False), strict=True)) == records(GOLDEN / name / "nucleotide.fa")
    assert dict(zip(ids, row_sequences(sequences, rows, True), strict=True)) == records(GOLDEN / name / "protein.faa")


windows = st.lists(st.text("ACGTN", min_size=0, max_size=40) | st.text("ACG", min_size=60, max_size=90), max_size=8)


@given(windows, st.sampled_from([1, 4, 11]))
def test_rows_are_the_frames_that_biopython_translates_without_a_stop(texts: list[str], code: int) -> None:
    sequences = [t.encode() for t in texts]
    expected = []
    for number, text in enumerate(texts):
        frames = []
        for strand, letter in ((text, "F"), (str(Seq(text).reverse_complement()), "R")):
            for k in range(3):
                size = max(0, len(strand) - k) // 3 * 3
                peptide = str(Seq(strand[k : k + size]).translate(table=code))
                if size and "*" not in peptide:
                    frames.append((number, f"{letter}{k + 1}", strand[k : k + size + 1].encode(), peptide.encode()))
        expected += frames or [(number, "LS", sequences[number], longest_peptides([sequences[number]], code)[0])]
    rows = find_rows(sequences, "all", code)
    bases, peptides = (row_sequences(sequences, rows, translate, code) for translate in (False, True))
    assert list(zip(rows.window.tolist(), [FRAMES[f] for f in rows.frame], bases, peptides, strict=True)) == expected


@given(windows)
def test_longest_is_one_row_a_window_of_all_its_bases(texts: list[str]) -> None:
    sequences = [t.encode() for t in texts]
    rows = find_rows(sequences, "longest")
    assert rows.window.tolist() == list(range(len(texts)))
    assert row_sequences(sequences, rows, False) == sequences
    assert row_sequences(sequences, rows, True) == longest_peptides(sequences)


def test_a_part_of_the_rows_is_read_as_such() -> None:
    sequences = [b"ACGACGACG", b"TAATAATAATAACTAACTAACTAA", b"CCCCCC"]
    rows = find_rows(sequences, "all")
    every = row_sequences(sequences, rows, True)
    for first in range(0, len(rows), 3):
        part = slice(first, first + 3)
        assert row_sequences(sequences, RowTable(rows.window[part], rows.frame[part]), True) == every[part]
    assert np.bincount(rows.window).tolist()[0] == 6
