#!/usr/bin/env python3
"""Put the modalities of a shard side by side, after checking that they follow the same windows."""

import argparse
import json
from pathlib import Path

from virshort.errors import InputError, run
from virshort.features import read_tensors, write_tensors
from virshort.files import content_digest
from virshort.shards import read_manifest


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--manifest", type=Path, required=True)
    p.add_argument("--embeddings", type=Path, nargs="+", required=True)
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    table, expected = read_manifest(args.manifest)
    windows = table.num_rows
    tensors, encoders = {}, []
    for path in args.embeddings:
        found, header = read_tensors(path)
        rows = found["embeddings"]
        if header["windows_digest"] != expected:
            raise InputError(f"{path.name}: embeds other windows than {args.manifest.name} lists: resume the run")
        if len(rows) != windows:
            last = table["window"][min(len(rows), windows - 1)]
            raise InputError(f"{path.name}: {len(rows)} rows for {windows} windows, the first amiss is {last}: resume the run")
        tensors[header["modality"]] = rows
        encoders.append({k: header[k] for k in ("modality", "encoder", "weights", "pooling")})
    encoders.sort(key=lambda e: e["modality"])
    write_tensors(args.out, tensors, {"windows_digest": expected, "manifest_digest": content_digest(args.manifest),
                                      "encoders": json.dumps(encoders)})
    print(f"{args.manifest.name}: {windows} windows in, {windows} rows of {' + '.join(tensors)} out")


if __name__ == "__main__":
    run(main)
