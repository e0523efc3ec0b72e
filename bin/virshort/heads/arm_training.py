"""Training an arm: for each tested fold and replicate, which windows a head learns from and is judged on, and its record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch

from virshort import __version__
from virshort.arm_record import Arm
from virshort.errors import InputError
from virshort.features.window_features import WindowFeatures
from virshort.heads import calibration
from virshort.heads.architecture import CLASSES, MEAN, hidden_widths
from virshort.heads.ensemble import ValidationOdds
from virshort.heads.model_record import Calibration, Epoch, Model, StartModel, ValidationMetrics
from virshort.heads.splits import shuffled_labels, split_rows
from virshort.heads.training import LabelledWindows, Settings, evaluate, head_of, predict, train
from virshort.modalities import GIVEN, EncoderRecord


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


@dataclass(frozen=True)
class Start:
    """The head that training starts from: its tensors by name, and its record."""

    weights: dict[str, np.ndarray]
    record: StartModel


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


def train_head(data: ArmData, settings: Settings, start: Start | None = None, checkpoint: Path | None = None) -> HeadFiles:
    """Train the head of one fold and replicate, calibrate it on the validation windows of its own set, and judge it on those of
    `short`."""
    windows = data.windows
    training, validation = data.split(windows, settings.fold)
    label = windows.label
    if data.arm["labels"] == "shuffled":
        kingdom, _ = windows.features.codes("kingdom")
        label = shuffled_labels(label, windows.cluster, kingdom, settings.seed_of("labels"))
    held_out = windows.select(validation, label)
    done = train(
        windows.select(training, label), held_out, windows.inputs, settings, start.weights if start else None, checkpoint
    )
    known = _validation_odds(done.weights, windows, validation, held_out)
    fitted = _calibration(known)
    record = _head_record(data, settings, done.weights, done.threshold, fitted, start)
    record |= {
        "best_epoch": done.best_epoch,
        "epochs_run": len(done.history),
        "trained_parameters": done.trained_parameters,
        "training_windows": len(training),
        "validation_windows": len(validation),
        "training": done.history[done.best_epoch - 1]["train"],
        "validation": done.validation,
    }
    return HeadFiles(done.weights, done.history, record, known if data.arm["labels"] == "true" else None)


def keep_head(data: ArmData, settings: Settings, start: Start) -> HeadFiles:
    """Calibrate and judge a pretrained head as it is, on validation windows of `short`.

    Raises InputError where it was trained with other encoders than those of this run."""
    check_encoders(start.record, data.windows.features.encoders)
    _, validation = data.split(data.short, settings.fold)
    held_out = data.short.select(validation, data.short.label)
    fitted = _calibration(_validation_odds(start.weights, data.short, validation, held_out))
    return HeadFiles(start.weights, [], _head_record(data, settings, start.weights, start.record["threshold"], fitted, start))


def check_encoders(record: StartModel, encoders: Sequence[EncoderRecord]) -> None:
    """Raise InputError where a pretrained head was trained with other encoders than `encoders`, as far as both are known."""
    known = {e["modality"]: e for e in record["encoders"] or []}
    for found in encoders:
        wanted = known.get(found["modality"], found)
        different = any(
            (
                wanted["encoder"] != found["encoder"],
                wanted["weights"] != found["weights"],
                wanted["pooling"] != found["pooling"],
            )
        )
        if found["encoder"] != GIVEN and different:
            file = record["pretrained"]["file"] if record["pretrained"] else "model.safetensors"
            raise InputError(
                f"--pretrained {file}: trained on features of {_named(wanted)}, but this run's {found['modality']} features "
                f"are of {_named(found)}: use the encoder and weights that the head was trained with"
            )


def _named(encoder: EncoderRecord) -> str:
    return f"{encoder['encoder']} (weights {encoder['weights']})" if encoder["weights"] else encoder["encoder"]


def _validation_odds(
    weights: dict[str, np.ndarray], windows: ArmWindows, which: np.ndarray, held_out: LabelledWindows
) -> ValidationOdds:
    """The log-odds of validation windows by a head. which: [k], their numbers in `windows`."""
    odds = predict(head_of(weights), held_out)
    return ValidationOdds(held_out.label, odds, windows.features.length[which], windows.cluster[which])


def _calibration(known: ValidationOdds) -> list[Calibration]:
    return calibration.fit(known.label, known.odds, known.length, known.cluster)


def _head_record(
    data: ArmData,
    settings: Settings,
    weights: dict[str, np.ndarray],
    threshold: float,
    fitted: list[Calibration],
    start: Start | None,
) -> Model:
    """The record of a head, complete for one that was not trained here."""
    arm, short = data.arm, data.short
    _, chosen = data.split(short, settings.fold)
    selection, _ = evaluate(head_of(weights), short.select(chosen, short.label), threshold)
    return {
        **record_of(data, settings, threshold, fitted, selection),
        "architecture": {
            "inputs": data.windows.inputs,
            "hidden": hidden_widths(weights),
            "classes": CLASSES,
            "dropout": arm["dropout"],
            "standardized": MEAN in weights,
        },
        "pretrained": start.record["pretrained"] if start else None,
        "hyperparameters": {
            "epochs": arm["epochs"],
            "learning_rate": arm["learning_rate"],
            "batch_size": arm["batch_size"],
            "dropout": arm["dropout"],
            "patience": arm["patience"],
            "optimizer": arm["optimizer"],
            "weight_decay": arm["weight_decay"],
            "schedule": arm["schedule"],
        },
    }


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
        "provenance": {"virshort": __version__, "seed": settings.seed, "torch": torch.__version__},
    }
