"""DNABERT-S gives the numbers of the authors' own code, and loads nothing that does not fit."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from make_random_models import SHARED
from virshort.encoders.dnabert_s import Config, alibi_slopes, build, load_model, pooled, published_shapes
from virshort.errors import InputError

TINY = SHARED / "golden/dnabert_s_tiny"
needs_golden = pytest.mark.skipif(not TINY.exists(), reason="golden data not here")


def ids_of(case):
    return torch.tensor([case["input_ids"]])


@needs_golden
@torch.inference_mode()
def test_the_authors_numbers_at_small_size():
    model, expected = load_model(TINY), load_file(TINY / "expected.safetensors")
    for case in json.loads((TINY / "inputs.json").read_text())["cases"]:
        hidden = model(ids_of(case))[0]
        assert (hidden - expected[f"{case['name']}.hidden"]).abs().max() <= 5e-5, case["name"]
        assert (pooled(model, ids_of(case))[0] - expected[f"{case['name']}.mean"]).abs().max() <= 2e-5, case["name"]


@needs_golden
@torch.inference_mode()
def test_the_authors_layers_at_small_size():
    model, expected = load_model(TINY), load_file(TINY / "expected.safetensors")
    case = next(c for c in json.loads((TINY / "inputs.json").read_text())["cases"] if c["name"] == "dna150_0")
    x = model.norm(model.words(ids_of(case)))
    assert (x[0] - expected["trace.dna150_0.embeddings"]).abs().max() <= 5e-5
    for i, layer in enumerate(model.layers):
        x = layer(x, model.bias(x.shape[1], x))
        assert (x[0] - expected[f"trace.dna150_0.layer_{i}"]).abs().max() <= 5e-5


def test_slopes_are_those_of_the_published_model():
    assert np.log2(alibi_slopes(12)) == pytest.approx([-1, -2, -3, -4, -5, -6, -7, -8, -0.5, -1.5, -2.5, -3.5])


def test_the_published_file_has_138_tensors():
    assert len(published_shapes(Config())) == 138


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("encoder.layer.1.mlp.wo.bias"), r"1 missing: encoder\.layer\.1\.mlp\.wo\.bias"),
        (lambda t: t.update(extra=torch.zeros(1)), r"1 unexpected: extra"),
        (lambda t: t.update({"pooler.dense.bias": torch.zeros(3)}), r"pooler\.dense\.bias is \[3\] instead of \[24\]"),
        (lambda t: t.update({f"bert.{k}": t.pop(k) for k in list(t)}), r"as DNABERT-2's"),
    ],
)
def test_tensors_that_do_not_fit_are_named(change, message):
    config = Config(64, 24, 2, 12, 48)
    tensors = {k: torch.zeros(s) for k, s in published_shapes(config).items()}
    build(tensors, config)
    change(tensors)
    with pytest.raises(InputError, match=message):
        build(tensors, config)
