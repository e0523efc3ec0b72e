"""What model.json says of an exported model: all that is not numbers of its heads, its databases or its 31-mers."""

from pathlib import Path
from typing import Any, NotRequired, TypedDict

from virshort.heads.model_record import Calibration, Lengths
from virshort.heads.pair_record import MateRule
from virshort.inference.held_out_rates import HeldOut
from virshort.modalities import EncoderRecord

FORMAT = 2
"""Raised by every change after which an older reader would misread a model."""
RECORD, HEADS, KMERS, CARD, HOMOLOGY = "model.json", "heads.safetensors", "kmers.safetensors", "README.md", "homology"
"""The files of a model, and the folder of its databases."""
ENCODERS = "finetuned"
"""The folder of encoders that were trained end to end."""


class Thresholds(TypedDict):
    """The calibrated log-odds from which reads of some lengths are called viral, by name (virshort.heads.calibration).

    own: whether every fold has thresholds of its own for these lengths, and not only those of all lengths; a threshold is None
    where validation has too few nonviral windows for its rate."""

    lengths: Lengths
    own: bool
    thresholds: dict[str, float | None]


class Search(TypedDict):
    """How reads are searched against the databases. folds: how many folds have databases."""

    folds: int
    sensitivity: str


class SourceKmersRecord(TypedDict):
    """The 31-mers of the sources. step: every so many positions of a source one is kept; count: how many; bases: of all
    sources."""

    step: int
    count: int
    bases: int


class FileRecord(TypedDict):
    """A file of the model: its SHA-256 and its size."""

    sha256: str
    bytes: int


class FinetunedEncoders(TypedDict):
    """The encoders of a model that were trained end to end. encoder: the language model that training began with; columns: of
    the fold that a split tests, which column of the features holds the log-odds of its model; width: how many columns there
    are, as in the run."""

    encoder: str
    columns: dict[str, int]
    width: int


class ModelRecord(TypedDict):
    """model.json.

    parts: the arms that a combined arm joins; trained_on: the lengths in bp of each window set that it was trained on;
    window_length: of the run's short windows; storage: how features were stored, and are rounded here too; calibration: by
    fold; pairs: how mates are read together, None where the run drew no pairs; held_out: what the windows of held-out clusters
    say of its calls; language_models: the rows of encoders.yaml, completed, by which those that it reads are fetched and
    loaded, absent where it reads none; finetuned: absent where it holds no encoder that was trained end to end; search: None
    where the arm reads no matches; pretrained: the file that a head comes from which was not trained here; digest: of
    everything else in this record, which includes the digests of all files and so names the model."""

    format: int
    virshort: str
    arm: str
    description: str
    modalities: list[str]
    parts: list[str]
    encoders: list[EncoderRecord]
    window_length: int
    trained_on: dict[str, Lengths]
    genetic_code: int
    frames: str
    storage: str
    folds: int
    tested_folds: list[int]
    calibration: dict[str, list[Calibration]]
    thresholds: list[Thresholds]
    pairs: MateRule | None
    held_out: HeldOut | None
    language_models: NotRequired[dict[str, dict[str, Any]]]
    finetuned: NotRequired[FinetunedEncoders]
    search: Search | None
    kmers: SourceKmersRecord
    pretrained: str | None
    files: dict[str, FileRecord]
    digest: str


def head_name(fold: int, tensor: str) -> str:
    """What heads.safetensors calls a tensor of a fold's head."""
    return f"fold_{fold}.{tensor}"


def finetuned_folder(folder: Path, fold: int) -> Path:
    """Where a model holds the encoder of a fold that was trained end to end."""
    return folder / ENCODERS / f"fold_{fold}"
