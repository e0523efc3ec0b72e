"""The files of models: model.safetensors with their tensors, model.json with everything else, ensemble.json for each split."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from virshort.files import read_json, whole, write_json
from virshort.heads.model_record import Model, StartModel

TENSORS, RECORD, ENSEMBLE = "model.safetensors", "model.json", "ensemble.json"


def ensemble_of(fold: int) -> Path:
    """Where an arm's folder says how to judge by the mean of the replicates of a fold, if it has several."""
    return Path(f"fold_{fold}") / ENSEMBLE


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
