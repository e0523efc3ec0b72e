"""A fine-tuned encoder and its head on disk: safetensors, adapters in the layout of the library peft, and a record.

peft reads adapters with `PeftModel.from_pretrained(model, folder)`, where `model` is this project's port of the encoder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file, save
from torch import Tensor, nn

from virshort.arm_record import Finetuning
from virshort.encoders.encoder import LoadSettings
from virshort.encoders.language_model import LanguageModel, LoadParts, Parts, load_language_model
from virshort.errors import InputError
from virshort.files import content_digest, digest, read_json, whole, write_json
from virshort.finetuning.low_rank import merge
from virshort.heads.finetuned import ADAPTER_CONFIG, ADAPTERS, ENCODER, HEAD, RECORD
from virshort.heads.model_record import Epoch, Provenance

_PREFIX = "base_model.model."
"""Begins the names of tensors in peft's files."""


class FinetunedRecord(TypedDict):
    """finetuned.json. weights: the digest of the published weights that training began with; fold: the one that its split
    tests; history: the epochs of training."""

    arm: str
    how: Finetuning
    weights: str
    fold: int
    replicate: int
    training_windows: int
    validation_windows: int
    trained_parameters: int
    best_epoch: int
    history: list[Epoch]
    hyperparameters: dict[str, int | float | str]
    precision: str
    device: str
    provenance: Provenance


@dataclass(frozen=True)
class FineTuned:
    """An encoder and its head after their best epoch. encoder: the tensors that were trained, by their names in the model,
    adapters or all; head: all of its tensors; trained_parameters: how many numbers were trained, in both."""

    encoder: dict[str, Tensor]
    head: dict[str, Tensor]
    history: list[Epoch]
    best_epoch: int
    trained_parameters: int


@dataclass(frozen=True)
class FinetunedModel:
    """A model of one split and replicate, as read. digest: of its tensors."""

    folder: Path
    record: FinetunedRecord
    head: Mapping[str, np.ndarray]
    digest: str


def write_finetuned(folder: Path, model: FineTuned, record: FinetunedRecord) -> None:
    """Write a fine-tuned model, its record last."""
    how = record["how"]
    if how["adapters"] == "lora":
        # peft's own class of this record has more keys, all with defaults
        write_json(
            folder / ADAPTER_CONFIG,
            {
                "peft_type": "LORA",
                "task_type": None,
                "base_model_name_or_path": how["encoder"],
                "r": how["rank"],
                "lora_alpha": how["alpha"],
                "lora_dropout": 0.0,
                "bias": "none",
                "fan_in_fan_out": False,
                "inference_mode": True,
                "target_modules": sorted({name.split(".")[-2] for name in model.encoder}),
            },
        )
        _write(folder / ADAPTERS, {f"{_PREFIX}{name}.weight": tensor for name, tensor in model.encoder.items()})
    else:
        _write(folder / ENCODER, model.encoder)
    _write(folder / HEAD, model.head)
    write_json(folder / RECORD, record)


def _write(path: Path, tensors: Mapping[str, Tensor]) -> None:
    with whole(path) as temporary:
        temporary.write_bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}))


def read_finetuned(folder: Path) -> FinetunedModel:
    """The record and the head of a fine-tuned model."""
    files = sorted(path for path in folder.glob("*.safetensors"))
    record: FinetunedRecord = read_json(folder / RECORD)
    return FinetunedModel(folder, record, load_arrays(folder / HEAD), digest(*map(content_digest, files)))


def fine_tuned_encoder(model: FinetunedModel, module: str, settings: LoadSettings) -> LanguageModel:
    """The encoder with what it has learned. module: the library module that loads its language model. Raises InputError where
    its weights are not those that training began with."""
    how = model.record["how"]
    load_parts = load_fine_tuned(import_module(module).parts_loader(how["encoder"], settings), model)
    encoder = load_language_model(how["encoder"], how["modality"], settings, load_parts)
    if encoder.weights != model.record["weights"]:
        raise InputError(
            f"{how['encoder']}: its weights here ({encoder.weights}) are not those that training began with "
            f"({model.record['weights']}): give those weights"
        )
    return encoder


def load_fine_tuned(load_parts: LoadParts, model: FinetunedModel) -> LoadParts:
    """What loads the parts of the encoder with what it has learned. Adapters are added to the weights in fp32, before these are
    rounded."""

    def load(weights: Path, dtype: torch.dtype, device: torch.device) -> Parts:
        parts = load_parts(weights, torch.float32, device)
        apply(parts.model, model)
        parts.model.to(dtype)
        return parts

    return load


def apply(encoder: nn.Module, model: FinetunedModel) -> None:
    """Change the weights of an encoder, in fp32, to those of a fine-tuned model, in place."""
    how = model.record["how"]
    if how["adapters"] == "lora":
        found = load_file(model.folder / ADAPTERS)
        tensors = {name.removeprefix(_PREFIX).removesuffix(".weight"): tensor for name, tensor in found.items()}
        merge(encoder, tensors, how["alpha"] / how["rank"])
    else:
        # Not strict: the file holds weights that a model shares between layers once.
        encoder.load_state_dict(load_file(model.folder / ENCODER), strict=False)
