"""A language model ready for use: weights, tokens, precision and batches put together."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from virshort import dnabert_s, esm2
from virshort.batching import Batcher, Log, Progress
from virshort.packing import pack
from virshort.precision import PRECISIONS, choose_device, choose_precision, exact_fp32
from virshort.tokens import Bases, Residues
from virshort.weights import open_weights, published

BUDGET = {"cpu": 1024, "cuda": 65536}
"""Tokens a batch. On the CPU activations then stay in the cache; a GPU needs that many to be busy."""


@dataclass(frozen=True)
class LanguageModel:
    """An encoder: `embed` takes n sequences (bases, or residues for protein) and gives [n, dim] float32 in their order.

    weights: digest of the published files; pooling: what a row is the mean of; hidden: ids [n, tokens] to the last
    hidden state [n, tokens, dim]."""

    name: str
    modality: str
    dim: int
    weights: str
    pooling: str
    precision: str
    device: str
    embed: Batcher
    hidden: Callable[[Tensor], Tensor]


def load_language_model(name: str, folder: Path, precision: str = "auto", device: str = "auto",
                        budget: int | None = None, log: Log = print, progress: Progress | None = None) -> LanguageModel:
    """The encoder of that name from the weights in `folder/<name>` (as bin/fetch_weights.py leaves them).

    precision: auto, fp32, bf16, fp16; device: auto, cpu, cuda; budget: tokens a batch. Raises InputError for weights
    that are missing, damaged or another model's."""
    weights, where = open_weights(folder, name), choose_device(device)
    dtype = choose_precision(precision, where)
    if dtype == torch.float32:
        exact_fp32()
    if published(name).modality == "dna":
        model = hidden = dnabert_s.load(weights.folder, dtype, where)
        tokenize, pooled = Bases(weights.folder / "tokenizer.json"), dnabert_s.pooled
        dim, pooling = model.config.width, "mean over tokens with [CLS] and [SEP]"
    else:
        model = esm2.load(weights.folder, dtype, where)
        tokenize, pooled, hidden = Residues(weights.folder / "vocab.txt"), esm2.pooled, partial(esm2.hidden, model)
        dim, pooling = model.config.hidden_size, "mean over residues"
    if where.type == "cpu" and dtype == torch.bfloat16:
        pack(model)
    embed = Batcher(tokenize, partial(pooled, hidden), dim, budget or BUDGET[where.type], where, log, progress)
    named = next(n for n, d in PRECISIONS.items() if d == dtype)
    return LanguageModel(name, published(name).modality, dim, weights.digest, pooling, named, where.type, embed, hidden)
