"""A language model ready for use: weights, tokens, precision and batches put together."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from virshort.encoders import dnabert_s, esm2
from virshort.encoders.batching import Batcher, Tokenize
from virshort.encoders.catalogue import Encoder
from virshort.encoders.packed_linear import pack
from virshort.encoders.precision import PRECISIONS, choose_device, choose_precision, exact_fp32
from virshort.encoders.progress import Log, Progress
from virshort.encoders.published import published
from virshort.encoders.tokens import Bases, Residues
from virshort.encoders.weights import open_weights
from virshort.errors import InputError

BUDGET = {"cpu": 1024, "cuda": 65536}
"""Tokens a batch. On the CPU activations then stay in the cache; a GPU needs that many to be busy."""


@dataclass(frozen=True, kw_only=True)
class LanguageModel(Encoder):
    """An encoder whose `hidden` gives the last hidden state [n, tokens, dim] of ids [n, tokens]."""

    hidden: Callable[[Tensor], Tensor]


class _Parts(NamedTuple):
    """What differs from one kind of model to the other. model: ids to hidden states."""

    model: nn.Module
    pooled: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]
    tokenize: Tokenize
    pooling: str


def _dnabert_s(folder: Path, dtype: torch.dtype, device: torch.device) -> _Parts:
    return _Parts(
        dnabert_s.load(folder, dtype, device),
        dnabert_s.pooled,
        Bases(folder / "tokenizer.json"),
        "mean over tokens with [CLS] and [SEP]",
    )


def _esm2(folder: Path, dtype: torch.dtype, device: torch.device) -> _Parts:
    return _Parts(esm2.load(folder, dtype, device), esm2.pooled, Residues(folder / "vocab.txt"), "mean over residues")


def load_language_model(
    name: str,
    folder: Path,
    precision: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    budget: int | None = None,
    log: Log = print,
    progress: Progress | None = None,
) -> LanguageModel:
    """The encoder of that name from the weights in `folder/<name>` (as bin/fetch_weights.py leaves them).

    precision: auto, fp32, bf16, fp16; device: auto, cpu, cuda; threads: of the CPU, as many as it has cores if None;
    budget: tokens a batch. Raises InputError for weights that are missing, damaged, another model's, or too large for
    the GPU."""
    if threads:
        torch.set_num_threads(threads)
        os.environ["RAYON_NUM_THREADS"] = str(threads)  # the tokenizer's
    began = time.monotonic()
    weights, where = open_weights(folder, name), choose_device(device)
    dtype = choose_precision(precision, where)
    if dtype == torch.float32:
        exact_fp32()
    modality = published(name).modality
    try:
        part = (_dnabert_s if modality == "dna" else _esm2)(weights.folder, dtype, where)
    except torch.OutOfMemoryError as e:
        raise InputError(
            f"{name}: its weights alone do not fit into the memory of {where}: use a larger GPU, a smaller "
            "model or --device cpu"
        ) from e
    if where.type == "cpu" and dtype == torch.bfloat16:
        pack(part.model)
    dim = part.model.config.width
    embed = Batcher(part.tokenize, partial(part.pooled, part.model), dim, budget or BUDGET[where.type], where, log, progress)
    named = next(n for n, d in PRECISIONS.items() if d == dtype)
    log(f"{name}: revision {weights.revision}, {named} on {where}, loaded in {time.monotonic() - began:.1f} s")
    return LanguageModel(name, modality, dim, weights.digest, part.pooling, embed, named, where.type, hidden=part.model)
