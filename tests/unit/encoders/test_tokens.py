"""Token ids against the golden ones."""

import json

import pytest

from make_random_models import SHARED, TOKENIZER
from virshort.encoders.tokens import Bases, Residues
from virshort.errors import InputError, RowError

ESM = SHARED / "golden/esm2_tiny"
pytestmark = pytest.mark.skipif(not TOKENIZER.exists(), reason="golden data not here")


def test_every_golden_sequence_of_bases():
    golden = [json.loads(line) for line in TOKENIZER.with_name("golden_ids.jsonl").read_text().splitlines()]
    found = Bases(TOKENIZER)([g["sequence"].encode() for g in golden])
    assert len(golden) == 56
    for g, ids in zip(golden, found, strict=True):
        assert ids.tolist() == g["ids_of_upper_case"], g["name"]


def test_nothing_is_cut_or_padded():
    short, long = Bases(TOKENIZER)([b"ACGT", b"N" * 5000])
    assert len(short) < 7
    assert len(long) == 5002


def test_every_golden_peptide():
    peptides = json.loads((ESM / "inputs.json").read_text())["peptides"]
    tokens = Residues(ESM / "model/vocab.txt")
    for p, ids in zip(peptides, tokens([p["sequence"].encode() for p in peptides]), strict=True):
        assert ids.tolist() == p["input_ids"]


def test_peptides_that_the_reference_does_not_name():
    tokens = Residues(ESM / "model/vocab.txt")
    assert tokens([b"acX"])[0].tolist() == tokens([b"ACX"])[0].tolist()
    assert tokens([b"J"])[0].tolist() == tokens([b"X"])[0].tolist()
    assert tokens([b""])[0].tolist() == []


@pytest.mark.parametrize("peptide", [b"AC*", b"A-C", b"A C", b"A.C", b"1", b"\xff"])
def test_what_is_no_residue_is_refused(peptide):
    with pytest.raises(RowError, match=r"row 1: .* is not a residue"):
        Residues(ESM / "model/vocab.txt")([b"MK", peptide])


def test_another_models_files_are_refused(tmp_path):
    (tmp_path / "vocab.txt").write_text("<cls>\n<eos>\nA\n")
    with pytest.raises(InputError, match="no C, D, E"):
        Residues(tmp_path / "vocab.txt")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match="not a tokenizer"):
        Bases(tmp_path / "tokenizer.json")
