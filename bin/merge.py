#!/usr/bin/env python3
"""Put the modalities of a shard side by side, after checking that they follow the same windows."""

import argparse
import json
from pathlib import Path

import numpy as np

from virshort.errors import InputError, run
from virshort.features.tensors import ROWS, read_tensors, write_tensors
from virshort.files import content_digest
from virshort.windows.shards import read_manifest


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--manifest", type=Path, required=True)
    p.add_argument("--embeddings", type=Path, nargs="+", required=True)
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    manifest, expected = read_manifest(args.manifest)
    windows = manifest.num_rows
    tensors, encoders, tables = {}, [], []
    for path in args.embeddings:
        found, header = read_tensors(path)
        rows = found["embeddings"]
        if header["windows_digest"] != expected:
            raise InputError(f"{path.name}: embeds other windows than {args.manifest.name} lists: resume the run")
        tables.append(found.get(ROWS))
        count = len(rows) if tables[-1] is None else len(np.unique(tables[-1][:, 0]))
        if count != windows:
            last = manifest["window"][min(count, windows - 1)]
            raise InputError(
                f"{path.name}: rows of {count} windows instead of {windows}, the first amiss is {last}: resume the run"
            )
        tensors[header["modality"]] = rows
        encoders.append({k: header[k] for k in ("modality", "encoder", "weights", "pooling")})
    if not all(np.array_equal(t, tables[0]) for t in tables[1:]):
        raise InputError(f"{', '.join(p.name for p in args.embeddings)}: their rows are of different frames: resume the run")
    if tables[0] is not None:
        tensors[ROWS] = tables[0]
    encoders.sort(key=lambda e: e["modality"])
    write_tensors(
        args.out,
        tensors,
        {"windows_digest": expected, "manifest_digest": content_digest(args.manifest), "encoders": json.dumps(encoders)},
    )
    print(f"{args.manifest.name}: {windows} windows in, {len(rows)} rows of {' + '.join(e['modality'] for e in encoders)} out")


if __name__ == "__main__":
    run(main)
