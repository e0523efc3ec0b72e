"""What training says about the arms: a summary of each, which one validation prefers, and where the baseline comes from."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from virshort.verdict.schema import BestArm, Candidate, Pretrained, TrainingSummary

ModelFiles = tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]
"""A model's model.json and history.json."""


def training_summary(arm: Mapping[str, Any], models: Sequence[ModelFiles]) -> TrainingSummary:
    """Summarize the models of one arm, as means over folds and replicates. `arm`: its entry in arms.json."""

    def mean(values: list[Any]) -> float | None:
        known = [float(v) for v in values if v is not None]
        return float(np.mean(known)) if known else None

    selections = [m.get("selection") or {} for m, _ in models]
    keys = sorted({k for s in selections for k in s})
    chosen = [_kept_epoch(m, h) for m, h in models]
    return {
        "arm": arm["name"],
        "role": arm.get("role", "remedy"),
        "windows": arm.get("windows"),
        "start": arm.get("start"),
        "combine": list(arm.get("combine", [])),
        "pretrained": next((m["pretrained"] for m, _ in models if m.get("pretrained")), None),
        "models": len(models),
        "training_accuracy": mean([e["train"]["accuracy"] for e in chosen if e]),
        "last_training_accuracy": mean([h[-1]["train"]["accuracy"] for _, h in models if h]),
        "selection": {k: mean([s.get(k) for s in selections]) for k in keys} or None,
        "best_epoch": mean([m.get("best_epoch") for m, _ in models]),
        "epochs_run": mean([m.get("epochs_run") for m, _ in models]),
        "training_windows": mean([m.get("training_windows") for m, _ in models]),
        "validation_windows": mean([m.get("validation_windows") for m, _ in models]),
        "trained_parameters": mean([m.get("trained_parameters") for m, _ in models]),
        "dropout": mean([(m.get("architecture") or {}).get("dropout") for m, _ in models]),
    }


def best_arm(training: Sequence[TrainingSummary]) -> BestArm:
    """The arm with the highest validation accuracy (on short windows, mean over folds and replicates), controls excluded.

    Test results play no part in this choice. Of equally good arms, the first in arms.json is taken.
    """
    candidates: list[Candidate] = []
    for t in training:
        accuracy = (t["selection"] or {}).get("accuracy")
        if t["role"] != "control" and accuracy is not None:
            candidates.append({"arm": t["arm"], "validation_accuracy": accuracy})
    candidates.sort(key=lambda c: -c["validation_accuracy"])
    return {
        "arm": candidates[0]["arm"] if candidates else None,
        "chosen_by": "validation accuracy on short windows",
        "candidates": candidates,
    }


def pretrained_baseline(training: Sequence[TrainingSummary]) -> Pretrained | None:
    """The baseline's origin, if it was not trained in this run, and what that leaves open."""
    given = next((t["pretrained"] for t in training if t["role"] == "baseline" and t["pretrained"]), None)
    if given is None:
        return None
    sentence = (
        f"The baseline is a pretrained head ({given['file']}), and it is not known whether its own training included the test "
        f"sources or close relatives of them. If it did, the baseline's accuracy is too high, the gain over it is too low, and "
        f"arms that start from it share its advantage."
    )
    return {
        "file": given["file"],
        "form": given["form"],
        "sha256": given["sha256"],
        "metadata": given["metadata"],
        "sentence": sentence,
    }


def _kept_epoch(model: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The epoch whose weights were kept, or the last one if that is not recorded."""
    if not history:
        return None
    return next((h for h in history if h.get("epoch") == model.get("best_epoch")), history[-1])
