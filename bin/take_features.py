#!/usr/bin/env python3
"""Write ready features as shards of windows with their folds: tested folds in one pool, the other folds in another."""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import run
from virshort.features.ready_features import Block, read_blocks
from virshort.features.tensors import ROWS, write_tensors
from virshort.features.virnucpro import DNA
from virshort.files import digest, read_json, write_json
from virshort.manifest_files import write_manifest
from virshort.modalities import GIVEN, EncoderRecord
from virshort.sources.samplesheet import read_samplesheet

POOLS = ("given/tested", "given/others")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--features", type=Path, required=True, help="the sheet")
    p.add_argument("--files", type=Path, nargs="+", required=True, help="the files it names, in its order")
    p.add_argument("--family-column", default="family", help="the column that gives the family of a contig")
    p.add_argument("--folds", type=Path, required=True, help="folds.parquet")
    p.add_argument("--folds-json", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    folds = read_json(args.folds_json)
    table = pq.read_table(args.folds, columns=["source", "kingdom", "family", "cluster", "fold"])
    source_of = {row.pop("source"): row for row in table.to_pylist()}
    written = dict.fromkeys(POOLS, 0)
    windows = rows = in_test = 0
    for block in read_blocks(read_samplesheet(args.features, "features", args.family_column), args.files):
        about = [source_of[source or window] for source, window in zip(block.source, block.window, strict=True)]
        tested = np.array([a["fold"] in folds["test_folds"] for a in about])
        for pool, which in zip(POOLS, (tested, ~tested), strict=True):
            if which.any():
                write(args.out, f"{pool.replace('/', '.')}.shard_{written[pool]:05d}", block, about, np.flatnonzero(which))
                written[pool] += 1
        windows, rows, in_test = windows + len(tested), rows + len(block.data), in_test + int(tested.sum())
    pools = [pool for pool in POOLS if written[pool]]
    write_json(
        args.out / "window_sets.json",
        {
            "train": {"short": {"pools": pools, "size": None, "notes": []}},
            "test": {"short": {"pools": POOLS[:1], "size": in_test, "notes": []}},
            "viral_share": None,
            "folds": folds["folds"],
            "test_folds": folds["test_folds"],
        },
    )
    print(f"{rows} rows of {windows} chunks in and out")


def write(folder: Path, name: str, block: Block, about: list[dict], which: np.ndarray) -> None:
    """Write the manifest and the features of some of a block's windows."""
    manifest = pa.table(
        {
            "window": [block.window[i] for i in which],
            "source": [block.source[i] or block.window[i] for i in which],
            "label": block.label[which],
            "kingdom": [about[i]["kingdom"] for i in which],
            "family": pa.array([about[i]["family"] for i in which], pa.string()),
            "cluster": [about[i]["cluster"] for i in which],
            "fold": np.array([about[i]["fold"] for i in which], np.int8),
            "gc": pa.nulls(len(which), pa.float32()),
        }
    )
    windows_digest = digest(*(block.window[i] for i in which))
    write_manifest(folder / f"{name}.windows.parquet", manifest, windows_digest)
    rows = np.isin(block.rows[:, 0], which)
    table = block.rows[rows]
    table[:, 0] = np.searchsorted(which, table[:, 0])
    encoders: list[EncoderRecord] = [
        {"modality": m, "encoder": GIVEN, "weights": "", "pooling": ""} for m in ("dna", "protein")
    ]
    write_tensors(
        folder / f"{name}.{GIVEN}.safetensors",
        {"dna": block.data[rows, :DNA], "protein": block.data[rows, DNA:], ROWS: table},
        {"windows_digest": windows_digest, "encoders": json.dumps(encoders)},
    )


if __name__ == "__main__":
    run(main)
