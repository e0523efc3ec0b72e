"""Opening an exported model: every file is compared with its digest, and nothing of it is run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from virshort.encoders.catalogue import Catalogue, entry_of, load_encoder
from virshort.encoders.encoder import Encoder, LoadSettings
from virshort.errors import InputError
from virshort.files import content_digest, read_json
from virshort.heads.scoring import FOLDS
from virshort.modalities import FINETUNED, MATCHES, NUMBERS
from virshort.model.language_models import catalogue_of_model
from virshort.model.record import ENCODERS, FORMAT, HEADS, HOMOLOGY, KMERS, RECORD, ModelRecord
from virshort.model.source_kmers import SourceKmers

ENSEMBLE = "virshort.finetuning.ensemble"
"""The module that loads encoders that were trained end to end. It loads PyTorch, which other models do without."""
_REMEDY = "copy the model again from the results folder of its run"


@dataclass(frozen=True)
class OpenModel:
    """A model ready for use. heads: the tensors of each fold's head; encoders: by modality, those that read reads
    one by one; databases: the folder with the sources to search, None if it searches none."""

    record: ModelRecord
    heads: Mapping[int, dict[str, np.ndarray]]
    encoders: Mapping[str, Encoder]
    databases: Path | None
    kmers: SourceKmers


def open_model(folder: Path, settings: LoadSettings = LoadSettings(), check: bool = True) -> OpenModel:  # noqa: B008 (frozen)
    """The model in a folder. settings: where its language models' weights are, and what they compute with.

    check: compare all files with their digests; leave it out only where this has just been done. Raises InputError naming the
    file that is damaged, missing or not of the model, and the encoder whose weights are not those that it was trained with."""
    record = read_record(folder)
    if check:
        check_files(folder, record)
    return OpenModel(
        record,
        _read_heads(folder, record),
        _load_encoders(folder, record, settings),
        folder / HOMOLOGY if record["search"] else None,
        SourceKmers(_tensors(folder / KMERS)["kmers"]),
    )


def read_record(folder: Path) -> ModelRecord:
    """model.json. Raises InputError where it is missing, damaged or of another format."""
    path = folder / RECORD
    try:
        record: ModelRecord = read_json(path)
        form, claimed = record["format"], record["digest"]
    except FileNotFoundError as e:
        raise InputError(f"{path}: missing, so {folder} is no model: give the folder model/ of a run's results") from e
    except (OSError, ValueError, LookupError, TypeError) as e:
        raise InputError(f"{path}: damaged, or not the record of a model ({e!r}): {_REMEDY}") from e
    if form != FORMAT:
        raise InputError(f"{path}: has format {form}, but this version reads format {FORMAT}: use the version that wrote it")
    if record_digest(record) != claimed:
        raise InputError(f"{path}: damaged: it is not what was written: {_REMEDY}")
    return record


def record_digest(record: ModelRecord) -> str:
    """SHA-256 of a record without the digest that it holds. As that of each file is in it, it names the whole model."""
    rest = {key: value for key, value in record.items() if key != "digest"}
    return sha256(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def check_files(folder: Path, record: ModelRecord) -> None:
    """Raise InputError naming the first file of a model that is damaged, missing or none of its files."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()} - {RECORD}
    for name in sorted(found | record["files"].keys()):
        path = folder / name
        if name not in record["files"]:
            raise InputError(f"{path}: is not a file of this model: remove it")
        if name not in found:
            raise InputError(f"{path}: missing: {_REMEDY}")
        if content_digest(path) != record["files"][name]["sha256"]:
            raise InputError(f"{path}: damaged: its content does not have the digest in {RECORD}: {_REMEDY}")


def head_name(fold: int, tensor: str) -> str:
    """What heads.safetensors calls a tensor of a fold's head."""
    return f"fold_{fold}.{tensor}"


def _read_heads(folder: Path, record: ModelRecord) -> dict[int, dict[str, np.ndarray]]:
    """The heads of every fold, which read the matches in all databases.

    A fold's stack was fitted on the matches in the databases that it may see. New reads are of no fold: they are searched in
    all, so that no relative is lost to any part of the ensemble (docs/model.md has the evidence)."""
    tensors = _tensors(folder / HEADS)
    heads: dict[int, dict[str, np.ndarray]] = {}
    for fold in record["tested_folds"]:
        start = head_name(fold, "")
        own = {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
        heads[fold] = {name: _all_folds(name, tensor, record["folds"]) for name, tensor in own.items()}
    return heads


def _all_folds(name: str, tensor: np.ndarray, folds: int) -> np.ndarray:
    return np.arange(folds) if name.rpartition(".")[2] == FOLDS else tensor


def _tensors(path: Path) -> dict[str, np.ndarray]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as e:
        raise InputError(f"{path}: damaged, or not a safetensors file ({e}): {_REMEDY}") from e


def _load_encoders(folder: Path, record: ModelRecord, settings: LoadSettings) -> dict[str, Encoder]:
    """Every encoder that reads sequences singly, by modality."""
    wanted = {e["modality"]: e for e in record["encoders"]}
    catalogue = catalogue_of_model(record)
    found = {}
    for modality in record["modalities"]:
        if modality in NUMBERS or modality == MATCHES:
            continue
        if modality == FINETUNED:
            found[modality] = _load_finetuned(folder, record, settings, catalogue)
            continue
        known = wanted[modality]
        counts = LoadSettings(threads=settings.threads)  # an encoder without weights, on the CPU
        used = replace(settings if known["weights"] else counts, genetic_code=record["genetic_code"])
        encoder = load_encoder(known["encoder"], used, catalogue)
        if (encoder.weights, encoder.pooling) != (known["weights"], known["pooling"]):
            raise InputError(
                f"{known['encoder']}: its weights or pooling here ({encoder.weights or 'none'}, {encoder.pooling}) are not "
                f"those that the model was trained with ({known['weights'] or 'none'}, {known['pooling']}): give those weights"
            )
        found[modality] = encoder
    return found


def _load_finetuned(folder: Path, record: ModelRecord, settings: LoadSettings, catalogue: Catalogue) -> Encoder:
    """The encoders of all folds that were trained end to end, as one."""
    about = record["finetuned"]
    entry = entry_of(about["encoder"], catalogue)
    folders = {column: finetuned_folder(folder, int(fold)) for fold, column in about["columns"].items()}
    used = replace(settings, genetic_code=record["genetic_code"], reading=entry.row.reading if entry.row else None)
    encoder: Encoder = import_module(ENSEMBLE).load(folders, about["width"], entry.module, used)
    return encoder


def finetuned_folder(folder: Path, fold: int) -> Path:
    """Where a model holds the encoder of a fold that was trained end to end."""
    return folder / ENCODERS / f"fold_{fold}"
