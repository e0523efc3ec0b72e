#!/usr/bin/env python3
"""Evaluate one arm's heads on every test set. Each window is judged by the heads of the split that tests its fold."""

import argparse
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the same sums on any number of cores

import numpy as np
import pyarrow as pa

from virshort.arm_record import EXPORTED
from virshort.errors import InputError, run
from virshort.features.selected_windows import SelectedWindows
from virshort.features.window_features import WindowFeatures
from virshort.files import read_json, write_json
from virshort.fold_roles import validated_by
from virshort.heads.evaluation import describe, ensemble_metrics, metrics, without_match
from virshort.heads.held_out import FILE as HELD_OUT
from virshort.heads.held_out import (
    as_ensemble,
    best_matches,
    calibrated_by_unseen,
    describe_held_out,
    rates_by_length,
    rates_of_pairs,
)
from virshort.heads.matches import telling_bits
from virshort.heads.metrics_record import Metrics
from virshort.heads.model_record import Model
from virshort.heads.pair_record import POOLED_RULE
from virshort.heads.pairing import fit_rule, heads_of_pairs, judge_pairs, read_pairs
from virshort.heads.prediction import (
    Heads,
    described,
    matched_windows,
    read_ensemble,
    read_heads,
    score_windows,
    write_predictions,
)
from virshort.heads.scoring import mean_of_replicates
from virshort.modalities import MATCHES
from virshort.paired_sets import MATE, PAIR

PREDICTIONS_FILE = "predictions.parquet"


@dataclass(frozen=True)
class Job:
    """An arm that is evaluated.

    heads: of each replicate; ensemble: the thresholds and calibrations of their mean, None if there are none; folds: how many
    there are; exported: whether the arm may become a model, which needs held_out.json and one rule for the pairs of all
    splits; match_bits: from how many bits a match counts there, None if none does."""

    arm: str
    out: Path
    model: Model
    heads: list[Heads]
    ensemble: Heads | None
    folds: int
    test_folds: list[int]
    exported: bool
    match_bits: float | None


def check_encoders(windows: WindowFeatures, model: Model, arm: str, test_set: str) -> None:
    """Raise InputError where test windows were embedded by another encoder than the arm was trained with."""
    used = {e["modality"]: e for e in model["encoders"] or []}
    for encoder in windows.encoders:
        modality = encoder["modality"]
        if modality in model["modalities"] and encoder != used[modality]:
            raise InputError(
                f"test set {test_set}: embedded by {encoder['encoder']}, but arm {arm} was trained on features of "
                f"{used[modality]['encoder']}: use one encoder for both"
            )


def metrics_of(arm: str, name: str, windows: WindowFeatures | SelectedWindows, odds: np.ndarray, heads: list[Heads]) -> Metrics:
    """What metrics.json says of any test set. odds: [replicates, windows]."""
    return {
        "arm": arm,
        "test_set": name,
        "replicates": len(heads),
        "windows": len(windows),
        "clusters": len(windows.codes("cluster")[1]),
        "frame_rows": windows.frame_rows if isinstance(windows, WindowFeatures) else None,
        **metrics(windows.column("label"), windows.column("fold"), odds, heads),
        **describe(windows, odds, heads, name, np.random.default_rng(zlib.crc32(f"{arm} {name}".encode()))),
    }


def write_metrics(out: Path, found: Metrics) -> None:
    """Write metrics.json of a test set."""
    arm, name = found["arm"], found["test_set"]
    write_json(out / name / "metrics.json", found)
    accuracy = np.mean([row["accuracy"] for row in found["pooled"]])
    things = "pairs" if name == PAIR else "windows"
    print(f"{arm} on {name}: {found['windows']} {things} in and out, accuracy {accuracy:.3f}")


def evaluate_windows(job: Job, name: str, windows: WindowFeatures) -> None:
    """Evaluate single windows."""
    heads, modalities = job.heads, job.model["modalities"]
    judges = [*heads, heads[0].by_validation_fold(job.folds)] if job.exported else heads
    scored = score_windows(windows, modalities, judges)
    odds = scored[: len(heads)]
    write_predictions(job.out / name / PREDICTIONS_FILE, described(windows), odds, heads)
    found = metrics_of(job.arm, name, windows, odds, heads)
    if job.ensemble:
        found["ensemble"] = ensemble_metrics(windows, odds, job.ensemble)
    if job.model["cut"] is not None:
        matched = matched_windows(windows, modalities, heads[0], np.arange(len(windows)))
        found["without_match"] = without_match(windows, matched)
    write_metrics(job.out, found)
    if job.exported:
        fold, length, cluster = windows.column("fold"), windows.length, windows.codes("cluster")[0]
        by_head = calibrated_by_unseen(heads[0], job.folds, scored[[0, -1]], fold, length)
        with_match = matched_from(windows, job.match_bits)
        rates = rates_by_length(windows.column("label"), cluster, as_ensemble(by_head), length, matched=with_match)
        write_json(job.out / name / HELD_OUT, describe_held_out(windows, rates, job.match_bits, with_match))


