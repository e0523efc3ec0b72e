#!/usr/bin/env python3
"""Evaluate one arm's heads on every test set: each window by the heads of the split that tests its fold."""

import argparse
import os
import zlib
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the same sums whatever the cores

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load_file

from virshort.errors import InputError, run
from virshort.features.tensors import FRAMES, join, spread
from virshort.features.window_features import WindowFeatures
from virshort.files import read_json, whole, write_json
from virshort.heads.evaluation import Heads, describe, metrics, score_of

BLOCK = 1 << 14  # rows
MOST = len(FRAMES) - 1  # rows of a window


def load_heads(folder: Path, folds: list[int]) -> list[Heads]:
    """The heads of each replicate, by fold."""
    replicates = sorted(int(p.name.removeprefix("replicate_")) for p in (folder / f"fold_{folds[0]}").glob("replicate_*"))
    heads = []
    for r in replicates:
        where = {f: folder / f"fold_{f}" / f"replicate_{r}" for f in folds}
        missing = [str(w.relative_to(folder)) for w in where.values() if not (w / "model.json").exists()]
        if missing:
            raise InputError(f"{folder.name}: no model in {missing[0]}: resume the run")
        models = {f: read_json(w / "model.json") for f, w in where.items()}
        heads.append(
            Heads(
                {f: load_file(w / "model.safetensors") for f, w in where.items()},
                *({f: m[key] for f, m in models.items()} for key in ("threshold", "calibration")),
            )
        )
    return heads


def evaluate(windows: WindowFeatures, modalities: list[str], heads: list[Heads], arm: str, test_set: str, out: Path) -> dict:
    """Write predictions.parquet; return what metrics.json holds."""
    label, fold = windows.column("label"), windows.column("fold")
    odds = np.empty((len(heads), len(windows)), np.float32)
    path = out / "predictions.parquet"
    with whole(path) as temporary:
        writer = None
        first = 0
        size = BLOCK // MOST if windows.frame_rows else BLOCK
        for table in windows.tables(["window", "source", "cluster", "fold", "label"], size):
            which = np.arange(first, first + table.num_rows)
            first += table.num_rows
            rows, begin = windows.rows_of(which)
            x, row_fold = windows.rows(rows, modalities), spread(fold[which], begin, len(rows))
            for r, replicate in enumerate(heads):
                odds[r, which] = join(replicate.log_odds(x, row_fold), begin)
                score = score_of(odds[r, which])
                block = pa.table(
                    {
                        "window": table["window"],
                        "source": table["source"],
                        "cluster": table["cluster"],
                        "fold": table["fold"],
                        "replicate": np.full(len(which), r, np.int8),
                        "label": table["label"],
                        "score": score,
                        "log_odds": odds[r, which],
                        "call": replicate.calls(score, fold[which]),
                    }
                )
                writer = writer or pq.ParquetWriter(temporary, block.schema, compression="zstd")
                writer.write_table(block)
        writer.close()
    clusters = len(set(windows.codes("cluster")[1]))
    return {
        "arm": arm,
        "test_set": test_set,
        "replicates": len(heads),
        "windows": len(windows),
        "clusters": clusters,
        "frame_rows": windows.frame_rows,
        **metrics(label, fold, odds, heads),
        **describe(windows, odds, heads, test_set, np.random.default_rng(zlib.crc32(f"{arm} {test_set}".encode()))),
    }


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--arm", required=True)
    p.add_argument("--models", type=Path, required=True, help="folder with fold_<f>/replicate_<r>/")
    p.add_argument("--data", type=Path, required=True, help="folder with manifests and features of the test sets")
    p.add_argument("--window-sets", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True, help="gets <test set>/metrics.json and predictions.parquet")
    args = p.parse_args()

    sets = read_json(args.window_sets)
    folds = sets["test_folds"]
    heads = load_heads(args.models, folds)
    model = read_json(args.models / f"fold_{folds[0]}" / "replicate_0" / "model.json")
    for name, spec in sets["test"].items():
        windows = WindowFeatures(args.data, spec["pools"])
        used = {e["modality"]: e for e in model["encoders"]}
        for e in windows.encoders:
            if e["modality"] in model["modalities"] and e != used[e["modality"]]:
                raise InputError(
                    f"test set {name}: embedded by {e['encoder']}, but arm {args.arm} was trained on "
                    f"{used[e['modality']]['encoder']}: use one encoder for both"
                )
        found = evaluate(windows, model["modalities"], heads, args.arm, name, args.out / name)
        write_json(args.out / name / "metrics.json", found)
        accuracy = np.mean([row["accuracy"] for row in found["pooled"]])
        print(f"{args.arm} on {name}: {found['windows']} windows in and out, accuracy {accuracy:.3f}")


if __name__ == "__main__":
    run(main)
