#!/usr/bin/env python3
"""Make small models with random weights in the published layout, for tests and demonstrations without real weights.

Give the folder as --weights, with --weights_revision local: `make_random_models.py OUT dnabert-s esm2-8m`.
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bin"))
from virshort.encoders import dnabert_s, esm2
from virshort.encoders.rows import read_rows
from virshort.encoders.tensor_shapes import Shapes

SHARED = Path(os.environ.get("VIRSHORT_SHARED", Path(__file__).resolve().parents[3] / "shared"))
TOKENIZER = SHARED / "golden/dnabert_tokenizer/tokenizer.json"
"""DNABERT-S's published tokenizer, a small file."""
HEADS = {"dnabert-s": 12, "esm2-8m": 20, "esm2-35m": 20, "esm2-150m": 20, "esm2-650m": 20, "esm2-3b": 40, "fastesm2-650": 20}
LAYERS = {"dnabert-s": 12, "esm2-8m": 6, "esm2-35m": 12, "esm2-150m": 30, "esm2-650m": 33, "esm2-3b": 36, "fastesm2-650": 33}
ESM_VOCABULARY = ["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO", ".", "-", "<null_1>", "<mask>"]


def random_tensors(shapes: Shapes, rng: np.random.Generator) -> dict[str, torch.Tensor]:
    """Weights scaled by the number of inputs, since widths differ: attention is then neither flat nor a single peak."""
    tensors = {}
    for name, shape in shapes.items():
        r = rng.standard_normal(shape, dtype=np.float32)
        norm = name.lower().endswith(("layernorm.weight", "norm_after.weight"))
        scale = 0.1 if norm or name.endswith(".bias") else 0.5 if "embeddings" in name else 1 / np.sqrt(shape[-1])
        tensors[name] = torch.from_numpy(norm + np.float32(scale) * r)
    return tensors


def make_dnabert_s(folder: Path, width: int, layers: int, rng: np.random.Generator) -> None:
    """config.json, tokenizer.json and pytorch_model.bin, as published."""
    config = dnabert_s.Config(width=width, layers=layers, intermediate=4 * width)
    torch.save(random_tensors(dnabert_s.published_shapes(config), rng), folder / "pytorch_model.bin")
    shutil.copyfile(TOKENIZER, folder / "tokenizer.json")
    about = {
        "architectures": ["BertForMaskedLM"],
        "model_type": "bert",
        "vocab_size": config.vocabulary,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": config.heads,
        "intermediate_size": config.intermediate,
        "type_vocab_size": config.token_types,
        "layer_norm_eps": config.epsilon,
        "alibi_starting_size": 512,
    }
    (folder / "config.json").write_text(json.dumps(about, indent=1))


def make_esm2(folder: Path, width: int, layers: int, heads: int, rng: np.random.Generator) -> None:
    """config.json, vocab.txt and model.safetensors, as published, with some of the published tensors that are not used."""
    config = esm2.Config(width=width, layers=layers, heads=heads, intermediate=4 * width)
    unused: Shapes = {
        "lm_head.dense.weight": (width, width),
        "lm_head.bias": (config.vocabulary,),
        "esm.contact_head.regression.weight": (1, layers * heads),
        "esm.embeddings.position_embeddings.weight": (1026, width),
    }
    shapes = {f"esm.{name}": shape for name, shape in esm2.published_shapes(config).items()}
    save_file(random_tensors(shapes | unused, rng), folder / "model.safetensors", {"format": "pt"})
    (folder / "vocab.txt").write_text("\n".join(ESM_VOCABULARY))
    about = {
        "architectures": ["EsmForMaskedLM"],
        "model_type": "esm",
        "vocab_size": config.vocabulary,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": config.intermediate,
        "max_position_embeddings": 1026,
        "position_embedding_type": "rotary",
        "token_dropout": True,
        "mask_token_id": 32,
        "pad_token_id": 1,
        "emb_layer_norm_before": False,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "layer_norm_eps": config.epsilon,
    }
    (folder / "config.json").write_text(json.dumps(about, indent=1))


def make(out: Path, encoder: str, width: int | None, layers: int | None, seed: int = 1) -> Path:
    """A random model in `out/<encoder>`. width: a multiple of twice the number of heads; that of the real model if None."""
    folder = out / encoder
    folder.mkdir(parents=True, exist_ok=True)
    width, layers = width or read_rows()[encoder].dim, layers or LAYERS[encoder]
    rng = np.random.default_rng(seed)
    if encoder == "dnabert-s":
        make_dnabert_s(folder, width, layers, rng)
    else:
        make_esm2(folder, width, layers, HEADS[encoder], rng)
    return folder


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("out", type=Path)
    p.add_argument("encoders", nargs="+", choices=list(LAYERS))
    p.add_argument("--width", type=int, help="default: that of the real model")
    p.add_argument("--layers", type=int, default=2, help="0: as many as the real model has (default: %(default)s)")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    for encoder in a.encoders:
        folder = make(a.out, encoder, a.width, a.layers or None, a.seed)
        print(f"{folder}: {sum(f.stat().st_size for f in folder.iterdir()) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
