"""A head that was trained elsewhere, virshort's or VirNucPro's, which serves as the baseline without being trained."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from virshort.arm_record import Arm
from virshort.errors import InputError
from virshort.features.virnucpro import THRESHOLD, check_head, read_head
from virshort.files import read_json
from virshort.heads.model_files import RECORD
from virshort.heads.model_record import Origin
from virshort.modalities import GIVEN, EncoderRecord

MODALITIES = ["dna", "protein"]
"""What VirNucPro's heads read, in this order."""


@dataclass(frozen=True)
class Pretrained:
    """tensors: the head's, by name; threshold: on the score; encoders: those that it was trained with (None: not known);
    origin: where it comes from."""

    tensors: dict[str, np.ndarray]
    threshold: float
    encoders: list[EncoderRecord] | None
    origin: Origin


def read_pretrained(path: Path, inputs: int, arm: Arm) -> Pretrained:
    """Read a head: model.safetensors with model.json beside it, or a .pth file of VirNucPro, none of whose code is run.

    inputs: how many numbers per row the run's encoders give to `arm`, the baseline.
    Raises InputError where it is not a head, or one for other inputs, modalities or encoders."""
    encoders: list[EncoderRecord] | None = None
    if path.suffix == ".safetensors":
        tensors, record = _read_virshort(path, inputs, arm)
        threshold, encoders, form = record["threshold"], record["encoders"], "virshort"
        metadata = {k: record.get(k) for k in ("arm", "fold", "replicate")}
    else:
        _check_same(path, "modalities", MODALITIES, arm["modalities"])
        tensors, found = read_head(path, inputs)
        threshold, form = THRESHOLD, "VirNucPro, state dict" if found else "VirNucPro, whole module"
        metadata = {k: v for k, v in found.items() if isinstance(v, str | bool | int)}
    return Pretrained(
        tensors,
        threshold,
        encoders,
        {"file": path.name, "sha256": sha256(path.read_bytes()).hexdigest(), "form": form, "metadata": metadata},
    )


def _read_virshort(path: Path, inputs: int, arm: Arm) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The tensors of one of our own heads, and its record."""
    beside = path.with_name(RECORD)
    try:
        record = read_json(beside)
        threshold = record["threshold"]
        _check_same(beside, "modalities", record["modalities"], arm["modalities"])
        named = {e["modality"]: e["encoder"] for e in record["encoders"]}
    except FileNotFoundError as e:
        raise InputError(f"{path.name}: model.json is not beside it: put both files of the head into one folder") from e
    except (json.JSONDecodeError, UnicodeDecodeError, TypeError, KeyError) as e:
        raise InputError(f"{beside.name}: not the record of a head ({e!r}): give a model of a results folder") from e
    if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise InputError(
            f"{beside.name}: threshold is {threshold!r}, not a number from 0 to 1: give a model of a results folder"
        )
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as e:
        raise InputError(f"{path.name}: damaged, or not a safetensors file ({e}): copy it again from where it was made") from e
    check_head(tensors, inputs, path)
    for modality in (m for m in arm["modalities"] if arm["encoders"].get(m) != GIVEN):
        _check_same(beside, f"{modality} encoder", named.get(modality), arm["encoders"].get(modality))
    return tensors, record


def _check_same(path: Path, what: str, found: str | list[str] | None, wanted: str | list[str] | None) -> None:
    """Raise InputError where the head was trained with other modalities or another encoder than the baseline reads."""

    def words(value: str | list[str] | None) -> str:
        return " + ".join(value) if isinstance(value, list) else str(value)

    if found != wanted:
        raise InputError(
            f"{path.name}: the head was trained with {what} {words(found)}, but the baseline reads {words(wanted)}: "
            "choose what the head was trained with"
        )
