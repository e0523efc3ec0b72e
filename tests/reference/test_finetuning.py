"""A small language model that learns, with adapters, what its frozen embeddings do not show, and what is kept of it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from make_random_models import TOKENIZER, make
from shipped_rows import ROWS
from virshort.encoders import dnabert_s, esm2
from virshort.encoders.checksums import LOCAL
from virshort.encoders.encoder import LoadSettings
from virshort.encoders.fetching import fetch
from virshort.encoders.language_model import load_language_model
from virshort.errors import InputError
from virshort.finetuning.files import apply, load_fine_tuned, read_finetuned, write_finetuned
from virshort.finetuning.low_rank import LowRank, adapter_tensors, attach, linear_layers, merge
from virshort.finetuning.scoring import column_of, in_order, scored
from virshort.finetuning.training import batches, fine_tune, tokenized
from virshort.fold_roles import validated_by
from virshort.heads.scoring import log_odds
from virshort.heads.training import LabelledWindows, Settings, train

pytestmark = pytest.mark.skipif(not TOKENIZER.exists(), reason="the DNABERT-S tokenizer is not here")

CPU = torch.device("cpu")
MODULES = {"dnabert-s": dnabert_s, "esm2-8m": esm2}
HOW = {
    "encoder": "dnabert-s",
    "modality": "dna",
    "adapters": "lora",
    "rank": 8,
    "alpha": 16.0,
    "targets": [],
    "batch_tokens": 2000,
    "gradient_checkpointing": False,
}
SETTINGS = Settings(
    epochs=6,
    learning_rate=0.02,
    batch_size=64,
    dropout=0.0,
    patience=6,
    frozen=False,
    seed=1,
    fold=0,
    replicate=0,
    hidden=(32,),
    one_cycle=True,
)
MOTIFS = ("GATTACAGATTA", "TAATCTGTAATC")
"""In nonviral and in viral windows: each the reverse complement of the other."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A folder with fetched weights of small random models."""
    raw, out = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("weights")
    for encoder, width in (("dnabert-s", 24), ("esm2-8m", 40)):
        make(raw, encoder, width, 1)
        fetch(ROWS[encoder], out, raw, LOCAL, log=lambda _: None)
    return out


def load(weights, encoder="dnabert-s"):
    return MODULES[encoder].parts_loader(encoder, LoadSettings())(weights / encoder, torch.float32, CPU)


