#!/usr/bin/env python3
"""Train one arm: a head for every tested fold and replicate, side by side on the cores given.

A pretrained baseline is not trained: its head is judged and written as it is, the same for every fold and replicate."""

import argparse
import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"  # a head a core (see virshort.heads.training)

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from virshort import __version__
from virshort.errors import InputError, run
from virshort.features.tensors import join, spread
from virshort.features.window_features import WindowFeatures
from virshort.files import digest, read_json, whole, write_json
from virshort.heads import calibration
from virshort.heads.head import CLASSES, HIDDEN, Head
from virshort.heads.splits import shuffled_labels, split_rows
from virshort.heads.training import Data, Rows, Settings, as_it_is, evaluate, predict, train
from virshort.modalities import GIVEN


class Arm:
    """What all heads of an arm share: its settings and its rows."""

    def __init__(self, args: argparse.Namespace):
        self.args, self.arm, self.sets = args, read_json(args.arm), read_json(args.window_sets)
        short = self.sets["train"]["short"]
        self.pretrained = self.arm["start"] == "pretrained"
        self.spec = short if self.pretrained else self.sets["train"][self.arm["windows"]]
        self.windows = WindowFeatures(args.data, self.spec["pools"])
        self.label, self.fold = self.windows.column("label"), self.windows.column("fold")
        self.cluster, self.kingdom = (self.windows.codes(c)[0] for c in ("cluster", "kingdom"))
        # Arms are compared on the same validation windows, those of `short`, whatever they were trained on.
        self.short = self.windows if short["pools"] == self.spec["pools"] else WindowFeatures(args.data, short["pools"])
        self.short_label, self.short_fold = self.short.column("label"), self.short.column("fold")
        starts = sorted(args.start.rglob("model.safetensors")) if args.start else []
        self.key = digest(
            json.dumps(self.arm),
            args.code,
            str(args.seed),
            json.dumps(self.sets),
            self.windows.digest,
            *(p.read_bytes() for p in starts),
        )

    def rows(self, windows: WindowFeatures) -> Rows:
        return lambda which: windows.rows(which, self.arm["modalities"])

    def checked(self, windows: WindowFeatures, which: np.ndarray, label: np.ndarray) -> tuple:
        """Of windows that are judged: their rows, their labels, and where each window's rows begin."""
        rows, first = windows.rows_of(which)
        return rows, label[which], first

    def start(self, where: Path) -> tuple[dict | None, dict]:
        """The tensors that the head of a fold and replicate begins with, and the record of their model; none if random."""
        if self.arm["start"] == "random":
            return None, {}
        folder = self.args.start if self.pretrained else self.args.start / where
        return load_file(folder / "model.safetensors"), read_json(folder / "model.json")

    def check_encoders(self, about: dict) -> None:
        """Raise InputError where a pretrained head, which knows its encoders, was trained on others' rows."""
        known = {e["modality"]: e for e in about["encoders"] or []}
        for e in self.windows.encoders:
            of = known.get(e["modality"], e)
            if e["encoder"] != GIVEN and any(of[k] != e[k] for k in ("encoder", "weights", "pooling")):
                raise InputError(
                    f"--pretrained {about['pretrained']['file']}: trained on rows of {of['encoder']} (weights "
                    f"{of['weights']}), but these are of {e['encoder']} (weights {e['weights']}): use the same"
                )


_arm: Arm


