#!/usr/bin/env python3
"""Train the encoder of an arm end to end with a head, for one tested fold and replicate."""

import argparse
import json
from functools import partial
from importlib import import_module
from pathlib import Path

import torch

from virshort import __version__
from virshort.arm_record import Arm
from virshort.encoders.encoder import LoadSettings
from virshort.encoders.language_model import LoadParts
from virshort.encoders.precision import choose_device, choose_precision, exact_fp32
from virshort.encoders.reading import Reading
from virshort.encoders.weights import open_weights
from virshort.errors import InputError, RowError, run
from virshort.files import digest, read_json
from virshort.finetuning.files import FinetunedRecord, write_finetuned
from virshort.finetuning.sequences import as_read
from virshort.finetuning.training import TokenizedWindows, fine_tune, tokenized
from virshort.finetuning.windows import LabelledSequences, read_split
from virshort.heads.arm_data import TrainingSets, settings_of
from virshort.modalities import UNTRANSLATED


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--arm", type=Path, required=True, help="one entry of arms.json")
    p.add_argument("--data", type=Path, required=True, help="folder with the shards of its window set, and their manifests")
    p.add_argument("--window-sets", type=Path, required=True, help="window_sets.json")
    p.add_argument("--module", required=True, help="the library module that loads the encoder")
    p.add_argument("--weights", type=Path, required=True, help="the folder that holds the language model's fetched folder")
    p.add_argument("--reading", type=json.loads, help="how it reads sequences (JSON), if needed")
    p.add_argument("--fold", type=int, required=True, help="the fold that the split tests")
    p.add_argument("--replicate", type=int, required=True)
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--precision", default="auto", help="on a CPU, auto is fp32")
    p.add_argument("--device", default="auto")
    p.add_argument("--genetic-code", type=int, default=1)
    p.add_argument("--checkpoints", type=Path, help="folder from which interrupted training continues")
    p.add_argument("--code", default="", help="digest of this step's code; checkpoints of other code are not used")
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    arm: Arm = read_json(args.arm)
    sets: TrainingSets = read_json(args.window_sets)
    how = arm["finetune"]
    if args.precision == "fp16":
        raise InputError(f"arm {arm['name']}: fp16 is too narrow for training: use --precision auto, bf16 or fp32")
    device = choose_device(args.device)
    bf16 = choose_precision("fp32" if device.type == "cpu" and args.precision == "auto" else args.precision, device)
    low_precision = bf16 == torch.bfloat16
    exact_fp32()
    if device.type == "cpu":
        torch.set_num_threads(1)  # the same sums on any number of cores; splits and replicates are tasks of their own
        torch.use_deterministic_algorithms(True)
    weights = open_weights(args.weights, how["encoder"].removesuffix(UNTRANSLATED))
    reading = Reading(**args.reading) if args.reading else None
    load: LoadParts = import_module(args.module).parts_loader(weights.encoder, LoadSettings(reading=reading))
    parts = load(weights.folder, torch.float32, device)
    windows = read_split(args.data, sets, "short", args.fold, arm["training_folds"])
    translates = how["modality"] == "protein" and not how["encoder"].endswith(UNTRANSLATED)

    def read(part: LabelledSequences) -> TokenizedWindows:
        return tokenized(parts, as_read(part.sequences, translates, args.genetic_code), part.label)

    try:
        training, validation = map(read, windows)
    except RowError as e:
        raise InputError(f"arm {arm['name']}: a window cannot be read by {how['encoder']}: {e.why}") from e
    settings = settings_of(arm, args.seed, args.fold, args.replicate)
    key = digest(
        args.arm.read_bytes(),
        args.window_sets.read_bytes(),
        args.code,
        weights.digest,
        f"{args.seed} {args.fold} {args.replicate} {device.type} {low_precision}",
        *(b" ".join([*part.sequences, part.label.tobytes()]) for part in windows),
    )
    checkpoint = args.checkpoints and args.checkpoints / f"{key}.pt"
    done = fine_tune(parts, training, validation, settings, how, device, low_precision, checkpoint, partial(print, flush=True))
    record: FinetunedRecord = {
        "arm": arm["name"],
        "how": how,
        "weights": weights.digest,
        "fold": args.fold,
        "replicate": args.replicate,
        "training_windows": len(training),
        "validation_windows": len(validation),
        "trained_parameters": done.trained_parameters,
        "best_epoch": done.best_epoch,
        "history": done.history,
        "hyperparameters": {
            "epochs": arm["epochs"],
            "learning_rate": arm["learning_rate"],
            "dropout": arm["dropout"],
            "patience": arm["patience"],
            "weight_decay": arm["weight_decay"],
            "schedule": arm["schedule"],
            "adapters": how["adapters"],
            "batch_tokens": how["batch_tokens"],
            **({"rank": how["rank"], "alpha": how["alpha"]} if how["adapters"] == "lora" else {}),
        },
        "precision": "bf16" if low_precision else "fp32",
        "device": device.type,
        "provenance": {"virshort": __version__, "seed": args.seed, "torch": torch.__version__},
    }
    write_finetuned(args.out, done, record)
    if checkpoint:
        checkpoint.unlink(missing_ok=True)
    print(
        f"{arm['name']} fold {args.fold} replicate {args.replicate}: {len(training)} training windows, best epoch "
        f"{done.best_epoch} of {len(done.history)}, {done.trained_parameters} numbers trained"
    )


if __name__ == "__main__":
    run(main)