def planted(n: int, seed: int) -> tuple[list[bytes], np.ndarray]:
    """Windows of 130 random bases with the motif of their label somewhere."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n).astype(np.int8)
    windows = rng.choice(np.frombuffer(b"ACGT", np.uint8), (n, 130))
    for row, y, at in zip(windows, label, rng.integers(0, 119, n), strict=True):
        row[at : at + 12] = np.frombuffer(MOTIFS[y].encode(), np.uint8)
    return [row.tobytes() for row in windows], label


def run(weights, windows, settings=SETTINGS, how=HOW, **more):
    """A fine-tuned model of one thread, from training and validation windows."""
    parts = load(weights)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        sets = [tokenized(parts, *of) for of in windows]
        return fine_tune(parts, *sets, settings, how, CPU, log=lambda _: None, **more)
    finally:
        torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def windows():
    return planted(1000, 1), planted(400, 2)


@pytest.fixture(scope="module")
def trained(weights, windows):
    return run(weights, windows)


def few(windows, n=64):
    return [(sequences[:n], label[:n]) for sequences, label in windows]


def same(one, two):
    return one.history == two.history and all(
        torch.equal(a[name], b[name]) for a, b in ((one.encoder, two.encoder), (one.head, two.head)) for name in a
    )


def record_of(how=HOW, fold=0, replicate=0, done=None):
    return {
        "arm": "lora",
        "how": how,
        "weights": "w",
        "fold": fold,
        "replicate": replicate,
        "history": done.history if done else [],
        "best_epoch": done.best_epoch if done else 1,
    }


def test_adapters_learn_what_frozen_embeddings_do_not_show(weights, windows, trained):
    parts = load(weights)
    frozen = []
    for sequences, label in windows:
        with torch.no_grad():
            rows = [parts.pooled(parts.model, torch.from_numpy(ids)[None]) for ids in parts.tokenize(sequences)]
        vectors = torch.cat(rows).numpy()
        frozen.append(LabelledWindows(lambda r, x=vectors: x[r], np.arange(len(label)), label))
    alone = train(*frozen, parts.dim, replace(SETTINGS, learning_rate=1e-3, epochs=20, one_cycle=False))
    assert alone.validation["accuracy"] < 0.75
    assert trained.history[trained.best_epoch - 1]["validation"]["accuracy"] > 0.95
    assert trained.trained_parameters < 0.5 * sum(p.numel() for p in parts.model.parameters())


def test_training_again_and_training_interrupted_give_the_same(weights, windows, tmp_path):
    given, settings = few(windows), replace(SETTINGS, epochs=3, dropout=0.1, one_cycle=False)
    whole = run(weights, given, settings)
    assert same(whole, run(weights, given, settings))
    assert not same(whole, run(weights, given, replace(settings, replicate=1)))
    checkpoint = tmp_path / "x.pt"
    run(weights, given, replace(settings, epochs=2), checkpoint=checkpoint)
    assert same(whole, run(weights, given, settings, checkpoint=checkpoint))
    assert same(whole, run(weights, given, settings, checkpoint=checkpoint)), "all epochs are done already"


def test_activations_that_are_computed_twice_give_the_same(weights, windows):
    given, settings = few(windows), replace(SETTINGS, epochs=2)
    once = run(weights, given, settings)
    twice = run(weights, given, settings, HOW | {"gradient_checkpointing": True})
    assert same(once, twice)


@pytest.mark.parametrize("adapters", ["lora", "none"])
def test_what_is_kept_gives_the_validation_loss_again(weights, windows, tmp_path, adapters):
    """Without adapters all weights are trained. In both cases the encoder is loaded as a plain one, and its head applied."""
    how, given = HOW | {"adapters": adapters}, few(windows, 100)
    done = run(weights, given, replace(SETTINGS, epochs=2, learning_rate=0.005), how)
    write_finetuned(tmp_path / "m", done, record_of(how, done=done))
    model = read_finetuned(tmp_path / "m")
    settings = LoadSettings(weights, "fp32", "cpu", log=lambda _: None)
    load_parts = load_fine_tuned(dnabert_s.parts_loader("dnabert-s", settings), model)
    encoder = load_language_model("dnabert-s", "dna", settings, load_parts)
    (sequences, label) = given[1]
    odds = log_odds(model.head, encoder.embed(sequences))
    loss = np.logaddexp(0, np.where(label == 1, -odds, odds)).mean()
    assert loss == pytest.approx(done.history[done.best_epoch - 1]["validation"]["loss"], abs=1e-5)
    if adapters == "none":
        parts = load(weights)
        assert set(done.encoder) == {name for name, _ in parts.model.named_parameters()}


@pytest.mark.parametrize("encoder", MODULES)
def test_adapters_in_the_weights_are_adapters_beside_them(weights, encoder):
    """In every linear layer of both ports, those that compute gelu included."""
    ids = torch.from_numpy(np.random.default_rng(0).integers(4, 20, (3, 9)))
    parts, plain = load(weights, encoder), load(weights, encoder)
    attach(parts.model, [], 4, 8.0)
    with torch.no_grad():
        assert torch.equal(parts.model(ids), plain.model(ids)), "new adapters change nothing"
        for module in parts.model.modules():
            if isinstance(module, LowRank):
                module.lora_B.normal_(std=0.3)
        found = adapter_tensors(parts.model)
        assert {name.rpartition(".")[0] for name in found} == set(linear_layers(plain.model, []))
        merge(plain.model, found, 2.0)
        changed = parts.model(ids)
        torch.testing.assert_close(plain.model(ids), changed, rtol=0, atol=1e-5)
        assert (changed - load(weights, encoder).model(ids)).abs().max() > 0.01
    parts.model(ids).sum().backward()
    of_adapters = [p for name, p in parts.model.named_parameters() if "lora_" in name]
    assert len(of_adapters) == len(found) and all(p.grad is not None and p.grad.abs().max() > 0 for p in of_adapters)
    assert all(p.grad is None for name, p in parts.model.named_parameters() if "lora_" not in name)


def test_a_target_that_no_layer_has_is_named(weights):
    with pytest.raises(InputError, match="targets: this encoder has no linear layer qvk: did you mean qkv"):
        attach(load(weights).model, ["qvk"], 8, 16)


def test_adapters_have_the_layout_of_peft(trained, tmp_path):
    write_finetuned(tmp_path, trained, record_of(done=trained))
    tensors = load_file(tmp_path / "adapter_model.safetensors")
    assert {k: tuple(v.shape) for k, v in tensors.items() if ".qkv." in k} == {
        "base_model.model.layers.0.qkv.lora_A.weight": (8, 24),
        "base_model.model.layers.0.qkv.lora_B.weight": (72, 8),
    }
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (config["peft_type"], config["r"], config["lora_alpha"]) == ("LORA", 8, 16.0)
    assert config["target_modules"] == ["attention_out", "gate", "mlp_out", "qkv", "up"]


def test_peft_alone_loads_the_adapters(weights, trained, tmp_path):
    peft = pytest.importorskip("peft")
    write_finetuned(tmp_path, trained, record_of(done=trained))
    ids = torch.from_numpy(np.random.default_rng(0).integers(4, 4000, (3, 9)))
    ours = load(weights)
    apply(ours.model, read_finetuned(tmp_path))
    theirs = peft.PeftModel.from_pretrained(load(weights).model, str(tmp_path)).merge_and_unload()
    with torch.no_grad():
        torch.testing.assert_close(theirs(ids), ours.model(ids), rtol=0, atol=1e-5)


def test_a_step_has_about_its_tokens_and_never_one_window(weights, windows):
    data = tokenized(load(weights), *few(windows, 51)[0])
    order = np.random.default_rng(0).permutation(51)
    for tokens in (2, 100, 500, 10**6):
        parts = list(batches(order, data, tokens))
        assert np.array_equal(np.concatenate(parts), order) and min(map(len, parts)) >= 2
    assert len(parts) == 1 and len(list(batches(order, data, 500))) == -(-sum(map(len, data.ids)) // 500)


def test_a_window_without_tokens_has_zeros_as_in_embeddings(weights):
    parts = load(weights, "esm2-8m")
    residues = [b"", *[b"MKV" * k for k in range(1, 12)], b""] * 4
    label = np.arange(len(residues)).astype(np.int8) % 2
    data = tokenized(parts, residues, label)
    done = fine_tune(parts, data, data, replace(SETTINGS, epochs=1), HOW | {"targets": ["qkv"]}, CPU, log=lambda _: None)
    assert np.isfinite(done.history[0]["validation"]["loss"])


def test_every_window_is_scored_by_the_splits_that_need_it_and_by_no_other():
    fold = np.arange(20) % 5
    for test_fold in range(5):
        assert set(fold[scored(fold, test_fold, 5, True)]) == {test_fold, (test_fold + 1) % 5}
        assert np.array_equal(scored(fold, test_fold, 5, False), np.flatnonzero(validated_by(fold, 5, [test_fold]) >= 0))


def test_columns_are_in_the_order_of_folds_and_replicates(trained, tmp_path):
    for fold, replicate in ((2, 0), (0, 1), (10, 0), (0, 0)):
        write_finetuned(tmp_path / f"{fold}_{replicate}", trained, record_of(fold=fold, replicate=replicate))
    models = [read_finetuned(path) for path in sorted(tmp_path.iterdir())]
    assert [column_of(m) for m in in_order(models)] == [(0, 0), (0, 1), (2, 0), (10, 0)]
    with pytest.raises(InputError, match="give each model of one arm once"):
        in_order([*models, models[0]])
