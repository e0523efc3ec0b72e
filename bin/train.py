#!/usr/bin/env python3
"""Train one arm: a head for each tested fold and replicate, as many at once as there are cores.

A pretrained baseline is not trained: its head is judged and written as it is, the same for every fold and replicate. An arm
that believes the matches of a homology search, or that combines other arms, is fitted on validation windows. The models of an
arm whose encoder was trained end to end (finetune.py) are judged, and get a threshold and a calibration."""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, fields
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"  # one core per head (see virshort.heads.training)

from virshort.arm_record import Arm
from virshort.errors import InputError, run
from virshort.features.window_features import WindowFeatures
from virshort.files import digest, read_json, write_json
from virshort.heads.arm_data import ArmData, ArmWindows, HeadFiles, TrainingSets, settings_of
from virshort.heads.ensemble import ValidationOdds, fit_ensemble
from virshort.heads.finetuned import RECORD as ENCODER_RECORD
from virshort.heads.finetuned import copy_finetuned
from virshort.heads.model_files import ensemble_of, folder_of, read_head, read_model, write_head
from virshort.heads.settings import Settings

Make = Callable[[Settings], HeadFiles]
"""Makes the model of one fold and replicate."""


@dataclass(frozen=True)
class Job:
    """What the heads of the arm share."""

    data: ArmData
    make: Make
    start: dict[str, Path]
    seed: int
    out: Path


FITTED = ("fitted", "parts")
"""Starts of arms that are fitted on validation windows."""
END_TO_END = "end_to_end"
"""The start of an arm whose encoder was trained end to end."""

_job: Job
"""Set before the workers are forked, because features that are mapped from files cannot be sent to them."""


def write_trained_head(fold: int, replicate: int) -> tuple[str, ValidationOdds | None]:
    """Train and write the head of one fold and replicate. Returns a line for the log, and what the head says of its validation
    windows."""
    began = time.perf_counter()
    arm, where = _job.data.arm, folder_of(fold, replicate)
    head = _job.make(settings_of(arm, _job.seed, fold, replicate))
    write_head(_job.out / where, head.weights, head.record)
    write_json(_job.out / where / "history.json", head.history)
    record = head.record
    how = f"{record['training_windows']} training windows, best epoch {record['best_epoch']} of {record['epochs_run']}"
    if arm["start"] == "pretrained":
        how = "not trained here"
    elif arm["start"] in FITTED:
        how = f"fitted on {record['validation_windows']} validation windows"
    for source in encoders_of(arm, _job.start, fold, replicate):
        copy_finetuned(source, _job.out / where)
    line = (
        f"{arm['name']} fold {fold} replicate {replicate}: {how}, "
        f"accuracy on validation windows of `short` {record['selection']['accuracy']:.3f}, {time.perf_counter() - began:.1f} s"
    )
    return line, head.validation


def encoders_of(arm: Arm, start: dict[str, Path], fold: int, replicate: int) -> list[Path]:
    """The folders of the encoders that a model of the arm holds since they were trained end to end: its own, or a part's."""
    if arm["start"] == END_TO_END:
        return [trained_encoder(start, fold, replicate)]
    parts = [start[name] / folder_of(fold, replicate) for name in arm["combine"]]
    return [part for part in parts if (part / ENCODER_RECORD).exists()]


def trained_encoder(start: dict[str, Path], fold: int, replicate: int) -> Path:
    """The folder of a model that was trained end to end."""
    return start[f"fold_{fold}_replicate_{replicate}"]


def training(data: ArmData, start: dict[str, Path], checkpoints: Path | None) -> Make:
    """How heads are trained, or kept if they are given. start: the folders of the models that they begin with, by arm."""
    import torch  # takes two seconds

    from virshort.heads.arm_training import Start, keep_head, train_head

    torch.set_num_threads(1)
    arm = data.arm

    def keep(settings: Settings) -> HeadFiles:
        (folder,) = start.values()
        return keep_head(data, settings, Start(*read_head(folder)))

    def train(settings: Settings) -> HeadFiles:
        where = folder_of(settings.fold, settings.replicate)
        begin = Start(*read_head(start[arm["begins_with"][0]] / where)) if arm["start"] == "baseline" else None
        checkpoint = checkpoints / f"{settings.fold}_{settings.replicate}.pt" if checkpoints else None
        return train_head(data, settings, begin, checkpoint)

    return keep if arm["start"] == "pretrained" else train