def train_head(fold: int, replicate: int) -> str:
    """Train, judge and write the head of one fold and replicate. Returns a line for the log."""
    began = time.perf_counter()
    args, arm, sets = _arm.args, _arm.arm, _arm.sets
    folds, share = sets["folds"], sets["viral_share"]
    settings = Settings(
        **{k: arm[k] for k in ("epochs", "learning_rate", "batch_size", "dropout", "patience", "frozen")},
        seed=args.seed,
        fold=fold,
        replicate=replicate,
    )
    training, validation = split_rows(_arm.label, _arm.fold, fold, folds, _arm.spec["size"], share)
    label = _arm.label
    if arm["labels"] == "shuffled":
        label = shuffled_labels(label, _arm.cluster, _arm.kingdom, settings.number("labels"))
    where = Path(f"fold_{fold}") / f"replicate_{replicate}"
    start, about = _arm.start(where)
    checkpoint = args.checkpoints / _arm.key / f"{fold}_{replicate}.pt" if args.checkpoints else None
    inputs = _arm.windows.inputs(arm["modalities"])
    if start is not None and _arm.pretrained:
        _arm.check_encoders(about)
        training, validation, done = training[:0], validation[:0], as_it_is(start, about["threshold"])
    else:
        rows, first = _arm.windows.rows_of(training)
        data = Data(
            _arm.rows(_arm.windows),
            rows,
            spread(label[training], first, len(rows)),
            *_arm.checked(_arm.windows, validation, label),
        )
        done = train(data, inputs, settings, start, checkpoint)

    head = Head(inputs)
    head.load_state_dict({k: torch.from_numpy(v) for k, v in done.weights.items()})
    chosen = split_rows(_arm.short_label, _arm.short_fold, fold, folds, sets["train"]["short"]["size"], share)[1]
    selection, _ = evaluate(
        head, _arm.rows(_arm.short), *_arm.checked(_arm.short, chosen, _arm.short_label), threshold=done.threshold
    )
    # Calibrated where it was validated: on windows of its own set, or of `short` for a head that was not trained here.
    windows, which, known = (_arm.windows, validation, label) if done.history else (_arm.short, chosen, _arm.short_label)
    judged, known, first = _arm.checked(windows, which, known)
    fitted = calibration.fit(
        known, join(predict(head, _arm.rows(windows), judged), first), windows.length[which], windows.codes("cluster")[0][which]
    )
    folder = args.out / where
    with whole(folder / "model.safetensors") as path:
        save_file(done.weights, path)
    write_json(folder / "history.json", done.history)
    write_json(
        folder / "model.json",
        {
            "arm": arm["name"],
            "fold": fold,
            "replicate": replicate,
            "architecture": {"inputs": inputs, "hidden": HIDDEN, "classes": CLASSES, "dropout": arm["dropout"]},
            "modalities": arm["modalities"],
            "encoders": _arm.windows.encoders,
            "threshold": done.threshold,
            "calibration": fitted,
            "start": arm["start"],
            "pretrained": about.get("pretrained"),
            "frozen": arm["frozen"],
            "labels": arm["labels"],
            "window_set": arm["windows"],
            "hyperparameters": {k: arm[k] for k in ("epochs", "learning_rate", "batch_size", "dropout", "patience")},
            "best_epoch": done.best_epoch,
            "epochs_run": len(done.history),
            "trained_parameters": done.trained_parameters,
            "training_windows": len(training),
            "validation_windows": len(validation),
            "frame_rows": _arm.windows.frame_rows,
            "training": done.history[done.best_epoch - 1]["train"] if done.history else None,
            "validation": done.validation,
            "selection": selection,
            "provenance": {"virshort": __version__, "seed": args.seed, "torch": torch.__version__},
        },
    )
    trained = (
        f"{len(training)} training windows, best epoch {done.best_epoch} of {len(done.history)}" if done.history else "as it is"
    )
    return (
        f"{arm['name']} fold {fold} replicate {replicate}: {trained}, accuracy on validation windows of `short` "
        f"{selection['accuracy']:.3f}, {time.perf_counter() - began:.1f} s"
    )


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--arm", type=Path, required=True, help="one row of arms.json")
    p.add_argument("--data", type=Path, required=True, help="folder with manifests and features")
    p.add_argument("--code", default="", help="digest of this step's code: checkpoints of other code are not taken up")
    p.add_argument("--window-sets", type=Path, required=True)
    p.add_argument(
        "--start",
        type=Path,
        help="folder of the baseline's heads, for arms that start there; for the baseline itself, of the pretrained head",
    )
    p.add_argument("--checkpoints", type=Path, help="where interrupted training is taken up again")
    p.add_argument("--replicates", type=int, required=True)
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--cpus", type=int, default=1)
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    global _arm
    torch.set_num_threads(1)
    _arm = Arm(args)
    if _arm.arm["start"] != "random" and not args.start:
        raise InputError(f"arm {_arm.arm['name']}: its start is {_arm.arm['start']}: give the heads with --start")
    jobs = [(f, r) for f in _arm.sets["test_folds"] for r in range(args.replicates)]
    with ProcessPoolExecutor(min(args.cpus, len(jobs)), multiprocessing.get_context("fork")) as pool:
        try:
            for line in pool.map(train_head, *zip(*jobs, strict=True)):
                print(line, flush=True)
        except BrokenProcessPool as e:  # the kernel ends a process that takes too much
            raise MemoryError from e
    if args.checkpoints:
        for left in (args.checkpoints / _arm.key).glob("*.pt"):
            left.unlink(missing_ok=True)  # a task that outlived a killed run may do the same


if __name__ == "__main__":
    run(main)
