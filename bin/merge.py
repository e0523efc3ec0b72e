#!/usr/bin/env python3
"""Put the modalities of a shard side by side, after checking that they follow the same windows."""

import argparse
import json
from pathlib import Path

import pyarrow.parquet as pq

from virshort.errors import InputError, run
from virshort.features import read_tensors, write_tensors
from virshort.shards import manifest_digest


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--manifest", type=Path, required=True)
    p.add_argument("--embeddings", type=Path, nargs="+", required=True)
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    expected, windows = manifest_digest(args.manifest), pq.read_metadata(args.manifest).num_rows
    tensors, encoders = {}, []
    for path in args.embeddings:
        found, header = read_tensors(path)
        rows = found["embeddings"]
        if header["windows_digest"] != expected:
            raise InputError(f"{path.name}: embeds other windows than {args.manifest.name} lists: resume the run")
        if len(rows) != windows:
            last = pq.read_table(args.manifest, columns=["window"])["window"][min(len(rows), windows - 1)]
            raise InputError(f"{path.name}: {len(rows)} rows for {windows} windows, the first amiss is {last}: resume the run")
        tensors[header["modality"]] = rows
        encoders.append({k: header[k] for k in ("modality", "encoder", "weights", "pooling")})
    encoders.sort(key=lambda e: e["modality"])
    write_tensors(args.out, tensors, {"windows_digest": expected, "encoders": json.dumps(encoders)})
    print(f"{args.manifest.name}: {windows} windows in, {windows} rows of {' + '.join(tensors)} out")


if __name__ == "__main__":
    run(main)
