"""The task that embeds a shard: what it writes and what it refuses."""

import dataclasses
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

import embed
from harness import ROOT
from make_random_models import TOKENIZER, make
from virshort.encoders.catalogue import CODON, DNABERT_S, load_encoder
from virshort.encoders.checksums import LOCAL
from virshort.encoders.fetching import fetch
from virshort.errors import InputError, RowError
from virshort.features.tensors import read_tensors
from virshort.sequence.codon_features import codon_features
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


@pytest.mark.parametrize("code", [1, 4])
def test_codons_are_read_by_the_genetic_code_of_the_run(tmp_path, monkeypatch, code):
    windows = [b"TGATGG" * 30, b"ACGT" * 30]  # TGA is a stop by the first code, and tryptophan by the fourth
    write_shard(tmp_path, 0, windows, pa.table({"window": ["a", "b"]}))
    words = ["--shard", tmp_path / "shard_00000.fa.gz", "--encoder", "codon", "--module", CODON, "--genetic-code", code]
    monkeypatch.setattr(sys, "argv", ["embed.py", *map(str, words), "--out", str(tmp_path / "out.safetensors")])
    embed.main()
    tensors, header = read_tensors(tmp_path / "out.safetensors")
    np.testing.assert_array_equal(tensors["embeddings"], codon_features(windows, code).astype(np.float16))
    assert (header["encoder"], header["modality"]) == ("codon", "codon")


def test_only_modules_of_encoders_are_imported():
    with pytest.raises(InputError, match=r"--module os: must be a module of virshort\.encoders"):
        embed.load_module("os")


@pytest.mark.skipif(not TOKENIZER.exists(), reason="the DNABERT-S tokenizer is not here")
def test_the_script_imports_no_compiler(tmp_path):
    """torch's compiler and sympy would cost every task seconds."""
    make(tmp_path / "raw", "dnabert-s", 24, 1)
    fetch("dnabert-s", tmp_path / "weights", tmp_path / "raw", LOCAL, log=lambda _: None)
    write_shard(tmp_path, 0, [b"ACGT" * 30] * 4, pa.table({"window": ["a", "b", "c", "d"]}))
    words = ["--shard", "shard_00000.fa.gz", "--encoder", "dnabert-s", "--module", DNABERT_S, "--weights", "weights"]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", ROOT / "bin/embed.py", *words, "--threads", "1", "--out", "out.safetensors"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "dnabert-s: 4 windows in, 4 rows of 24 out" in done.stdout
    imported = {
        line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines() if line.startswith("import time:")
    }
    assert imported > {"torch", "virshort"} and not imported & {"sympy", "scipy", "transformers"}
