"""What the models of an arm have in common: the windows that they learn from and are judged on, and what their record says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from virshort import __version__
from virshort.arm_record import Arm
from virshort.features.window_features import WindowFeatures
from virshort.heads.ensemble import ValidationOdds
from virshort.heads.labelled_windows import LabelledWindows
from virshort.heads.model_record import Calibration, Epoch, Model, ValidationMetrics
from virshort.heads.settings import Settings
from virshort.heads.splits import split_rows


class TrainingSet(TypedDict):
    """pools: of windows, in order; size: windows in each split (None: all that there are)."""

    pools: list[str]
    size: int | None


class TrainingSets(TypedDict):
    """What training needs of window_sets.json: the arm's own set and `short`."""

    train: dict[str, TrainingSet]
    folds: int
    test_folds: list[int]
    viral_share: float | None


class ArmWindows:
    """A window set as an arm reads it: its features in the arm's modalities, with each window's label, fold and cluster."""

    def __init__(self, features: WindowFeatures, size: int | None, modalities: Sequence[str]):
        self.features, self.size, self.modalities = features, size, modalities
        self.label, self.fold = features.column("label"), features.column("fold")
        self.cluster = features.codes("cluster")[0]

    @property
    def inputs(self) -> int:
        """Numbers per row."""
        return self.features.inputs(self.modalities)

    def select(self, which: np.ndarray, label: np.ndarray) -> LabelledWindows:
        """Some windows. which: [k] window numbers; label: [n], of all windows."""
        rows, first = self.features.rows_of(which)
        return LabelledWindows(lambda r: self.features.rows(r, self.modalities), rows, label[which], first)


@dataclass(frozen=True)
class ArmData:
    """What all heads of an arm share. Arms are compared on the same validation windows, those of `short`, whatever they were
    trained on."""

    arm: Arm
    sets: TrainingSets
    windows: ArmWindows
    short: ArmWindows

    def split(self, windows: ArmWindows, fold: int) -> tuple[np.ndarray, np.ndarray]:
        """Training and validation windows of the split that tests `fold`."""
        sets, kept = self.sets, self.arm["training_folds"]
        return split_rows(windows.label, windows.fold, fold, sets["folds"], windows.size, sets["viral_share"], kept)


@dataclass(frozen=True)
class HeadFiles:
    """What is written of a model: model.safetensors, history.json and model.json.

    validation: its log-odds of its own validation windows; None where replicates have no windows or labels in common, and
    where they are one and the same model."""

    weights: Mapping[str, np.ndarray]
    history: list[Epoch]
    record: Model
    validation: ValidationOdds | None = None


def settings_of(arm: Arm, seed: int, fold: int, replicate: int) -> Settings:
    """The settings of one head of an arm."""
    return Settings(
        epochs=arm["epochs"],
        learning_rate=arm["learning_rate"],
        batch_size=arm["batch_size"],
        dropout=arm["dropout"],
        patience=arm["patience"],
        frozen=arm["frozen"],
        seed=seed,
        fold=fold,
        replicate=replicate,
        hidden=tuple(arm["hidden"]),
        weight_decay=arm["weight_decay"],
        one_cycle=arm["schedule"] == "one_cycle",
        standardize=arm["standardize"],
    )


def record_of(
    data: ArmData, settings: Settings, threshold: float, fitted: list[Calibration], selection: ValidationMetrics
) -> Model:
    """What the record of every model says, whether it was trained, fitted or given. selection: its metrics on validation
    windows of `short`."""
    arm = data.arm
    return {
        "arm": arm["name"],
        "fold": settings.fold,
        "replicate": settings.replicate,
        "architecture": None,
        "modalities": arm["modalities"],
        "encoders": data.windows.features.encoders,
        "threshold": threshold,
        "calibration": fitted,
        "start": arm["start"],
        "pretrained": None,
        "frozen": arm["frozen"],
        "labels": arm["labels"],
        "window_set": arm["windows"],
        "hyperparameters": {},
        "combine": arm["combine"],
        "cut": None,
        "best_epoch": None,
        "epochs_run": 0,
        "trained_parameters": 0,
        "training_windows": 0,
        "validation_windows": 0,
        "frame_rows": data.windows.features.frame_rows,
        "training": None,
        "validation": None,
        "selection": selection,
        "provenance": {"virshort": __version__, "seed": settings.seed, "torch": None},
    }
