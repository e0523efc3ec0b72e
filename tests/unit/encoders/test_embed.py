"""The task that embeds a shard: what it writes and what it refuses."""

import dataclasses
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

import embed
from virshort.encoders.catalogue import load_encoder
from virshort.errors import InputError, RowError
from virshort.features.tensors import read_tensors
from virshort.windows.shards import write_shard


@pytest.fixture
def task(tmp_path, monkeypatch):
    """bin/embed.py on four windows, with an encoder whose vectors `of` computes."""
    write_shard(tmp_path, 0, [b"ACGT" * 30] * 4, pa.table({"window": ["a", "b", "c", "d"]}))

    def run(of):
        dummy = dataclasses.replace(load_encoder("kmer-dna"), dim=2, embed=of)
        monkeypatch.setattr(embed, "load_module", lambda _name: SimpleNamespace(load=lambda *_: dummy))
        out = tmp_path / "out.safetensors"
        monkeypatch.setattr(
            sys,
            "argv",
            [
                "embed.py",
                "--shard",
                str(tmp_path / "shard_00000.fa.gz"),
                "--encoder",
                "kmer-dna",
                "--module",
                "-",
                "--out",
                str(out),
            ],
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


def test_only_modules_of_encoders_are_imported():
    with pytest.raises(InputError, match=r"--module os: must be a module of virshort\.encoders"):
        embed.load_module("os")
