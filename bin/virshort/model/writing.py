"""Writing an exported model: a folder of safetensors, JSON, text and Markdown, of which every file has its digest."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from virshort import __version__
from virshort.arm_record import EXPORTED, Arm
from virshort.errors import InputError, nearest
from virshort.files import content_digest, whole, write_json
from virshort.heads.finetuned import copy_finetuned
from virshort.heads.model_files import folder_of
from virshort.heads.model_record import Calibration, Lengths, Model
from virshort.heads.pair_record import MateRule
from virshort.heads.prediction import Heads
from virshort.inference.held_out_rates import HeldOut
from virshort.modalities import GIVEN, MATCHES, UNTRANSLATED
from virshort.model.checking import record_digest
from virshort.model.record import (
    CARD,
    FORMAT,
    HEADS,
    HOMOLOGY,
    KMERS,
    RECORD,
    FinetunedEncoders,
    ModelRecord,
    Search,
    SourceKmersRecord,
    finetuned_folder,
    head_name,
)
from virshort.model.thresholds import model_thresholds
from virshort.windows.recipes import FULL, MIXED

STORAGE = "float16"
"""How EMBED stores features (embed.py --storage)."""


@dataclass(frozen=True)
class Run:
    """What a model needs to know of the run that it comes from. folds: how many there are; tested: those that have heads."""

    folds: int
    tested: Sequence[int]
    window_length: int
    genetic_code: int
    frames: str
    sensitivity: str


def chosen_arm(arms: Sequence[Arm], name: str) -> Arm:
    """The arm of that name. Raises InputError where there is none, and for a control."""
    found = next((arm for arm in arms if arm["name"] == name), None)
    if found is None:
        raise InputError(f"--model_arm {name}: is no arm of this run: {nearest(name, [arm['name'] for arm in arms])}")
    if found["role"] not in EXPORTED:
        raise InputError(f"--model_arm {name}: is a {found['role']}, which is no classifier to use: choose a remedy")
    return found


def lengths_trained_on(arm: Arm, arms: Sequence[Arm], window_length: int) -> dict[str, Lengths]:
    """The shortest and the longest windows, in bp, of each window set that an arm, or one that it combines, was trained on."""
    fixed: Lengths = [window_length, window_length]
    strata = {"mixed": MIXED, "full": FULL}
    joined = [other for other in arms if other["name"] in (arm["name"], *arm["combine"], _start(arm))]
    return {
        name: [min(s.shortest for s in strata[name]), max(s.longest for s in strata[name])] if name in strata else fixed
        for name in sorted({other["windows"] for other in joined if other["windows"]})
    }


def _start(arm: Arm) -> str:
    """The arm that its weights begin as, which has seen windows too."""
    return "baseline" if arm["start"] == "baseline" else arm["name"]


def model_record(
    arm: Arm,
    arms: Sequence[Arm],
    of_head: Model,
    fitted: Mapping[int, Sequence[Calibration]],
    pairs: MateRule | None,
    kmers: SourceKmersRecord,
    run: Run,
    held_out: HeldOut | None = None,
    rows: Mapping[str, dict[str, Any]] = {},
    finetuned: FinetunedEncoders | None = None,
) -> ModelRecord:
    """model.json, but for its files and its digest. arms: all of the run; of_head: the record of one head; fitted: the
    calibration of each fold; rows: of encoders.yaml, by the names of language models; finetuned: the encoders that the arm
    has trained, if it has. Raises InputError where its encoders are not known."""
    encoders = [e for e in of_head["encoders"] or [] if e["modality"] in arm["modalities"]]
    if any(e["encoder"] == GIVEN for e in encoders):
        raise InputError(f"arm {arm['name']}: its features were given, so no model can read sequences: run on genomes instead")
    calibration = {str(fold): list(fitted[fold]) for fold in run.tested}
    search: Search = {"folds": run.folds, "sensitivity": run.sensitivity}
    read = {e["encoder"].removesuffix(UNTRANSLATED) for e in encoders}
    if finetuned:
        read.add(finetuned["encoder"].removesuffix(UNTRANSLATED))
    language_models = {name: keys for name, keys in rows.items() if name in read}
    record: ModelRecord = {
        "format": FORMAT,
        "virshort": __version__,
        "arm": arm["name"],
        "description": arm["description"],
        "modalities": arm["modalities"],
        "parts": arm["combine"],
        "encoders": encoders,
        "window_length": run.window_length,
        "trained_on": lengths_trained_on(arm, arms, run.window_length),
        "genetic_code": run.genetic_code,
        "frames": run.frames,
        "storage": STORAGE,
        "folds": run.folds,
        "tested_folds": list(run.tested),
        "calibration": calibration,
        "thresholds": model_thresholds(calibration),
        "pairs": pairs,
        "held_out": held_out,
        "search": search if MATCHES in arm["modalities"] else None,
        "kmers": kmers,
        "pretrained": of_head["pretrained"]["file"] if of_head["pretrained"] else None,
        "files": {},
        "digest": "",
    }
    if language_models:
        record["language_models"] = language_models
    if finetuned:
        record["finetuned"] = finetuned
    return record


def write_model(
    folder: Path,
    record: ModelRecord,
    heads: Heads,
    kmers: np.ndarray,
    databases: Path | None,
    card: str,
    models: Path | None = None,
) -> ModelRecord:
    """Write a model, its record last. heads: of one replicate; kmers: of the sources, sorted; databases: the folder that
    HOMOLOGY_DATABASES wrote, needed where the arm reads matches; models: the arm's folder, needed where an encoder was trained
    end to end. Returns the complete record."""
    tensors = {head_name(fold, name): tensor for fold in record["tested_folds"] for name, tensor in heads.weights[fold].items()}
    for name, content in ((HEADS, tensors), (KMERS, {"kmers": kmers})):
        with whole(folder / name) as path:
            path.write_bytes(save(content))  # save_file lets nobody else read the file
    if record["search"]:
        if databases is None:
            raise InputError(f"arm {record['arm']}: reads matches, but there are no databases: give them with --databases")
        shutil.copytree(databases, folder / HOMOLOGY)
    if "finetuned" in record and models:
        for fold in record["tested_folds"]:
            copy_finetuned(models / folder_of(fold, 0), finetuned_folder(folder, fold))
    with whole(folder / CARD) as path:
        path.write_text(card, encoding="utf-8")
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    complete: ModelRecord = {
        **record,
        "files": {p.relative_to(folder).as_posix(): {"sha256": content_digest(p), "bytes": p.stat().st_size} for p in paths},
    }
    complete["digest"] = record_digest(complete)
    write_json(folder / RECORD, complete)
    return complete
