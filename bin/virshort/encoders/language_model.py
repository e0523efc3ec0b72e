"""What the language models share: a folder of weights becomes an encoder with its precision, device and batches."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from virshort.encoders.batching import Batcher, Tokenize
from virshort.encoders.encoder import Encoder, LoadSettings
from virshort.encoders.packed_linear import pack
from virshort.encoders.precision import PRECISIONS, choose_device, choose_precision, exact_fp32
from virshort.encoders.weights import open_weights
from virshort.errors import InputError
from virshort.modalities import UNTRANSLATED

BUDGET = {"cpu": 1024, "cuda": 65536}
"""Tokens in a batch. On a CPU the activations of that many stay in the cache; a GPU needs that many to be busy."""


@dataclass(frozen=True, kw_only=True)
class LanguageModel(Encoder):
    """An encoder whose `hidden` returns the last hidden state [n, tokens, dim] of ids [n, tokens]."""

    hidden: Callable[[Tensor], Tensor]


class Parts(NamedTuple):
    """What differs between the kinds of models. model: ids to hidden states of `dim` numbers; pooled: a model and its ids to
    vectors; tokenize: sequences to ids; pooling: how `pooled` does it, in words; packable: whether its linear layers may be
    replaced by packed ones."""

    model: nn.Module
    dim: int
    pooled: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]
    tokenize: Tokenize
    pooling: str
    packable: bool = True


LoadParts = Callable[[Path, torch.dtype, torch.device], Parts]
"""Loads the parts of a model from its folder of weights."""


def load_language_model(name: str, modality: str, settings: LoadSettings, load_parts: LoadParts) -> LanguageModel:
    """The encoder of that name from the weights in `settings.weights/<model>`, as bin/fetch_weights.py leaves them.

    Raises InputError for weights that are missing, damaged, of another model, or too large for the GPU."""
    if settings.weights is None:
        raise InputError(f"{name}: needs its weights: name the folder that holds them with --weights")
    if settings.threads:
        torch.set_num_threads(settings.threads)
        os.environ["RAYON_NUM_THREADS"] = str(settings.threads)  # of the tokenizer
    began = time.monotonic()
    weights, device = open_weights(settings.weights, name.removesuffix(UNTRANSLATED)), choose_device(settings.device)
    asked = settings.reading.precision if settings.reading and settings.precision == "auto" else settings.precision
    dtype = choose_precision(asked, device)
    if dtype == torch.float32:
        exact_fp32()
    try:
        parts = load_parts(weights.folder, dtype, device)
    except torch.OutOfMemoryError as e:
        raise InputError(
            f"{name}: its weights alone do not fit into the memory of {device}: use a larger GPU, a smaller "
            "model or --device cpu"
        ) from e
    if parts.packable and device.type == "cpu" and dtype == torch.bfloat16:
        pack(parts.model)
    forward = partial(parts.pooled, parts.model)
    budget = settings.budget or BUDGET[device.type]
    embed = Batcher(parts.tokenize, forward, parts.dim, budget, device, settings.log, settings.progress)
    precision = next(name for name, known in PRECISIONS.items() if known == dtype)
    seconds = time.monotonic() - began
    settings.log(f"{weights.encoder}: revision {weights.revision}, {precision} on {device}, loaded in {seconds:.1f} s")
    return LanguageModel(
        name, modality, parts.dim, weights.digest, parts.pooling, embed, precision, device.type, hidden=parts.model
    )
