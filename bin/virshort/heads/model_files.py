"""The files of heads: model.safetensors with their tensors, and model.json with everything else."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from virshort.errors import InputError
from virshort.files import read_json, whole, write_json
from virshort.heads.prediction import Heads
from virshort.heads.records import Model, StartModel

TENSORS, RECORD = "model.safetensors", "model.json"


def folder_of(fold: int, replicate: int) -> Path:
    """Where an arm's folder holds the head of a fold and replicate."""
    return Path(f"fold_{fold}") / f"replicate_{replicate}"


def write_head(folder: Path, weights: Mapping[str, np.ndarray], record: StartModel) -> None:
    """Write a head: its tensors by name, and its record."""
    with whole(folder / TENSORS) as path:
        save_file(dict(weights), path)
    write_json(folder / RECORD, record)


def read_head(folder: Path) -> tuple[dict[str, np.ndarray], StartModel]:
    """The tensors and the record of a head that training starts from."""
    return load_file(folder / TENSORS), read_json(folder / RECORD)


def read_heads(folder: Path, folds: Sequence[int]) -> tuple[list[Heads], Model]:
    """The heads of each replicate of an arm, and the record of the first, which describes their inputs.

    Raises InputError where a replicate lacks the head of a fold."""
    replicates = sorted(int(p.name.removeprefix("replicate_")) for p in (folder / f"fold_{folds[0]}").glob("replicate_*"))
    if not replicates:
        raise InputError(f"{folder.name}: has no models of fold {folds[0]}: resume the run")
    where = [{f: folder / folder_of(f, r) for f in folds} for r in replicates]
    for path in (path for by_fold in where for path in by_fold.values()):
        if not (path / RECORD).exists():
            raise InputError(f"{folder.name}: no model in {path.relative_to(folder)}: resume the run")
    records: list[dict[int, Model]] = [{f: read_json(path / RECORD) for f, path in by_fold.items()} for by_fold in where]
    heads = [
        Heads(
            {f: load_file(path / TENSORS) for f, path in by_fold.items()},
            {f: m["threshold"] for f, m in models.items()},
            {f: m["calibration"] for f, m in models.items()},
        )
        for by_fold, models in zip(where, records, strict=True)
    ]
    return heads, records[0][folds[0]]
