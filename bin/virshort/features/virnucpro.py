"""VirNucPro's files, read and written: heads (.pth) and merged features (.pt).

A head is a checkpoint {model_state_dict, metadata} or a whole pickled module. Merged features are {ids, data, labels}, where a
row of data is 768 numbers of DNABERT-S followed by those of the protein encoder. The id of a row ends in its frame (F1 ... R3).
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
"""Numbers of DNABERT-S, which come first in a row."""
HIDDEN, CLASSES = 512, 2
CHECKPOINT_VERSION = "2.0.0"  # the version that its readers ask for

_BY_PROTEIN = {320: "ESM-2 8M", 480: "ESM-2 35M", 640: "ESM-2 150M", 1280: "ESM-2 650M", 2560: "ESM-2 3B"}


@dataclass(frozen=True)
class Merged:
    """Rows of merged features. ids: n unique strings; data: [n, d] float32; labels: [n] int8 (1 = viral), or None."""

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
    """The tensors of a head by name, and its metadata (empty for a whole module). inputs: numbers in a row of the features.

    Raises InputError if the file is not a head, or a head for other features."""
    value = read(path)
    metadata: dict[str, Any] = {}
    if isinstance(value, WholeModule):
        tensors = value.tensors
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
    """Raise InputError if the tensors are not those of a head for rows of `inputs` numbers, or are not finite."""
    wanted = head_shapes(inputs)
    odd = sorted(wanted.keys() ^ tensors.keys())
    if odd:
        raise InputError(f"{path}: not the tensors of VirNucPro's head ({', '.join(map(str, odd[:3]))} missing or unexpected)")
    weight = tuple(tensors["hidden_layer.weight"].shape)
    if len(weight) == 2 and weight[0] == HIDDEN and weight[1] != inputs:
        raise InputError(
            f"{path}: this head takes {_features(weight[1])}, but these features have "
            f"{_features(inputs)}: choose the encoders with which it was trained"
        )
    for name, shape in wanted.items():
        if tuple(tensors[name].shape) != shape:
            raise InputError(
                f"{path}: {name} has the shape {list(tensors[name].shape)} instead of {list(shape)}: give a whole head"
            )
        if not np.isfinite(tensors[name]).all():
            raise InputError(f"{path}: {name} has numbers that are not finite: train the head again")
    if (tensors["bn1.running_var"] < 0).any():
        raise InputError(f"{path}: bn1.running_var has negative variances: train the head again")


def _features(n: int) -> str:
    protein = _BY_PROTEIN.get(n - DNA)
    return f"{n} numbers per row" + (f" ({DNA} of DNABERT-S, {n - DNA} of {protein})" if protein else "")


def write_head(
    path: Path,
    tensors: Mapping[str, np.ndarray],
    protein_model: str,
    metadata: Mapping[str, Any] | None = None,
    as_module: bool = False,
    dna: int = DNA,
) -> None:
    """Write a head as VirNucPro's checkpoint or, with `as_module`, as the whole pickled module that its first version reads.

    tensors: by name, as in `head_shapes`; protein_model: Hugging Face id of the model that computes its protein features;
    metadata: further plain values; dna: how many of the inputs come from the DNA encoder, whose inputs are first."""
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
    """Pickle a module under the class name that the reading script gives its own class: `__main__.MLPClassifier`."""
    name = "MLPClassifier"
    head = type(name, (nn.Module,), {"__module__": "__main__"})()
    head.input_dim = inputs
    head.hidden_layer = nn.Linear(inputs, HIDDEN)
    head.bn1 = nn.BatchNorm1d(HIDDEN)
    head.output_layer = nn.Linear(HIDDEN, CLASSES)
    head.dropout = nn.Dropout(0.5)
    head.load_state_dict(state)
    main = sys.modules["__main__"]
    before = main.__dict__.get(name)
    setattr(main, name, type(head))  # pickle looks for the class there
    try:
        torch.save(head.eval(), path)
    finally:
        if before is None:
            delattr(main, name)
        else:
            setattr(main, name, before)


def read_merged(path: Path, inputs: int | None = None) -> Merged:
    """Merged features. A single label stands for the whole file, as in VirNucPro's own files; otherwise there is one per row.

    inputs: numbers in a row, if known. Raises InputError naming the first id that is repeated or has a number that is not
    finite."""
    value = read(path)
    if not isinstance(value, dict) or not {"ids", "data"} <= value.keys() or not isinstance(value["data"], Tensor):
        raise InputError(
            f"{path}: not merged features ({{ids, data[, labels]}}, data [n, d]): make them with "
            "VirNucPro's merge step or with bin/export_virnucpro.py"
        )
    ids, tensor = [str(i) for i in value["ids"]], value["data"]
    if tensor.ndim != 2 or len(ids) != len(tensor):
        raise InputError(f"{path}: {len(ids)} ids, but data is {list(tensor.shape)}: merge the features again")
    if inputs is not None and tensor.shape[1] != inputs:
        raise InputError(
            f"{path}: {_features(tensor.shape[1])} instead of {_features(inputs)}: give files of the same encoders"
        )
    data = tensor.detach().float().numpy()
    _check_rows(ids, data, path)
    return Merged(ids, data, _labels(value.get("labels"), len(ids), path))


def _check_rows(ids: Sequence[str], data: np.ndarray, path: Path) -> None:
    repeated = _first_repeated(ids)
    if repeated is not None:
        raise InputError(f"{path}: id {repeated} occurs more than once: give every row an id of its own")
    bad = np.flatnonzero(~np.isfinite(data).all(1))
    if len(bad):
        raise InputError(f"{path}: id {ids[bad[0]]} has numbers that are not finite: compute its features again")


def _first_repeated(ids: Sequence[str]) -> str | None:
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
        raise InputError(f"{path}: labels must be a single 0 or 1 for the file, or one for each of its {n} rows")
    return np.resize(values.astype(np.int8), n) if n else np.empty(0, np.int8)


def write_merged(path: Path, ids: Sequence[str], data: np.ndarray, label: int | np.ndarray | None = None) -> None:
    """Write merged features. label: one for the whole file (which VirNucPro's training reads), one per row, or none.

    Raises InputError for repeated ids and for numbers that are not finite."""
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
    """Ids and rows [n, d] float32 of a file of one modality: {nucleotide | proteins: ids, data: rows}."""
    value = read(path)
    key = next((k for k in ("nucleotide", "proteins") if isinstance(value, dict) and k in value), None)
    if key is None or "data" not in value or len(value[key]) != len(value["data"]):
        raise InputError(
            f"{path}: not VirNucPro's features of one modality ({{nucleotide | proteins, data}}): give its output_1_*.pt"
        )
    rows = [r["mean_representation"] if isinstance(r, dict) else r for r in value["data"]]
    ids = [str(i) for i in value[key]]
    data = np.stack([np.asarray(r, np.float32) for r in rows]) if rows else np.empty((0, 0), np.float32)
    _check_rows(ids, data, path)
    return ids, data
