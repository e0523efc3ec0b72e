"""Opening an exported model: every file is what was written, and nothing of it is run."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from virshort.encoders.catalogue import Catalogue, entry_of, load_encoder
from virshort.encoders.encoder import Encoder, LoadSettings
from virshort.errors import InputError
from virshort.heads.fast_scoring import prepared
from virshort.heads.scoring import FOLDS
from virshort.homology.source_list import NO_SOURCES, SourceList, read_sources
from virshort.modalities import FINETUNED, MATCHES, NUMBERS
from virshort.model.checking import REMEDY, Checked, check_files, read_record
from virshort.model.language_models import ENSEMBLE, catalogue_of_model
from virshort.model.record import HEADS, HOMOLOGY, KMERS, ModelRecord, finetuned_folder, head_name
from virshort.model.shared_kmers import SourceKmers


@dataclass(frozen=True)
class OpenModel:
    """A model ready for use. heads: of each fold, the log-odds of rows (virshort.heads.fast_scoring); encoders: by modality,
    those that read reads one by one; databases: the folder with the sources to search, None if it searches none; sources: their
    names."""

    record: ModelRecord
    heads: Mapping[int, Callable[[np.ndarray], np.ndarray]]
    encoders: Mapping[str, Encoder]
    databases: Path | None
    sources: SourceList
    kmers: SourceKmers


def open_model(
    folder: Path,
    settings: LoadSettings = LoadSettings(),  # noqa: B008 (frozen)
    checked: Checked | None = None,
) -> OpenModel:
    """The model in a folder. settings: where its language models' weights are, and what they compute with.

    checked: what an earlier `check_files` returned, so that files which have not changed since are not read for their digests
    again. Raises InputError naming the file that is damaged, missing or not of the model, and the encoder whose weights are not
    those that it was trained with."""
    record = read_record(folder)
    check_files(folder, record, checked)
    databases = folder / HOMOLOGY if record["search"] else None
    return OpenModel(
        record,
        {fold: prepared(weights) for fold, weights in read_heads(folder, record).items()},
        _load_encoders(folder, record, settings),
        databases,
        read_sources(databases) if databases else NO_SOURCES,
        SourceKmers(_mapped(folder / KMERS, "kmers")),
    )


def read_heads(folder: Path, record: ModelRecord) -> dict[int, dict[str, np.ndarray]]:
    """The tensors of the heads of every fold, which read the matches in all databases.

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
        raise _not_safetensors(path, e) from e


def _mapped(path: Path, name: str) -> np.ndarray:
    """A large tensor of 64-bit numbers, whose pages are read from the file when they are used."""
    try:
        with safe_open(path, "np"), path.open("rb") as f:  # the former refuses a header that does not match the file
            size = int.from_bytes(f.read(8), "little")
            tensor = json.loads(f.read(size))[name]
        first, last = tensor["data_offsets"]
        return (
            np.memmap(path, np.uint64, "r", 8 + size + first, tuple(tensor["shape"]))
            if first < last
            else np.empty(0, np.uint64)
        )
    except (SafetensorError, OSError, LookupError) as e:
        raise _not_safetensors(path, e) from e


def _not_safetensors(path: Path, why: Exception) -> InputError:
    return InputError(f"{path}: damaged, or not a safetensors file ({why}): {REMEDY}")


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