def evaluate_pairs(job: Job, windows: WindowFeatures) -> None:
    """Evaluate one mate of each tested fragment (test set `mate`) and both (`pair`).

    How two mates are read together is fitted on the pairs of each split's validation fold, which its heads score for this, and
    once more for the mean of the replicates. A pair matches if one of its mates does."""
    heads, modalities = job.heads, job.model["modalities"]
    pairs = read_pairs(windows)
    split = validated_by(pairs.fold, job.folds, job.test_folds)
    tested = np.flatnonzero(np.isin(pairs.fold, job.test_folds))
    judges = [*heads, *(h.by_validation_fold(job.folds) for h in heads)]
    odds = score_windows(windows, modalities, judges).reshape(2, len(heads), -1, 2)
    rules, together = judge_pairs(pairs, tested, split, odds)
    write_json(job.out / PAIR / "pair_rule.json", rules)

    first = SelectedWindows(windows, 2 * tested)
    judged = {MATE: (odds[0][:, tested, 0], heads), PAIR: (together, heads_of_pairs(rules))}
    found = {name: metrics_of(job.arm, name, first, *how) for name, how in judged.items()}
    found[PAIR]["pair_rules"] = rules
    for name, how in judged.items():
        blocks = first_mates(described(windows), job.test_folds, by_fragment=name == PAIR)
        write_predictions(job.out / name / PREDICTIONS_FILE, blocks, *how)
    if job.ensemble:
        mean = np.stack([mean_of_replicates(o) for o in odds])
        mean_rules, mean_together = judge_pairs(pairs, tested, split, mean[:, None])
        found[MATE]["ensemble"] = ensemble_metrics(first, judged[MATE][0], job.ensemble)
        found[PAIR]["ensemble"] = ensemble_metrics(first, mean_together, *heads_of_pairs(mean_rules))
    if job.model["cut"] is not None:
        mates = (2 * tested[:, None] + [0, 1]).ravel()
        matched = matched_windows(windows, modalities, heads[0], mates).reshape(-1, 2)
        found[MATE]["without_match"] = without_match(first, matched[:, 0])
        found[PAIR]["without_match"] = without_match(first, matched[:, 0] | matched[:, 1])
    for of_set in found.values():
        write_metrics(job.out, of_set)
    if job.exported:
        fold, length = (np.repeat(column, 2) for column in (pairs.fold, pairs.length))
        by_head = calibrated_by_unseen(heads[0], job.folds, odds[:, 0].reshape(2, -1), fold, length).reshape(2, -1, 2)
        pooled = fit_rule(pairs.select(split >= 0), by_head[1, split >= 0], "the run")
        write_json(job.out / PAIR / POOLED_RULE, pooled)
        with_match = matched_from(windows, job.match_bits)
        either = None if with_match is None else with_match[2 * tested] | with_match[2 * tested + 1]
        rates = rates_of_pairs(pairs.select(tested), as_ensemble(by_head[:, tested]), pooled, either)
        write_json(job.out / PAIR / HELD_OUT, describe_held_out(windows, rates, job.match_bits, with_match))


def matched_from(windows: WindowFeatures, match_bits: float | None) -> np.ndarray | None:
    """Which windows have a match of at least so many bits, [n] bool; None where no match counts."""
    return None if match_bits is None else best_matches(windows).max(axis=1) >= match_bits


def first_mates(blocks: Iterable[pa.Table], test_folds: Sequence[int], by_fragment: bool) -> Iterator[pa.Table]:
    """The first mates of tested fragments. blocks: of even sizes, so that fragments are whole; by_fragment: their names are
    those of the fragments, without the /1 of a mate."""
    for block in blocks:
        mates = block.filter(np.isin(block["fold"].to_numpy(), test_folds))
        first = mates.take(np.arange(0, mates.num_rows, 2))
        if by_fragment:
            ids = pa.array([name.removesuffix("/1") for name in first["window"].to_pylist()], pa.string())
            first = first.set_column(first.schema.get_field_index("window"), "window", ids)
        yield first


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--arm", required=True, help="its name")
    p.add_argument("--models", type=Path, required=True, help="folder with fold_<f>/replicate_<r>/")
    p.add_argument("--data", type=Path, required=True, help="folder with manifests and features of the test sets")
    p.add_argument("--window-sets", type=Path, required=True, help="window_sets.json")
    p.add_argument("--role", required=True, help="of the arm: one that may become a model gets what a model tells of itself")
    p.add_argument("--out", type=Path, required=True, help="gets <test set>/metrics.json and predictions.parquet")
    args = p.parse_args()

    sets = read_json(args.window_sets)
    tested: list[int] = sets["test_folds"]
    heads, model = read_heads(args.models, tested)
    ensemble = read_ensemble(args.models, tested)
    exported, match_bits = args.role in EXPORTED, None
    if exported and MATCHES in model["modalities"]:  # one number for all test sets, of which the first is of short windows
        short = WindowFeatures(args.data, next(iter(sets["test"].values()))["pools"])
        match_bits = telling_bits(short.column("label"), best_matches(short))
    job = Job(args.arm, args.out, model, heads, ensemble, sets["folds"], tested, exported, match_bits)
    for name, test_set in sets["test"].items():
        windows = WindowFeatures(args.data, test_set["pools"])
        check_encoders(windows, model, args.arm, name)
        if name == PAIR:
            evaluate_pairs(job, windows)
        else:
            evaluate_windows(job, name, windows)


if __name__ == "__main__":
    run(main)
