"""VirNucPro's files, in and out: heads (.pth) and merged features (.pt).

A head is a checkpoint {model_state_dict, metadata} or a whole pickled module; merged features are {ids, data, labels},
data = 768 numbers of DNABERT-S and then the protein encoder's. A row's id ends in its frame (F1 ... R3).
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from virshort.errors import InputError
from virshort.files import whole
from virshort.pickles import WholeModule, read

THRESHOLD = 0.5
"""VirNucPro calls a row viral by the larger of its two scores."""
DNA = 768
HIDDEN, CLASSES = 512, 2
CHECKPOINT_VERSION = "2.0.0"  # the version that its readers ask for

_BY_PROTEIN = {320: "ESM-2 8M", 480: "ESM-2 35M", 640: "ESM-2 150M", 1280: "ESM-2 650M", 2560: "ESM-2 3B"}


@dataclass(frozen=True)
class Merged:
    """Rows of merged features. ids: n strings, unique; data: [n, d] float32; labels: [n] int8 (1 = viral), or None."""

    ids: list[str]
    data: np.ndarray
    labels: np.ndarray | None


def head_shapes(inputs: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of the head's tensors."""
    return {
        "hidden_layer.weight": (HIDDEN, inputs),
        "hidden_layer.bias": (HIDDEN,),
        **{f"bn1.{k}": (HIDDEN,) for k in ("weight", "bias", "running_mean", "running_var")},
        "bn1.num_batches_tracked": (),
        "output_layer.weight": (CLASSES, HIDDEN),
        "output_layer.bias": (CLASSES,),
    }


