#!/usr/bin/env python3
"""Evaluate one arm's heads on every test set. Each window is judged by the heads of the split that tests its fold."""

import argparse
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the same sums on any number of cores

import numpy as np
import pyarrow.parquet as pq

from virshort.errors import InputError, run
from virshort.features.window_features import WindowFeatures
from virshort.files import read_json, whole, write_json
from virshort.heads.evaluation import describe, ensemble_metrics, metrics, without_match
from virshort.heads.metrics_record import Metrics
from virshort.heads.model_record import Model
from virshort.heads.prediction import (
    PREDICTIONS,
    Heads,
    matched_windows,
    prediction_tables,
    read_ensemble,
    read_heads,
    score_windows,
)


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


def write_predictions(path: Path, windows: WindowFeatures, modalities: Sequence[str], heads: list[Heads]) -> np.ndarray:
    """Write predictions.parquet. Returns the log-odds [replicates, windows]."""
    odds = np.empty((len(heads), len(windows)), np.float32)
    done = 0
    with whole(path) as temporary, pq.ParquetWriter(temporary, PREDICTIONS, compression="zstd") as writer:
        for manifest, block in score_windows(windows, modalities, heads):
            odds[:, done : done + manifest.num_rows] = block
            done += manifest.num_rows
            for table in prediction_tables(manifest, block, heads):
                writer.write_table(table)
    return odds


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
    for name, test_set in sets["test"].items():
        windows = WindowFeatures(args.data, test_set["pools"])
        check_encoders(windows, model, args.arm, name)
        odds = write_predictions(args.out / name / "predictions.parquet", windows, model["modalities"], heads)
        label, fold = windows.column("label"), windows.column("fold")
        found: Metrics = {
            "arm": args.arm,
            "test_set": name,
            "replicates": len(heads),
            "windows": len(windows),
            "clusters": len(windows.codes("cluster")[1]),
            "frame_rows": windows.frame_rows,
            **metrics(label, fold, odds, heads),
            **describe(windows, odds, heads, name, np.random.default_rng(zlib.crc32(f"{args.arm} {name}".encode()))),
        }
        if ensemble:
            found["ensemble"] = ensemble_metrics(windows, odds, ensemble)
        if model["cut"] is not None:
            found["without_match"] = without_match(windows, matched_windows(windows, model["modalities"], heads[0]))
        write_json(args.out / name / "metrics.json", found)
        accuracy = np.mean([row["accuracy"] for row in found["pooled"]])
        print(f"{args.arm} on {name}: {len(windows)} windows in and out, accuracy {accuracy:.3f}")


if __name__ == "__main__":
    run(main)
