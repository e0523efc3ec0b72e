#!/usr/bin/env python3
"""Write a model as VirNucPro's head (.pth), or features with their windows (--keep_features) as its merged files (.pt)."""

import argparse
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from safetensors.numpy import load_file

from virshort.encoders.catalogue import ENCODERS
from virshort.encoders.published import PUBLISHED
from virshort.errors import InputError, run
from virshort.features.tensors import FRAMES, ROWS, STRETCH, read_tensors
from virshort.features.virnucpro import DNA, write_head, write_merged
from virshort.files import content_digest, read_json


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    kinds = p.add_subparsers(dest="kind", required=True)
    head = kinds.add_parser("head", help="model.safetensors and model.json to a checkpoint or a whole pickled module")
    head.add_argument("model", type=Path, help="folder with model.safetensors and model.json")
    head.add_argument("out", type=Path, help="the .pth to write")
    head.add_argument("--whole", action="store_true", help="a pickled module, as VirNucPro's first version reads")
    merged = kinds.add_parser("merged", help="shards' features and manifests to one .pt a label; an id is window and frame")
    merged.add_argument("out", type=Path, help="folder for viral_merged.pt and nonviral_merged.pt")
    merged.add_argument("--features", type=Path, nargs="+", required=True, help="shard_*.features.safetensors")
    merged.add_argument("--windows", type=Path, nargs="+", required=True, help="shard_*.windows.parquet, same order")
    a = p.parse_args()
    if a.kind == "head":
        export_head(a.model, a.out, a.whole)
    else:
        export_merged(a.features, a.windows, a.out)


def export_head(model: Path, out: Path, whole: bool) -> None:
    about = read_json(model / "model.json")
    if about["modalities"] != ["dna", "protein"]:
        raise InputError(f"{model}: a head for {' and '.join(about['modalities'])} alone: VirNucPro reads both only")
    name = {e["modality"]: e["encoder"] for e in about["encoders"]}
    tensors = load_file(model / "model.safetensors")
    inputs = tensors["hidden_layer.weight"].shape[1]
    published = PUBLISHED.get(name["protein"])
    write_head(
        out,
        tensors,
        published.repo if published else name["protein"],
        {"arm": about["arm"], "threshold": about["threshold"]},
        whole,
        dna=inputs - published.dim if published else ENCODERS["dna"].get(name["dna"], DNA),
    )
    print(
        f"{out}: {'whole module' if whole else 'checkpoint'}, {inputs} inputs ({name['dna']}, {name['protein']}); "
        f"its own threshold is {about['threshold']:.4g}, VirNucPro calls at 0.5"
    )


def export_merged(features: list[Path], windows: list[Path], out: Path) -> None:
    if len(features) != len(windows):
        raise InputError(f"--features: {len(features)} files, but --windows: {len(windows)}")
    ids: list[str] = []
    rows, labels = [], []
    for table_path, path in zip(windows, features, strict=True):
        tensors, header = read_tensors(path)
        if header["manifest_digest"] != content_digest(table_path):
            raise InputError(f"{path.name}: follows other windows than {table_path.name}: give both in the same order")
        table = pq.read_table(table_path, columns=["window", "label"])
        of = tensors.get(ROWS)
        if of is None:
            of = np.column_stack([np.arange(table.num_rows), np.full(table.num_rows, STRETCH)])
        window = table["window"].to_pylist()
        ids += [f"{window[w]}{FRAMES[f]}" for w, f in of.tolist()]
        rows.append(np.concatenate([tensors["dna"], tensors["protein"]], 1, dtype=np.float32))
        labels.append(table["label"].to_numpy()[of[:, 0]])
    data, label = np.concatenate(rows), np.concatenate(labels)
    for name, value in (("viral", 1), ("nonviral", 0)):
        which = np.flatnonzero(label == value)
        write_merged(out / f"{name}_merged.pt", [ids[i] for i in which], data[which], value)
        print(f"{out / f'{name}_merged.pt'}: {len(which)} rows of {data.shape[1]}")


if __name__ == "__main__":
    run(main)
