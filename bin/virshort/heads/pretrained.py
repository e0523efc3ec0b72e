"""A head that was trained elsewhere, to be the baseline as it is: one of ours, or one of VirNucPro's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from virshort.errors import InputError
from virshort.features.virnucpro import THRESHOLD, check_head, read_head
from virshort.files import read_json
from virshort.modalities import GIVEN

MODALITIES = ["dna", "protein"]
"""What VirNucPro's heads are fed, in this order."""


@dataclass(frozen=True)
class Pretrained:
    """tensors: the head's, by name; threshold: on the probability of viral; encoders: those that it was trained with, as
    model.json records them (None: not known); origin: {file, sha256, form, metadata}, for the record."""

    tensors: dict[str, np.ndarray]
    threshold: float
    encoders: list[dict[str, str]] | None
    origin: dict[str, Any]


def read_pretrained(path: Path, inputs: int, arm: Mapping[str, Any]) -> Pretrained:
    """Read a head: model.safetensors with model.json beside it, or a .pth of VirNucPro's, of which nothing is run.

    inputs: numbers a row that the run's encoders give to `arm`, the baseline.
    Raises InputError where it is no head, or one for other inputs, modalities or encoders."""
    if path.suffix == ".safetensors":
        tensors, about = _ours(path, inputs, arm)
        threshold, encoders, form = about["threshold"], about["encoders"], "virshort"
        metadata = {k: about.get(k) for k in ("arm", "fold", "replicate")}
    else:
        _same(path, "modalities", MODALITIES, arm["modalities"])
        tensors, found = read_head(path, inputs)
        threshold, encoders, form = THRESHOLD, None, "VirNucPro, state dict" if found else "VirNucPro, whole module"
        metadata = {k: v for k, v in found.items() if isinstance(v, str | bool | int)}
    return Pretrained(
        tensors,
        threshold,
        encoders,
        {"file": path.name, "sha256": sha256(path.read_bytes()).hexdigest(), "form": form, "metadata": metadata},
    )


def _ours(path: Path, inputs: int, arm: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    record = path.with_name("model.json")
    try:
        about = read_json(record)
        threshold = about["threshold"]
        _same(record, "modalities", about["modalities"], arm["modalities"])
        named = {e["modality"]: e["encoder"] for e in about["encoders"]}
    except FileNotFoundError as e:
        raise InputError(f"{path.name}: model.json is not beside it: both make up a head") from e
    except (json.JSONDecodeError, UnicodeDecodeError, TypeError, KeyError) as e:
        raise InputError(f"{record.name}: not the record of a head ({e!r}): give a model of a results folder") from e
    if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise InputError(f"{record.name}: threshold is {threshold!r}, not a number from 0 to 1")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as e:
        raise InputError(f"{path.name}: damaged or no safetensors file ({e}): get it anew") from e
    check_head(tensors, inputs, path)
    for modality in (m for m in arm["modalities"] if arm["encoders"].get(m) != GIVEN):
        _same(record, f"{modality} encoder", named.get(modality), arm["encoders"].get(modality))
    return tensors, about


def _same(path: Path, what: str, found: Any, wanted: Any) -> None:
    def words(value: Any) -> str:
        return " + ".join(value) if isinstance(value, list) else str(value)

    if found != wanted:
        raise InputError(
            f"{path.name}: a head for {what} {words(found)}, but the baseline's are {words(wanted)}: "
            "choose those it was trained with"
        )
