"""ESM-2 gives the numbers of fair-esm, and loads nothing that does not fit."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from make_random_models import SHARED
from virshort.encoders.esm2 import frequencies, load_model, pooled, published_frequencies
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
def test_tensors_are_found_under_every_name_that_is_in_use(tmp_path, peptides):
    """Without `esm.` if a model was saved without its head; with gamma and beta if transformers 5 saved it."""
    ids, exact = torch.tensor([peptides[0]["input_ids"]]), load_model(TINY / "model")
    published = load_file(TINY / "model/model.safetensors")
    bare = {name.removeprefix("esm."): tensor for name, tensor in published.items() if name.startswith("esm.")}
    renamed = {name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): t for name, t in bare.items()}
    assert bare.keys() != published.keys() and renamed.keys() != bare.keys()
    for number, tensors in enumerate((bare, renamed)):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(TINY / "model/config.json", folder)
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        assert torch.equal(load_model(folder)(ids), exact(ids))


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


def test_positions_rotate_by_the_published_frequencies():
    """The authors' files state them in fp16, and their models compute with what is stated."""
    exact = frequencies(16)
    rounded = exact.half()
    names = [f"esm.encoder.layer.{i}.attention.self.rotary_embeddings.inv_freq" for i in range(2)]
    assert torch.equal(published_frequencies({}, 16, "here"), exact)
    found = published_frequencies(dict.fromkeys(names, rounded), 16, "here")
    assert found.dtype == torch.float32 and torch.equal(found, rounded.float()) and not torch.equal(found, exact)
    with pytest.raises(InputError, match="here: layers rotate by different angles"):
        published_frequencies({names[0]: rounded, names[1]: exact}, 16, "here")
