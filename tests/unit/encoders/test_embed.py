"""The task that embeds a shard: what it writes and what it refuses."""

import dataclasses
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

import embed
from harness import ROOT
from make_random_models import TOKENIZER, make
from shipped_rows import ROWS
from virshort.encoders.catalogue import CODON, DNABERT_S, KMERS, load_encoder
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
        words = ["--shard", tmp_path / "shard_00000.fa.gz", "--encoders", "kmer-dna=-", "--out", tmp_path]
        monkeypatch.setattr(sys, "argv", ["embed.py", *map(str, words)])
        embed.main()
        return tmp_path / "shard_00000.kmer-dna.safetensors"

    return run


def test_an_embedding_says_what_computed_it(task):
    tensors, header = read_tensors(task(lambda sequences: np.ones((len(sequences), 2), np.float32)))
    assert set(tensors) == {"dna"} and tensors["dna"].dtype == np.float16
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
    words = ["--shard", tmp_path / "shard_00000.fa.gz", "--encoders", f"codon={CODON}", "--genetic-code", code]
    monkeypatch.setattr(sys, "argv", ["embed.py", *map(str, words), "--out", str(tmp_path)])
    embed.main()
    tensors, header = read_tensors(tmp_path / "shard_00000.codon.safetensors")
    np.testing.assert_array_equal(tensors["codon"], codon_features(windows, code).astype(np.float16))
    assert [(e["encoder"], e["modality"]) for e in json.loads(header["encoders"])] == [("codon", "codon")]


@pytest.mark.parametrize("frames", ["longest", "all"])
def test_several_encoders_write_what_each_writes_alone(tmp_path, monkeypatch, frames):
    write_shard(tmp_path, 0, [b"ATGGCATTAGCT" * 9, b"ACGT" * 30, b"GATTACA" * 20], pa.table({"window": ["a", "b", "c"]}))
    named = [f"kmer-dna={KMERS}", f"codon={CODON}", f"kmer-protein={KMERS}"]
    for folder, encoders in (("together", [named]), ("alone", [[e] for e in named])):
        for given in encoders:
            words = ["--shard", tmp_path / "shard_00000.fa.gz", "--encoders", *given, "--frames", frames]
            monkeypatch.setattr(sys, "argv", ["embed.py", *map(str, words), "--out", str(tmp_path / folder)])
            embed.main()
    together, alone = ({p.name: p.read_bytes() for p in (tmp_path / folder).iterdir()} for folder in ("together", "alone"))
    assert together == alone and len(alone) == 3


def test_only_modules_of_encoders_are_imported():
    with pytest.raises(InputError, match=r"--encoders: os: must name a module of virshort\.encoders"):
        embed.load_module("os")
    with pytest.raises(InputError, match="an encoder without =MODULE"):
        embed.load_module("")


@pytest.mark.skipif(not TOKENIZER.exists(), reason="the DNABERT-S tokenizer is not here")
def test_the_script_imports_no_compiler(tmp_path):
    """torch's compiler and sympy would cost every task seconds."""
    make(tmp_path / "raw", "dnabert-s", 24, 1)
    fetch(ROWS["dnabert-s"], tmp_path / "weights", tmp_path / "raw", LOCAL, log=lambda _: None)
    write_shard(tmp_path, 0, [b"ACGT" * 30] * 4, pa.table({"window": ["a", "b", "c", "d"]}))
    words = ["--shard", "shard_00000.fa.gz", "--encoders", f"dnabert-s={DNABERT_S}", "--weights", "weights"]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", ROOT / "bin/embed.py", *words, "--threads", "1", "--out", "."],
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
