"""Training an arm: for each tested fold and replicate, which windows a head learns from and is judged on, and its record."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from virshort.errors import InputError
from virshort.heads import calibration
from virshort.heads.architecture import CLASSES, MEAN, hidden_widths
from virshort.heads.arm_data import ArmData, ArmWindows, HeadFiles, record_of
from virshort.heads.ensemble import ValidationOdds
from virshort.heads.labelled_windows import LabelledWindows
from virshort.heads.model_record import Calibration, Model, StartModel
from virshort.heads.settings import Settings
from virshort.heads.splits import shuffled_labels
from virshort.heads.training import evaluate, head_of, predict, train
from virshort.modalities import GIVEN, EncoderRecord


@dataclass(frozen=True)
class Start:
    """The head that training starts from: its tensors by name, and its record."""

    weights: dict[str, np.ndarray]
    record: StartModel


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
    shared = record_of(data, settings, threshold, fitted, selection)
    return {
        **shared,
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
        "provenance": {**shared["provenance"], "torch": torch.__version__},
    }
