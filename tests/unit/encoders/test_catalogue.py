"""Encoders by name: what auto stands for, which weights one needs, and the task that runs one."""

import dataclasses
import sys

import numpy as np
import pyarrow as pa
import pytest

import embed
from virshort.encoders import catalogue as encoders
from virshort.encoders.catalogue import ENCODERS, choose_encoder, load_encoder, model_of
from virshort.encoders.published import PUBLISHED, choose_revisions
from virshort.errors import InputError, RowError
from virshort.features.tensors import read_tensors
from virshort.modalities import UNTRANSLATED
from virshort.windows.shards import write_shard


@pytest.mark.parametrize(
    ("weights", "device", "expected"),
    [
        (False, "auto", ["kmer-dna", "kmer-protein"]),
        (False, "cpu", ["kmer-dna", "kmer-protein"]),
        (True, "auto", ["dnabert-s", "esm2-650m"]),
        (False, "cuda", ["dnabert-s", "esm2-650m"]),
    ],
)
def test_auto_is_the_language_model_where_its_weights_can_be(weights, device, expected):
    assert [choose_encoder(m, "auto", weights, device) for m in ("dna", "protein")] == expected
    assert choose_encoder("protein", "esm2-8m", weights, device) == "esm2-8m"


def test_every_language_model_is_an_encoder_and_needs_its_own_weights():
    names = [name for members in ENCODERS.values() for name in members]
    assert {n for n in names if model_of(n)} == set(PUBLISHED)
    assert model_of("esm2-8m" + UNTRANSLATED) == "esm2-8m" and model_of("kmer-protein" + UNTRANSLATED) is None
    with pytest.raises(InputError, match="dnabert-s: needs its weights"):
        load_encoder("dnabert-s")


def test_revisions_are_the_pinned_ones_unless_others_are_asked_for():
    pinned = PUBLISHED["dnabert-s"].revision
    assert choose_revisions({"dnabert-s", "esm2-8m"}, "esm2-8m=abc") == {"dnabert-s": pinned, "esm2-8m": "abc"}
    assert choose_revisions({"dnabert-s"}, "local") == {"dnabert-s": "local"}
    with pytest.raises(InputError, match="fastesm2-650: no commit of Synthyra/FastESM2_650 is pinned"):
        choose_revisions({"fastesm2-650"}, None)
    with pytest.raises(InputError, match="esm2-9m: no such language model"):
        choose_revisions({"dnabert-s"}, "esm2-9m=abc")


def test_bases_reach_an_untranslated_encoder_as_they_are():
    encoder, translated = load_encoder("kmer-protein" + UNTRANSLATED), load_encoder("kmer-protein")
    assert (encoder.translates, translated.translates, load_encoder("kmer-dna").translates) == (False, True, False)
    row = encoder.embed([b"ACGTTT"])[0]  # A, C, G and T are residues too
    assert np.count_nonzero(row[:20]) == 4 and row[20] == np.float32(np.log2(7))


@pytest.fixture
def task(tmp_path, monkeypatch):
    """bin/embed.py on four windows, with whatever encoder stands in for kmer-dna."""
    write_shard(tmp_path, 0, [b"ACGT" * 30] * 4, pa.table({"window": ["a", "b", "c", "d"]}))

    def run(of):
        dummy = dataclasses.replace(encoders.load_encoder("kmer-dna"), dim=2, embed=of)
        monkeypatch.setattr(embed, "load_encoder", lambda *_: dummy)
        out = tmp_path / "out.safetensors"
        monkeypatch.setattr(
            sys,
            "argv",
            ["embed.py", "--shard", str(tmp_path / "shard_00000.fa.gz"), "--encoder", "kmer-dna", "--out", str(out)],
        )
        embed.main()
        return out

    return run


def test_an_embedding_says_what_computed_it(task):
    tensors, header = read_tensors(task(lambda sequences: np.ones((len(sequences), 2), np.float32)))
    assert tensors["embeddings"].dtype == np.float16
    assert (header["precision"], header["device"]) == ("fp32", "cpu")


def test_a_window_that_cannot_be_embedded_is_named(task):
    def too_long(_):
        raise RowError(2, "its 30 tokens alone do not fit into the memory of cuda")

    with pytest.raises(InputError, match=r"shard_00000\.fa\.gz: window c: its 30 tokens alone do not fit"):
        task(too_long)
    with pytest.raises(InputError, match=r"window d: .* not finite in float16: use --precision fp32"):
        task(lambda _: np.array([[1, 1], [1, 1], [1, 1], [1, 1e6]], np.float32))