def read_head(path: Path, inputs: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """A head's tensors by name and its metadata (empty for a whole module). inputs: the features' numbers a row.

    Raises InputError where it is no head, or one for other features."""
    value = read(path)
    if isinstance(value, WholeModule):
        tensors, metadata = value.tensors, {}
    elif isinstance(value, dict) and isinstance(value.get("model_state_dict"), dict):
        tensors, metadata = value["model_state_dict"], value.get("metadata") or {}
    else:
        raise InputError(
            f"{path}: neither a checkpoint with model_state_dict nor a whole MLPClassifier: give a head of VirNucPro"
        )
    arrays = {
        str(k): t.detach().numpy() if str(k).endswith("tracked") else t.detach().float().numpy()
        for k, t in tensors.items()
        if isinstance(t, Tensor)
    }
    check_head(arrays, inputs, path)
    return arrays, metadata


def check_head(tensors: Mapping[str, np.ndarray], inputs: int, path: Path) -> None:
    """Raise InputError where the tensors are not those of a head for rows of `inputs` finite numbers."""
    wanted = head_shapes(inputs)
    odd = sorted(wanted.keys() ^ tensors.keys())
    if odd:
        raise InputError(f"{path}: not the tensors of VirNucPro's head ({', '.join(map(str, odd[:3]))} missing or unexpected)")
    weight = tuple(tensors["hidden_layer.weight"].shape)
    if len(weight) == 2 and weight[0] == HIDDEN and weight[1] != inputs:
        raise InputError(
            f"{path}: this head takes {_features(weight[1])}, and these features have "
            f"{_features(inputs)}: choose the encoders it was trained with"
        )
    for name, shape in wanted.items():
        if tuple(tensors[name].shape) != shape:
            raise InputError(f"{path}: {name} is {list(tensors[name].shape)} instead of {list(shape)}")
        if not np.isfinite(tensors[name]).all():
            raise InputError(f"{path}: {name} has numbers that are not finite")
    if (tensors["bn1.running_var"] < 0).any():
        raise InputError(f"{path}: bn1.running_var has negative variances")


def _features(n: int) -> str:
    protein = _BY_PROTEIN.get(n - DNA)
    return f"{n} numbers a row" + (f" ({DNA} of DNABERT-S, {n - DNA} of {protein})" if protein else "")


def write_head(
    path: Path,
    tensors: Mapping[str, np.ndarray],
    protein_model: str,
    metadata: Mapping[str, Any] | None = None,
    as_module: bool = False,
    dna: int = DNA,
) -> None:
    """Write a head as VirNucPro's checkpoint, or (as_module) as the whole pickled module that its first version reads.

    tensors: by name, as in `head_shapes`; protein_model: where its protein features come from (Hugging Face id);
    metadata: further plain values; dna: how many of the inputs are the DNA encoder's, which come first."""
    inputs = tensors["hidden_layer.weight"].shape[1]
    check_head(tensors, inputs, path)
    state = {k: torch.from_numpy(np.array(v)) for k, v in tensors.items()}
    with whole(path) as temporary:
        if as_module:
            _save_module(state, inputs, temporary)
            return
        torch.save(
            {
                "model_state_dict": state,
                "metadata": {
                    "checkpoint_version": CHECKPOINT_VERSION,
                    "model_type": "fastesm650",
                    "huggingface_model_id": protein_model,
                    "dna_dim": dna,
                    "protein_dim": inputs - dna,
                    "merged_dim": inputs,
                    "input_dim": inputs,
                    "hidden_dim": HIDDEN,
                    "num_class": CLASSES,
                    "pytorch_version": str(torch.__version__),
                    **(metadata or {}),
                },
            },
            temporary,
        )


def _save_module(state: dict[str, Tensor], inputs: int, path: Path) -> None:
    """Pickle a module whose class is named as the reading script names its own: `__main__.MLPClassifier`."""
    head = type("MLPClassifier", (nn.Module,), {"__module__": "__main__"})()
    head.input_dim = inputs
    head.hidden_layer = nn.Linear(inputs, HIDDEN)
    head.bn1 = nn.BatchNorm1d(HIDDEN)
    head.output_layer = nn.Linear(HIDDEN, CLASSES)
    head.dropout = nn.Dropout(0.5)
    head.load_state_dict(state)
    main = sys.modules["__main__"]
    before = main.__dict__.get("MLPClassifier")
    main.MLPClassifier = type(head)  # pickle looks the class up where its name says
    try:
        torch.save(head.eval(), path)
    finally:
        if before is None:
            del main.MLPClassifier
        else:
            main.MLPClassifier = before


def read_merged(path: Path, inputs: int | None = None) -> Merged:
    """Merged features. One label in the list stands for the whole file (VirNucPro's form), else there is one a row.

    inputs: numbers a row, if known. Raises InputError naming the first id that is twice there or has a bad number."""
    value = read(path)
    if not isinstance(value, dict) or not {"ids", "data"} <= value.keys() or not isinstance(value["data"], Tensor):
        raise InputError(
            f"{path}: not merged features ({{ids, data[, labels]}}, data [n, d]): make them with "
            "VirNucPro's merge step or with bin/export_virnucpro.py"
        )
    ids, data = [str(i) for i in value["ids"]], value["data"]
    if data.ndim != 2 or len(ids) != len(data):
        raise InputError(f"{path}: {len(ids)} ids, but data is {list(data.shape)}")
    if inputs is not None and data.shape[1] != inputs:
        raise InputError(f"{path}: {_features(data.shape[1])} instead of {_features(inputs)}")
    data = data.detach().float().numpy()
    _check_rows(ids, data, path)
    return Merged(ids, data, _labels(value.get("labels"), len(ids), path))


def _check_rows(ids: Sequence[str], data: np.ndarray, path: Path) -> None:
    twice = _first_twice(ids)
    if twice is not None:
        raise InputError(f"{path}: id {twice} is there twice")
    bad = np.flatnonzero(~np.isfinite(data).all(1))
    if len(bad):
        raise InputError(f"{path}: id {ids[bad[0]]} has numbers that are not finite")


def _first_twice(ids: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for i in ids:
        if i in seen:
            return i
        seen.add(i)
    return None


def _labels(labels: Any, n: int, path: Path) -> np.ndarray | None:
    if labels is None:
        return None
    try:
        values = np.asarray(labels.tolist() if isinstance(labels, Tensor) else labels).reshape(-1)
        wrong = not np.isin(values, (0, 1)).all()
    except (ValueError, TypeError):
        wrong = True
    if wrong or len(values) not in (1, n):
        raise InputError(f"{path}: labels must be one 0 or 1 for the file, or one for each of its {n} rows")
    return np.resize(values.astype(np.int8), n) if n else np.empty(0, np.int8)


def write_merged(path: Path, ids: Sequence[str], data: np.ndarray, label: int | np.ndarray | None = None) -> None:
    """Write merged features. label: one for the whole file (what VirNucPro's training reads), one a row, or none.

    Raises InputError for ids that are there twice and for numbers that are not finite."""
    if len(ids) != len(data):
        raise InputError(f"{path}: {len(ids)} ids, but {len(data)} rows")
    _check_rows(ids, data, path)
    value: dict[str, Any] = {"ids": list(ids), "data": torch.from_numpy(np.ascontiguousarray(data, np.float32))}
    if isinstance(label, np.ndarray):
        value["labels"] = torch.from_numpy(label.astype(np.int64))
    elif label is not None:
        value["labels"] = [int(label)]
    with whole(path) as temporary:
        torch.save(value, temporary)


def read_part(path: Path) -> tuple[list[str], np.ndarray]:
    """Ids and rows [n, d] float32 of one modality's file: {nucleotide | proteins: ids, data: rows}."""
    value = read(path)
    key = next((k for k in ("nucleotide", "proteins") if isinstance(value, dict) and k in value), None)
    if key is None or "data" not in value or len(value[key]) != len(value["data"]):
        raise InputError(f"{path}: not VirNucPro's features of one modality ({{nucleotide | proteins, data}})")
    rows = [r["mean_representation"] if isinstance(r, dict) else r for r in value["data"]]
    ids = [str(i) for i in value[key]]
    data = np.stack([np.asarray(r, np.float32) for r in rows]) if rows else np.empty((0, 0), np.float32)
    _check_rows(ids, data, path)
    return ids, data


def merge(dna: Path, protein: Path) -> Merged:
    """Join the two modalities' files by id, in the dna file's order. Raises InputError naming an id that one lacks."""
    ids, left = read_part(dna)
    others, right = read_part(protein)
    at = {i: row for row, i in enumerate(others)}
    lone = next((i for i in ids if i not in at), None) or next((i for i in others if i not in set(ids)), None)
    if lone is not None:
        raise InputError(f"{dna}, {protein}: id {lone} is in one of them only")
    return Merged(ids, np.concatenate([left, right[[at[i] for i in ids]]], 1), None)


def calls_by_contig(ids: Sequence[str], scores: np.ndarray) -> dict[str, bool]:
    """VirNucPro's call of each contig, in order of appearance: the largest viral score of its frames' rows is at least
    their largest other score.

    ids: contig and, as their last two letters, frame; scores: [n, 2], the viral score second."""
    best: dict[str, np.ndarray] = {}
    for name, score in zip((i[:-2] for i in ids), scores, strict=True):
        best[name] = np.maximum(best.get(name, score), score)
    return {name: bool(b[1] >= b[0]) for name, b in best.items()}