def fitting(data: ArmData, start: dict[str, Path]) -> Make:
    """How models are fitted on validation windows, without torch. start: the folders of the models that an arm combines, or of
    those that were trained end to end."""
    from virshort.heads.stacking import EndToEnd, PartModel, fit_combined, fit_matches, take_log_odds

    def take(settings: Settings) -> HeadFiles:
        # virshort.finetuning.files.FinetunedRecord
        found = read_json(trained_encoder(start, settings.fold, settings.replicate) / ENCODER_RECORD)
        return take_log_odds(data, settings, EndToEnd(**{f.name: found[f.name] for f in fields(EndToEnd)}))

    def match(settings: Settings) -> HeadFiles:
        return fit_matches(data, settings)

    def combine(settings: Settings) -> HeadFiles:
        where = folder_of(settings.fold, settings.replicate)
        return fit_combined(data, settings, [PartModel(*read_model(start[name] / where)) for name in data.arm["combine"]])

    return {"parts": combine, "fitted": match, END_TO_END: take}[data.arm["start"]]


def read_data(arm: Arm, sets: TrainingSets, folder: Path) -> ArmData:
    """The windows that an arm is trained on and judged on. A pretrained baseline has no training windows."""
    short_set = sets["train"]["short"]
    own_set = sets["train"][arm["windows"] or "short"]
    short = ArmWindows(WindowFeatures(folder, short_set["pools"]), short_set["size"], arm["modalities"])
    if own_set == short_set:
        return ArmData(arm, sets, short, short)
    return ArmData(arm, sets, ArmWindows(WindowFeatures(folder, own_set["pools"]), own_set["size"], arm["modalities"]), short)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--arm", type=Path, required=True, help="one entry of arms.json")
    p.add_argument("--data", type=Path, required=True, help="folder with manifests and features")
    p.add_argument("--code", default="", help="digest of this step's code; checkpoints of other code are not used")
    p.add_argument("--window-sets", type=Path, required=True, help="window_sets.json")
    p.add_argument(
        "--start",
        type=Path,
        nargs="+",
        help="folders of the models to begin with, named like their arms: the baseline's, the pretrained head, or those of the "
        "arms that are combined; of an arm that is trained end to end, all folders that finetune.py wrote",
    )
    p.add_argument("--checkpoints", type=Path, help="folder from which interrupted training continues")
    p.add_argument("--replicates", type=int, required=True, help="heads for each tested fold")
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--cpus", type=int, default=1, help="heads that are trained at once")
    p.add_argument("--out", type=Path, required=True, help="gets fold_<f>/replicate_<r>/")
    args = p.parse_args()

    global _job
    arm: Arm = read_json(args.arm)
    sets: TrainingSets = read_json(args.window_sets)
    start = {path.name: path for path in args.start or []}
    heads = [(f, r) for f in sets["test_folds"] for r in range(args.replicates)]
    needed = {*start} or {"head"} if arm["start"] == "pretrained" else {*arm["begins_with"]}
    if arm["start"] == END_TO_END:
        needed = {f"fold_{f}_replicate_{r}" for f, r in heads}
    if {*start} != needed:
        raise InputError(
            f"arm {arm['name']}: its start is {arm['start']}: "
            + (f"give the models of {', '.join(sorted(needed))} with --start" if needed else "remove --start")
        )
    data = read_data(arm, sets, args.data)
    starts = sorted(model for path in start.values() for model in path.rglob("model.safetensors"))
    key = digest(
        json.dumps(arm),
        args.code,
        str(args.seed),
        json.dumps(sets),
        data.windows.features.digest,
        *(path.read_bytes() for path in starts),
    )
    checkpoints = args.checkpoints and args.checkpoints / key
    # Both import what they need before workers are forked
    fits = arm["start"] in (*FITTED, END_TO_END)
    make = fitting(data, start) if fits else training(data, start, checkpoints)
    _job = Job(data, make, start, args.seed, args.out)
    with ProcessPoolExecutor(min(args.cpus, len(heads)), multiprocessing.get_context("fork")) as pool:
        try:
            said: dict[int, list[ValidationOdds | None]] = {f: [] for f in sets["test_folds"]}
            for (fold, _), (line, odds) in zip(heads, pool.map(write_trained_head, *zip(*heads, strict=True)), strict=True):
                print(line, flush=True)
                said[fold].append(odds)
        except BrokenProcessPool as e:  # the kernel ends a process that takes too much memory
            raise MemoryError from e
    for fold, replicates in said.items():
        known = [odds for odds in replicates if odds]
        if len(known) > 1:
            write_json(args.out / ensemble_of(fold), fit_ensemble(known))
    if checkpoints:
        for path in checkpoints.glob("*.pt"):
            path.unlink(missing_ok=True)  # a task that outlived a killed run may remove them too


if __name__ == "__main__":
    run(main)
