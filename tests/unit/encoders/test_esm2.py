"""ESM-2 gives the numbers of fair-esm and of transformers, and loads nothing that does not fit."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from make_random_models import SHARED, make
from virshort.encoders.esm2 import load_model, pooled
from virshort.errors import InputError

TINY = SHARED / "golden/esm2_tiny"
pytestmark = pytest.mark.skipif(not TINY.exists(), reason="golden data not here")


@pytest.fixture(scope="module")
def peptides():
    return json.loads((TINY / "inputs.json").read_text())["peptides"]


@pytest.fixture(scope="module")
def expected():
    return load_file(TINY / "expected.safetensors")


@torch.inference_mode()
def test_fair_esms_numbers(peptides, expected):
    model = load_model(TINY / "model")
    for p in peptides:
        ids = torch.tensor([p["input_ids"]])
        assert (model(ids)[0] - expected[f"{p['name']}.hidden"]).abs().max() <= 3e-5, p["name"]
        assert (pooled(model, ids)[0] - expected[f"{p['name']}.mean"]).abs().max() <= 1e-5, p["name"]


@torch.inference_mode()
def test_transformers_numbers(tmp_path):
    """Of a model that transformers made and saved, also without its head, whose names then begin otherwise."""
    from transformers import EsmModel

    whole = make(tmp_path, "esm2-8m", 80, 3)
    reference = EsmModel.from_pretrained(whole, add_pooling_layer=False).eval()
    reference.save_pretrained(tmp_path / "bare")
    ids = torch.randint(4, 24, (5, 52), generator=torch.Generator().manual_seed(1))
    expected = reference(input_ids=ids).last_hidden_state
    for folder in (whole, tmp_path / "bare"):
        assert (load_model(folder)(ids) - expected).abs().max() <= 3e-5


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@torch.inference_mode()
def test_low_precision_is_near(peptides, expected, dtype):
    model = load_model(TINY / "model", dtype)
    assert {p.dtype for p in model.parameters()} == {dtype}
    for p in peptides:
        row = pooled(model, torch.tensor([p["input_ids"]]))[0]
        assert row.dtype == torch.float32
        assert torch.cosine_similarity(row, expected[f"{p['name']}.mean"], 0) >= 0.999


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("esm.encoder.layer.1.output.dense.bias"), r"1 missing: encoder\.layer\.1\.output\.dense\.bias"),
        (lambda t: t.update({"esm.extra": torch.zeros(1)}), r"1 unexpected: .*extra"),
        (lambda t: t.update({"esm.encoder.layer.0.output.dense.bias": torch.zeros(8)}), r"misshapen: .*output\.dense"),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path, change, message):
    shutil.copy(TINY / "model/config.json", tmp_path)
    tensors = load_file(TINY / "model/model.safetensors")
    change(tensors)
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=message):
        load_model(tmp_path)


def test_a_folder_without_weights_is_one_line():
    with pytest.raises(InputError, match=r"config\.json: not ESM-2's config\.json"):
        load_model(SHARED / "golden/dnabert_tokenizer")
