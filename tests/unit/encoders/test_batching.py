"""Batches hold one token count each and keep to the budget, and rows do not depend on them."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from make_random_models import SHARED
from virshort.encoders import dnabert_s, esm2
from virshort.encoders.batching import Batcher
from virshort.encoders.byte_pair_tokenizer import BytePairTokenizer
from virshort.encoders.progress import Progress
from virshort.encoders.residue_tokenizer import ResidueTokenizer
from virshort.errors import RowError

GOLDEN = SHARED / "golden"
needs_golden = pytest.mark.skipif(not GOLDEN.exists(), reason="golden data not here")


def letters(sequences):
    """One token per letter; none for an empty sequence."""
    return [np.frombuffer(s, np.uint8).astype(np.int64) for s in sequences]


class Recorder:
    """A model whose vector is the sum and the count of the ids. It records the shapes of batches, and runs out of memory above
    a limit of tokens."""

    def __init__(self, limit=10**9):
        self.shapes, self.limit = [], limit

    def __call__(self, ids):
        if ids.numel() > self.limit:
            raise torch.OutOfMemoryError("out of memory")
        self.shapes.append(tuple(ids.shape))
        return torch.stack([ids.sum(1), torch.full((len(ids),), ids.shape[1])], 1).float()


def expected(sequences):
    return np.array([[sum(s), len(s)] for s in sequences], np.float32).reshape(-1, 2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=12), max_size=60), st.integers(1, 64), st.integers(12, 64))
def test_rows_come_back_in_order_whatever_the_batches(sequences, budget, limit):
    model = Recorder(limit)
    rows = Batcher(letters, model, 2, budget, log=lambda _: None)(sequences)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, expected(sequences))
    assert all(n == 1 or n * tokens <= min(budget, limit) for n, tokens in model.shapes)


def test_full_batches_first_by_length_and_even_leftovers():
    model = Recorder()
    sequences = [b"a" * 5] * 7 + [b"a" * 10] * 5 + [b""]
    Batcher(letters, model, 2, 20)(sequences)
    assert [tokens for _, tokens in model.shapes] == sorted((tokens for _, tokens in model.shapes), reverse=True)
    assert model.shapes == [(2, 10), (2, 10), (1, 10), (4, 5), (3, 5)]


def test_batches_do_not_depend_on_the_thread():
    rng = np.random.default_rng(0)
    sequences = [b"a" * n for n in rng.integers(1, 30, 5000)]
    shapes = []
    for _ in range(3):
        model = Recorder()
        Batcher(letters, model, 2, 256)(sequences)
        shapes.append(model.shapes)
    assert shapes[0] == shapes[1] == shapes[2]
    odd = sum(n for n, tokens in shapes[0] if n < 0.5 * (256 // tokens))
    assert odd <= 0.05 * len(sequences)


def test_out_of_memory_halves_the_budget_and_says_so_once():
    model, log = Recorder(limit=30), []
    batcher = Batcher(letters, model, 2, 200, log=log.append)
    sequences = [b"ab" * 5] * 50
    np.testing.assert_array_equal(batcher(sequences), expected(sequences))
    assert len(log) == 1
    assert "20 x 10 tokens" in log[0]
    assert 15 <= batcher.budget <= 30
    np.testing.assert_array_equal(batcher(sequences), expected(sequences))
    assert len(log) == 1


def test_out_of_memory_at_one_row_names_it():
    sequences = [b"abc", b"a" * 40, b"abc"]
    with pytest.raises(RowError, match="row 1: its 40 tokens alone") as e:
        Batcher(letters, Recorder(limit=30), 2, 100, log=lambda _: None)(sequences)
    assert e.value.row == 1


@needs_golden
def test_a_bad_peptide_is_named_by_its_own_row():
    tokens = ResidueTokenizer(GOLDEN / "esm2_tiny/model/vocab.txt")
    with pytest.raises(RowError, match="row 2000: "):
        Batcher(tokens, Recorder(), 2, 100)([b"MKV"] * 2000 + [b"M*"] + [b"MKVLLL"] * 3000)


@pytest.fixture(scope="module")
def dnabert():
    model = dnabert_s.load_model(GOLDEN / "dnabert_s_tiny")
    lines = (GOLDEN / "dnabert_tokenizer/golden_ids.jsonl").read_text().splitlines()
    sequences = [json.loads(line)["sequence"].encode() for line in lines]
    return BytePairTokenizer(GOLDEN / "dnabert_tokenizer/tokenizer.json"), partial(dnabert_s.pooled, model), 96, sequences


@pytest.fixture(scope="module")
def esm():
    model = esm2.load_model(GOLDEN / "esm2_tiny/model")
    peptides = json.loads((GOLDEN / "esm2_tiny/inputs.json").read_text())["peptides"]
    tokens = ResidueTokenizer(GOLDEN / "esm2_tiny/model/vocab.txt")
    return tokens, partial(esm2.pooled, model), 160, [p["sequence"].encode() for p in peptides]


@needs_golden
@pytest.mark.parametrize("which", ["dnabert", "esm"])
def test_a_row_is_the_same_in_any_company(which, request):
    tokenize, forward, dim, sequences = request.getfixturevalue(which)
    alone = Batcher(tokenize, forward, dim, 1)(sequences)
    rng = np.random.default_rng(1)
    for budget in (50, 5000):
        order = rng.permutation(len(sequences))
        rows = Batcher(tokenize, forward, dim, budget)([sequences[i] for i in order])
        np.testing.assert_allclose(rows, alone[order], rtol=0, atol=1e-5)


@needs_golden
def test_the_references_batches():
    folder = GOLDEN / "esm2_tiny"
    inputs, numbers = json.loads((folder / "inputs.json").read_text()), load_file(folder / "expected.safetensors")
    model = esm2.load_model(folder / "model")
    forward = partial(esm2.pooled, model)
    rows = Batcher(ResidueTokenizer(folder / "model/vocab.txt"), forward, 160, 1000)(
        [p["sequence"].encode() for p in inputs["peptides"]]
    )
    for p, row in zip(inputs["peptides"], rows, strict=True):
        assert np.abs(row - numbers[f"{p['name']}.mean"].numpy()).max() <= 1e-5


def test_progress_says_how_far_how_fast_and_how_long():
    now, lines = [0.0], []
    progress = Progress(1000, lines.append, 30, lambda: now[0])
    progress.start()
    for t in (10, 31, 40, 62, 100):
        now[0] = float(t)
        progress(200, 7000)
    assert len(lines) == 3
    assert lines[0] == "400 of 1000 windows, 12.9 windows/s, 452 tokens/s, 46 s left"
    assert lines[-1].startswith("1000 of 1000 windows, 10 windows/s")
