"""A model on disk whose heads were never trained, of the size of a real one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from random_heads import random_head, random_two_layer_head
from virshort.encoders.catalogue import load_encoder
from virshort.fold_roles import training_folds
from virshort.heads.matches import SIGNS
from virshort.heads.prediction import Heads
from virshort.heads.scoring import COLUMNS, CUT, FOLDS, stack_tensors
from virshort.model.writing import Run, model_record, write_model

FOLD_COUNT = 5
ENCODERS = {"dna": "kmer-dna", "protein": "kmer-protein", "codon": "codon"}
CALIBRATION = {
    "lengths": None,
    "windows": 1000,
    "temperature": 20.0,
    "bias": 0.0,
    "thresholds": {"balanced": 0.0, "fpr_1e-2": 2.0, "fpr_1e-3": 4.0},
}

PAIRS = {
    "temperature": 20.0, "bias": 0.0, "factor": 1.6, "threshold": 0.5, "calibration": [CALIBRATION], "pairs": 1000,
    "overlapping": 0.3,
}  # fmt: skip


def random_31mers(count: int) -> np.ndarray:
    """About so many numbers as `spaced_kmers` gives them."""
    return np.unique(np.random.default_rng(0).integers(0, 1 << 62, count, np.uint64))


def random_model(folder: Path, modalities: Sequence[str], kmers: np.ndarray, databases: Path | None = None) -> Path:
    """Write a model of five folds that reads these modalities. kmers: as `random_31mers` gives them; databases: what is
    searched, if `homology` is one of the modalities; it must be the last one. Returns its folder."""
    loaded = {m: load_encoder(ENCODERS[m]) for m in modalities if m in ENCODERS}
    inputs = sum(encoder.dim for encoder in loaded.values())
    weights = {fold: _weights(inputs, "codon" in modalities, databases is not None, fold) for fold in range(FOLD_COUNT)}
    arm = {
        "name": "random", "description": "never trained", "role": "remedy", "windows": "short", "modalities": list(modalities),
        "start": "random", "combine": [],
    }  # fmt: skip
    encoders = [{"modality": m, "encoder": e.name, "weights": "", "pooling": e.pooling} for m, e in loaded.items()]
    record = model_record(
        cast(Any, arm),
        [cast(Any, arm)],
        cast(Any, {"encoders": encoders, "pretrained": None}),
        cast(Any, {fold: [CALIBRATION] for fold in range(FOLD_COUNT)}),
        cast(Any, PAIRS),
        {"step": 10, "count": len(kmers), "bases": 10 * len(kmers)},
        Run(FOLD_COUNT, range(FOLD_COUNT), 150, 1, "longest", "default"),
    )
    write_model(folder, record, Heads(weights, {}), kmers, databases, "# A model for measurements\n")
    return folder


def _weights(inputs: int, two_layers: bool, matches: bool, fold: int) -> dict[str, np.ndarray]:
    head = random_two_layer_head(inputs, fold) if two_layers else random_head(inputs, fold)
    if not matches:
        return head
    part = {COLUMNS: inputs + np.arange(4 * FOLD_COUNT), FOLDS: training_folds(fold, FOLD_COUNT), CUT: np.array(30.0)}
    return stack_tensors([part, {**head, COLUMNS: np.arange(inputs)}], np.append(2.0 * SIGNS, 0.01), 0.0)
