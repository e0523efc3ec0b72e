"""ESM-2's token ids are the golden ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_random_models import ESM_VOCABULARY, SHARED
from virshort.encoders.residue_tokenizer import ResidueTokenizer
from virshort.errors import InputError, RowError

ESM = SHARED / "golden/esm2_tiny"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("esm") / "vocab.txt"
    path.write_text("\n".join(ESM_VOCABULARY))
    return ResidueTokenizer(path)


@pytest.mark.skipif(not ESM.exists(), reason="golden data not here")
def test_every_golden_peptide():
    peptides = json.loads((ESM / "inputs.json").read_text())["peptides"]
    tokenize = ResidueTokenizer(ESM / "model/vocab.txt")
    for p, ids in zip(peptides, tokenize([p["sequence"].encode() for p in peptides]), strict=True):
        assert ids.tolist() == p["input_ids"]


def test_peptides_that_the_reference_does_not_name(tokenizer):
    assert tokenizer([b"acX"])[0].tolist() == tokenizer([b"ACX"])[0].tolist()
    assert tokenizer([b"J"])[0].tolist() == tokenizer([b"X"])[0].tolist()
    assert tokenizer([b""])[0].tolist() == []


@pytest.mark.parametrize("peptide", [b"AC*", b"A-C", b"A C", b"A.C", b"1", b"\xff"])
def test_what_is_not_a_residue_is_refused(tokenizer, peptide):
    with pytest.raises(RowError, match=r"row 1: .* is not a residue"):
        tokenizer([b"MK", peptide])


@given(st.binary(min_size=1, max_size=40))
def test_any_bytes_are_tokens_or_refused(tokenizer, peptide):
    if set(peptide.upper()) <= set(b"ACDEFGHIJKLMNOPQRSTUVWXYZB"):
        (ids,) = tokenizer([peptide])
        letters = "".join(ESM_VOCABULARY[i] for i in ids[1:-1])
        assert letters == peptide.decode().upper().replace("J", "X") and (ids[0], ids[-1]) == (0, 2)
    else:
        with pytest.raises(RowError):
            tokenizer([peptide])


def test_the_vocabulary_of_another_model_is_refused(tmp_path):
    (tmp_path / "vocab.txt").write_text("<cls>\n<eos>\nA\n")
    with pytest.raises(InputError, match="has no C, D, E"):
        ResidueTokenizer(tmp_path / "vocab.txt")
