"""A small model on disk: random heads of two tested folds, and the databases and 31-mers of six sources."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from random_heads import random_head
from virshort.fold_roles import training_folds
from virshort.heads.matches import SIGNS
from virshort.heads.pair_record import MateRule
from virshort.heads.prediction import Heads
from virshort.heads.scoring import COLUMNS, CUT, FOLDS, stack_tensors
from virshort.homology.databases import write_databases
from virshort.homology.source_list import SourceName
from virshort.model.record import ModelRecord
from virshort.model.source_kmers import spaced_kmers
from virshort.model.writing import Run, model_record, write_model

FOLD_COUNT, TESTED, STEP = 4, (0, 2), 3
DIM = {"dna": 136, "protein": 21, "codon": 317, "homology": FOLD_COUNT * 4, "length": 1, "gc": 1}
POOLING = {
    "dna": ("kmer-dna", "canonical 4-mer frequencies"),
    "protein": ("kmer-protein", "residue frequencies and length"),
    "codon": ("codon", "4-mers, codons of the two longest runs without a stop, residues, lengths of runs, stops"),
    "homology": ("homology", "best match by fold and label, sensitivity default"),
}
PAIRS: MateRule = {
    "temperature": 1.5,
    "bias": 0.25,
    "factor": 1.5,
    "threshold": 0.5,
    "calibration": [
        {
            "lengths": None,
            "windows": 900,
            "temperature": 2.0,
            "bias": 0.5,
            "thresholds": {"balanced": 1.0, "fpr_1e-2": 3.0, "fpr_1e-3": None},
        }
    ],
    "pairs": 900,
    "overlapping": 0.3,
}


@dataclass
class Made:
    """A model on disk, and what it was made of. sources: their bases;"""

    folder: Path
    record: ModelRecord
    sources: list[bytes]
    heads: Heads


@pytest.fixture
def sources() -> list[bytes]:
    rng = np.random.default_rng(3)
    return [rng.choice(list(b"ACGT"), n).astype(np.uint8).tobytes() for n in (900, 700, 1200, 800, 600, 1000)]


@pytest.fixture
def make_model(tmp_path: Path, sources: list[bytes]) -> Callable[..., Made]:
    """make_model(modalities, frames="longest", pairs=PAIRS): an arm whose heads read these; with homology, a stack of matches
    and one head for the rest."""

    def make(modalities: Sequence[str], frames: str = "longest", pairs: MateRule | None = PAIRS) -> Made:
        length = np.array([len(s) for s in sources])
        offset, label = np.cumsum(length) - length, np.arange(6) % 2
        bases = np.frombuffer(b"".join(sources), np.uint8)
        fold = np.arange(6) % FOLD_COUNT
        names = [SourceName(f"source {i}", "virus" if y else "bacteria", f"family {i // 2}") for i, y in enumerate(label)]
        write_databases(tmp_path / "databases", bases, offset, length, label, fold, FOLD_COUNT, names, 1)
        heads = Heads({f: weights(modalities, f) for f in TESTED}, dict.fromkeys(TESTED, 0.5))
        arm = {
            "name": "made",
            "description": "an arm for tests",
            "role": "remedy",
            "windows": "short",
            "modalities": list(modalities),
            "start": "random",
            "combine": [],
        }
        encoders = [
            {"modality": m, "encoder": POOLING[m][0], "weights": "", "pooling": POOLING[m][1]}
            for m in modalities
            if m in POOLING
        ]
        kmers = spaced_kmers(bases, offset, length, STEP)
        record = model_record(
            arm,  # type: ignore[arg-type]
            [arm],  # type: ignore[list-item]
            {"encoders": encoders, "pretrained": None},  # type: ignore[typeddict-item]
            {f: calibration(f) for f in TESTED},
            pairs,
            {"step": STEP, "count": len(kmers), "bases": len(bases)},
            Run(FOLD_COUNT, TESTED, 150, 1, frames, "default"),
        )
        record = write_model(tmp_path / "model", record, heads, kmers, tmp_path / "databases", "# A card\n")
        return Made(tmp_path / "model", record, sources, heads)

    return make


def weights(modalities: Sequence[str], fold: int) -> dict[str, np.ndarray]:
    """The tensors of a random head, or of a random stack where matches are among what it reads."""
    ends = np.cumsum([DIM[m] for m in modalities])
    if "homology" not in modalities:
        return random_head(int(ends[-1]), fold)
    columns = {m: np.arange(end - DIM[m], end) for m, end in zip(modalities, ends, strict=True)}
    matches = {COLUMNS: columns.pop("homology"), FOLDS: training_folds(fold, FOLD_COUNT), CUT: np.array(30.0)}
    parts = [matches]
    coefficients = SIGNS * np.random.default_rng(fold).uniform(1, 4, len(SIGNS))
    if columns:
        head = random_head(sum(len(c) for c in columns.values()), fold)
        parts.append({**head, COLUMNS: np.concatenate([*columns.values()])})
        coefficients = np.append(coefficients, 0.01)
    return stack_tensors(parts, coefficients, 0.1 * fold)


def calibration(fold: int) -> list[dict]:  # type: ignore[type-arg]
    """One for all lengths, and one for the first bin."""
    cuts = {"balanced": 0.5 + fold, "fpr_1e-2": 4.0, "fpr_1e-3": None if fold else 9.0}
    every = {"lengths": None, "windows": 9, "temperature": 2.0 + fold, "bias": 0.1, "thresholds": cuts}
    return [every, {**every, "lengths": [0, 200], "temperature": 1.0 + fold, "thresholds": {**cuts, "fpr_1e-3": 9.0}}]
