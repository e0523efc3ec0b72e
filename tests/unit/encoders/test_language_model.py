"""Whole models from fetched weights: exact in fp32, near in low precision, and independent of the other rows of a batch."""

import numpy as np
import pytest
import torch

from make_random_models import SHARED, make
from shipped_rows import CATALOGUE, ROWS
from virshort.encoders import catalogue, packed_linear
from virshort.encoders.checksums import LOCAL
from virshort.encoders.encoder import LoadSettings
from virshort.encoders.fetching import fetch
from virshort.errors import InputError

pytestmark = pytest.mark.skipif(not (SHARED / "golden/dnabert_tokenizer").exists(), reason="golden data not here")


def load_encoder(name, settings):
    return catalogue.load_encoder(name, settings, CATALOGUE)


MODELS = ["dnabert-s", "esm2-8m"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    raw, out = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("weights")
    for encoder, width in (("dnabert-s", 192), ("esm2-8m", 160)):
        make(raw, encoder, width, 2)
        fetch(ROWS[encoder], out, raw, LOCAL, log=lambda _: None)
    return out


def sequences(encoder, n=30):
    rng = np.random.default_rng(3)
    letters = b"ACGT" if encoder == "dnabert-s" else b"ACDEFGHIKLMNPQRSTVWY"
    return [bytes(rng.choice(np.frombuffer(letters, np.uint8), size)) for size in rng.choice([1, 40, 50, 150, 300], n)]


def cosine(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.mark.parametrize("encoder", MODELS)
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_low_precision_is_near(folder, encoder, precision):
    given = sequences(encoder)
    exact = load_encoder(encoder, LoadSettings(folder, "fp32", "cpu")).embed(given)
    low = load_encoder(encoder, LoadSettings(folder, precision, "cpu"))
    assert (low.precision, low.device) == (precision, "cpu")
    rows = low.embed(given)
    assert rows.dtype == np.float32
    assert cosine(rows, exact).min() >= 0.999
    # Batch mates change the order of rounding only.
    low.embed.budget = 7
    assert cosine(low.embed(given[::-1])[::-1], rows).min() >= 0.9999


@pytest.mark.parametrize("encoder", MODELS)
def test_a_row_is_its_sequences_alone(folder, encoder):
    model, given = load_encoder(encoder, LoadSettings(folder, "fp32", "cpu", budget=333)), sequences(encoder)
    together = model.embed(given)
    for sequence, row in zip(given, together, strict=True):
        np.testing.assert_allclose(model.embed([sequence])[0], row, rtol=0, atol=1e-5)
    assert model.embed([]).shape == (0, model.dim)
    assert np.abs(model.embed([given[0].lower()])[0] - together[0]).max() <= 1e-5


def test_an_empty_peptide_is_a_row_of_zeros(folder):
    rows = load_encoder("esm2-8m", LoadSettings(folder, "fp32", "cpu")).embed([b"MKV", b"", b"MKV"])
    assert not rows[1].any()
    assert rows[0].any()


@pytest.mark.skipif(not packed_linear.can_pack(), reason="no bf16 kernels of oneDNN here")
@pytest.mark.parametrize("encoder", MODELS)
def test_packed_layers_compute_what_plain_ones_do(folder, encoder, monkeypatch):
    given = sequences(encoder)
    packed = load_encoder(encoder, LoadSettings(folder, "bf16", "cpu")).embed(given)
    monkeypatch.setattr(packed_linear, "can_pack", lambda: False)
    plain = load_encoder(encoder, LoadSettings(folder, "bf16", "cpu")).embed(given)
    assert cosine(packed, plain).min() >= 0.9995


@pytest.mark.parametrize("encoder", MODELS)
def test_a_model_describes_itself(folder, encoder):
    model = load_encoder(encoder, LoadSettings(folder))
    assert model.modality == ("dna" if encoder == "dnabert-s" else "protein")
    assert len(model.weights) == 16
    assert model.embed([b"ACDEFG"]).shape == (1, model.dim)
    assert model.hidden(torch.tensor([[1, 2]])).shape == (1, 2, model.dim)


def test_weights_that_were_not_fetched_are_named(folder):
    with pytest.raises(InputError, match=r"no fetched weights of esm2-35m: run bin/fetch_weights\.py"):
        load_encoder("esm2-35m", LoadSettings(folder))
