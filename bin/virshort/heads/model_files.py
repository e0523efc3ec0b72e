"""The files of heads: model.safetensors with their tensors, and model.json with everything else."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from virshort.files import read_json, whole, write_json
from virshort.heads.model_record import Model, StartModel

TENSORS, RECORD = "model.safetensors", "model.json"


def folder_of(fold: int, replicate: int) -> Path:
    """Where an arm's folder holds the head of a fold and replicate."""
    return Path(f"fold_{fold}") / f"replicate_{replicate}"


def write_head(folder: Path, weights: Mapping[str, np.ndarray], record: StartModel) -> None:
    """Write a head: its tensors by name, and its record."""
    with whole(folder / TENSORS) as path:
        save_file(dict(weights), path)
    write_json(folder / RECORD, record)


def read_model(folder: Path) -> tuple[dict[str, np.ndarray], Model]:
    """The tensors and the record of a model of this run."""
    return load_file(folder / TENSORS), read_json(folder / RECORD)


def read_head(folder: Path) -> tuple[dict[str, np.ndarray], StartModel]:
    """The tensors and the record of a head that training starts from."""
    return load_file(folder / TENSORS), read_json(folder / RECORD)
