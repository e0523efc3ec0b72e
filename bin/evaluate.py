#!/usr/bin/env python3
"""Evaluate one arm's heads on every test set. Each window is judged by the heads of the split that tests its fold."""

import argparse
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the same sums on any number of cores

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import InputError, run
from virshort.features.selected_windows import SelectedWindows
from virshort.features.window_features import WindowFeatures
from virshort.files import read_json, whole, write_json
from virshort.fold_roles import validated_by
from virshort.heads.evaluation import describe, ensemble_metrics, metrics, without_match
from virshort.heads.held_out import FILE as HELD_OUT
from virshort.heads.held_out import as_ensemble, best_matches, describe_held_out, rates_by_length, rates_by_rule
from virshort.heads.matches import telling_bits
from virshort.heads.metrics_record import Metrics
from virshort.heads.model_record import Model
from virshort.heads.pair_record import POOLED_RULE
from virshort.heads.pairing import fit_rule, fit_rules, heads_of_pairs, pooled_log_odds, read_pairs, read_together
from virshort.heads.prediction import (
    PREDICTIONS,
    Heads,
    matched_windows,
    prediction_tables,
    read_ensemble,
    read_heads,
    score_windows,
)
from virshort.heads.scoring import mean_of_replicates
from virshort.inference.held_out_rates import HeldOut
from virshort.modalities import MATCHES
from virshort.paired_sets import MATE, PAIR


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


@contextmanager
def predictions_writer(path: Path) -> Iterator[Callable[[pa.Table, np.ndarray, list[Heads]], None]]:
    """A function that adds a block of windows, their log-odds [replicates, block] and their calls to predictions.parquet."""
    with whole(path) as temporary, pq.ParquetWriter(temporary, PREDICTIONS, compression="zstd") as writer:

        def write(manifest: pa.Table, odds: np.ndarray, heads: list[Heads]) -> None:
            for table in prediction_tables(manifest, odds, heads):
                writer.write_table(table)

        yield write


def write_predictions(path: Path, windows: WindowFeatures, modalities: Sequence[str], heads: list[Heads]) -> np.ndarray:
    """Write predictions.parquet. Returns the log-odds [replicates, windows]."""
    odds = np.empty((len(heads), len(windows)), np.float32)
    done = 0
    with predictions_writer(path) as write:
        for manifest, block in score_windows(windows, modalities, heads):
            odds[:, done : done + manifest.num_rows] = block
            done += manifest.num_rows
            write(manifest, block, heads)
    return odds


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


def evaluate_pairs(
    out: Path,
    arm: str,
    windows: WindowFeatures,
    model: Model,
    heads: list[Heads],
    ensemble: Heads | None,
    sets: dict[str, Any],
    match_bits: float | None,
) -> None:
    """Evaluate one mate of each tested fragment (test set `mate`) and both (`pair`).

    How two mates are read together is fitted on the pairs of each split's validation fold, which its heads score for this, and
    once more for the mean of the replicates (ensemble: its thresholds; None if there is none). An exported model has the first
    replicate of each split, and reads mates by one rule, fitted on the same pairs. A pair matches if one of its mates does."""
    pairs, modalities = read_pairs(windows), model["modalities"]
    split = validated_by(pairs.fold, sets["folds"], sets["test_folds"])
    blocks = [odds for _, odds in score_windows(windows, modalities, heads, np.repeat(split, 2))]
    odds = np.concatenate(blocks, axis=1).reshape(len(heads), -1, 2)
    validating = pairs.select(split >= 0)
    rules = fit_rules(validating, split[split >= 0], odds)
    write_json(out / PAIR / "pair_rule.json", rules)
    rules_as_one = fit_rules(validating, split[split >= 0], mean_of_replicates(odds)[None]) if ensemble else []
    of_mates = (np.repeat(column, 2) for column in (split[split >= 0], validating.length))
    scaled = heads[0].calibrated(odds[0].ravel(), *of_mates).reshape(-1, 2)
    pooled = fit_rule(validating, scaled, "the run")
    write_json(out / PAIR / POOLED_RULE, pooled)

    tested = np.isin(pairs.fold, sets["test_folds"])
    which = np.flatnonzero(tested)
    both = heads_of_pairs(rules)
    one, two = (np.empty((len(heads), len(which)), np.float32) for _ in (MATE, PAIR))
    two_as_one = np.empty((1, len(which)), np.float32)
    by_head = np.full((2, len(pairs), 2), np.nan)  # calibrated log-odds by the heads that test, and that validate on, the fold
    by_head[1, split >= 0] = scaled
    done = 0
    with (
        predictions_writer(out / MATE / "predictions.parquet") as write_mate,
        predictions_writer(out / PAIR / "predictions.parquet") as write_pair,
    ):
        for manifest, block in score_windows(windows, modalities, heads, np.repeat(np.where(tested, pairs.fold, -1), 2)):
            single = manifest.take(np.arange(0, manifest.num_rows, 2))  # blocks have even sizes, so fragments are whole
            here = slice(done, done + single.num_rows)
            done += single.num_rows
            mates = block.reshape(len(heads), -1, 2)
            one[:, here] = mates[:, :, 0]
            of_mates = (np.repeat(column[which[here]], 2) for column in (pairs.fold, pairs.length))
            by_head[0, which[here]] = heads[0].calibrated(mates[0].ravel(), *of_mates).reshape(-1, 2)
            two[:, here] = read_together(pairs.select(which[here]), mates, rules)
            if rules_as_one:
                two_as_one[:, here] = read_together(pairs.select(which[here]), mean_of_replicates(mates)[None], rules_as_one)
            write_mate(single, one[:, here], heads)
            write_pair(named_by_fragment(single), two[:, here], both)
    tested_pairs, mates = pairs.select(which), as_ensemble(by_head[:, which])
    together = pooled_log_odds(mates, tested_pairs.overlap, tested_pairs.length, pooled)
    matched = matched_from(windows, match_bits)
    either = None if matched is None else matched[2 * which] | matched[2 * which + 1]
    rates = rates_by_rule(tested_pairs.label, tested_pairs.cluster, mates, together, tested_pairs.length, either)
    write_json(out / PAIR / HELD_OUT, describe_held_out(windows, rates, match_bits, matched))
    first_mates = SelectedWindows(windows, 2 * which)
    of_mate = metrics_of(arm, MATE, first_mates, one, heads)
    of_pair = metrics_of(arm, PAIR, first_mates, two, both) | {"pair_rules": rules}
    if ensemble:
        of_mate["ensemble"] = ensemble_metrics(first_mates, one, ensemble)
        (read_by,) = heads_of_pairs(rules_as_one)
        of_pair["ensemble"] = ensemble_metrics(first_mates, two_as_one, read_by)
    if model["cut"] is not None:
        matched = matched_windows(windows, modalities, heads[0], np.flatnonzero(np.repeat(tested, 2))).reshape(-1, 2)
        of_mate["without_match"] = without_match(first_mates, matched[:, 0])
        of_pair["without_match"] = without_match(first_mates, matched[:, 0] | matched[:, 1])
    write_metrics(out, of_mate)
    write_metrics(out, of_pair)


