"""DNABERT-S's token ids are the golden ones."""

import json

import pytest

from make_random_models import TOKENIZER
from virshort.encoders.byte_pair_tokenizer import BytePairTokenizer
from virshort.errors import InputError


@pytest.mark.skipif(not TOKENIZER.exists(), reason="the DNABERT-S tokenizer is not here")
def test_every_golden_sequence_of_bases():
    golden = [json.loads(line) for line in TOKENIZER.with_name("golden_ids.jsonl").read_text().splitlines()]
    found = BytePairTokenizer(TOKENIZER)([g["sequence"].encode() for g in golden])
    assert len(golden) == 56
    for g, ids in zip(golden, found, strict=True):
        assert ids.tolist() == g["ids_of_upper_case"], g["name"]


@pytest.mark.skipif(not TOKENIZER.exists(), reason="the DNABERT-S tokenizer is not here")
def test_nothing_is_truncated_or_padded():
    short, long = BytePairTokenizer(TOKENIZER)([b"ACGT", b"N" * 5000])
    assert len(short) < 7
    assert len(long) == 5002


def test_another_file_is_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match="not a tokenizer"):
        BytePairTokenizer(tmp_path / "tokenizer.json")
