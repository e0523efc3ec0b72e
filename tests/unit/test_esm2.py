"""ESM-2 against fair-esm's numbers, its tokens, and its strictness about what it loads."""

import json
import os
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from virshort.errors import InputError
from virshort.esm2 import hidden, load, pooled

SHARED = Path(os.environ.get("VIRSHORT_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))
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
    model = load(TINY / "model")
    for p in peptides:
        ids = torch.tensor([p["input_ids"]])
        assert (hidden(model, ids)[0] - expected[f"{p['name']}.hidden"]).abs().max() <= 3e-5, p["name"]
        assert (pooled(partial(hidden, model), ids)[0] - expected[f"{p['name']}.mean"]).abs().max() <= 1e-5, p["name"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@torch.inference_mode()
def test_low_precision_keeps_the_rotary_frequencies(peptides, expected, dtype):
    model = load(TINY / "model", dtype)
    assert model.rotary_embeddings.inv_freq.dtype == torch.float32
    assert model.encoder.layer[0].attention.self.query.weight.dtype == dtype
    for p in peptides:
        row = pooled(partial(hidden, model), torch.tensor([p["input_ids"]]))[0]
        assert row.dtype == torch.float32
        assert torch.cosine_similarity(row, expected[f"{p['name']}.mean"], 0) >= 0.999


@pytest.mark.parametrize(("change", "message"), [
    (lambda t: t.pop("esm.encoder.layer.1.output.dense.bias"), r"1 missing: encoder\.layer\.1\.output\.dense\.bias"),
    (lambda t: t.update({"esm.extra": torch.zeros(1)}), r"1 unexpected: .*extra"),
    (lambda t: t.update({"esm.encoder.layer.0.output.dense.bias": torch.zeros(8)}), r"misshapen: .*output\.dense"),
])
def test_tensors_that_do_not_fit_are_named(tmp_path, change, message):
    shutil.copy(TINY / "model/config.json", tmp_path)
    tensors = load_file(TINY / "model/model.safetensors")
    change(tensors)
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=message):
        load(tmp_path)


def test_a_folder_without_weights_is_one_line():
    with pytest.raises(InputError, match="not a folder of ESM-2"):
        load(SHARED / "golden/dnabert_tokenizer")