def matched_from(windows: WindowFeatures, match_bits: float | None) -> np.ndarray | None:
    """Which windows have a match of at least so many bits, [n] bool; None where no match counts."""
    return None if match_bits is None else best_matches(windows).max(axis=1) >= match_bits


def held_out_rates(
    windows: WindowFeatures,
    modalities: Sequence[str],
    odds: np.ndarray,
    head: Heads,
    sets: dict[str, Any],
    match_bits: float | None,
) -> HeldOut:
    """held_out.json of a test set. odds: [windows] by the first replicate, which an exported model holds; head: its heads;
    match_bits: from how many bits a match counts."""
    label, fold, length = windows.column("label"), windows.column("fold"), windows.length
    split = validated_by(fold, sets["folds"], sets["test_folds"])
    by_head = np.full((2, len(windows)), np.nan)
    by_head[0] = head.calibrated(odds, fold, length)
    if (here := split >= 0).any():
        validated = np.concatenate([block[0] for _, block in score_windows(windows, modalities, [head], split)])
        by_head[1, here] = head.calibrated(validated, split[here], length[here])
    matched = matched_from(windows, match_bits)
    rates = rates_by_length(label, windows.codes("cluster")[0], as_ensemble(by_head), length, matched=matched)
    return describe_held_out(windows, rates, match_bits, matched)


def named_by_fragment(manifest: pa.Table) -> pa.Table:
    """The rows of first mates, with the id of the fragment in place of that of the mate, which ends in /1."""
    ids = [name.removesuffix("/1") for name in manifest["window"].to_pylist()]
    return manifest.set_column(manifest.schema.get_field_index("window"), "window", pa.array(ids, pa.string()))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--arm", required=True, help="its name")
    p.add_argument("--models", type=Path, required=True, help="folder with fold_<f>/replicate_<r>/")
    p.add_argument("--data", type=Path, required=True, help="folder with manifests and features of the test sets")
    p.add_argument("--window-sets", type=Path, required=True, help="window_sets.json")
    p.add_argument("--out", type=Path, required=True, help="gets <test set>/metrics.json and predictions.parquet")
    args = p.parse_args()

    sets = read_json(args.window_sets)
    heads, model = read_heads(args.models, sets["test_folds"])
    ensemble = read_ensemble(args.models, sets["test_folds"])
    match_bits = None
    if MATCHES in model["modalities"]:  # one number of bits for all test sets, of which the first is `short`
        first = WindowFeatures(args.data, next(iter(sets["test"].values()))["pools"])
        match_bits = telling_bits(first.column("label"), best_matches(first))
    for name, test_set in sets["test"].items():
        windows = WindowFeatures(args.data, test_set["pools"])
        check_encoders(windows, model, args.arm, name)
        if name == PAIR:
            evaluate_pairs(args.out, args.arm, windows, model, heads, ensemble, sets, match_bits)
            continue
        odds = write_predictions(args.out / name / "predictions.parquet", windows, model["modalities"], heads)
        write_json(
            args.out / name / HELD_OUT, held_out_rates(windows, model["modalities"], odds[0], heads[0], sets, match_bits)
        )
        found = metrics_of(args.arm, name, windows, odds, heads)
        if ensemble:
            found["ensemble"] = ensemble_metrics(windows, odds, ensemble)
        if model["cut"] is not None:
            matched = matched_windows(windows, model["modalities"], heads[0], np.arange(len(windows)))
            found["without_match"] = without_match(windows, matched)
        write_metrics(args.out, found)


if __name__ == "__main__":
    run(main)
