#!/usr/bin/env python3
"""Search the windows of a shard by translation against the sources of every fold but their own, and keep the best matches."""

import argparse
import json
from functools import partial
from pathlib import Path

import numpy as np

from virshort.errors import run
from virshort.features.frames import find_rows, row_tensors
from virshort.features.tensors import write_tensors
from virshort.files import content_digest
from virshort.homology.databases import LIST, read_list
from virshort.homology.searching import LAYOUT, compile_search, search
from virshort.homology.shapes import SENSITIVITIES
from virshort.manifest_files import read_columns
from virshort.modalities import EncoderRecord
from virshort.windows.shards import read_listed_shard


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--shard", type=Path, required=True, help="shard_00000.fa.gz")
    p.add_argument("--manifest", type=Path, required=True, help="shard_00000.windows.parquet")
    p.add_argument("--databases", type=Path, required=True, help="the folder that homology_databases.py wrote")
    p.add_argument("--sensitivity", choices=SENSITIVITIES, default="default")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--genetic-code", type=int, default=1)
    p.add_argument("--frames", choices=["longest", "all"], default="longest", help="which rows a window has, as for embed.py")
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    shard = read_listed_shard(args.shard, args.manifest)
    fold = read_columns(args.manifest, ["fold"])["fold"].to_numpy()
    folds, databases = read_list(args.databases)
    compile_search()
    found = search(
        shard.sequences,
        fold,
        args.databases,
        databases,
        folds,
        args.genetic_code,
        SENSITIVITIES[args.sensitivity],
        args.threads,
        partial(print, flush=True),
    ).scores
    table = find_rows(shard.sequences, args.frames, args.genetic_code)
    rows = found.reshape(len(found), -1).astype(np.float16)[table.window]
    made_by: EncoderRecord = {
        "modality": "homology",
        "encoder": "homology",
        "weights": content_digest(args.databases / LIST),
        "pooling": f"best match by fold and label, sensitivity {args.sensitivity}",
    }
    write_tensors(
        args.out,
        row_tensors("homology", rows, table, args.frames),
        {
            "encoders": json.dumps([made_by]),
            "layout": LAYOUT,
            "precision": "fp32",
            "device": "cpu",
            "windows_digest": shard.digest,
        },
    )
    matched = np.count_nonzero(found[..., 0].any(axis=(1, 2)))
    print(f"{len(found)} windows in, of which {matched} match, {len(rows)} rows of {rows.shape[1]} out")


if __name__ == "__main__":
    run(main)
