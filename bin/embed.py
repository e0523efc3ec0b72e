#!/usr/bin/env python3
"""Turn the windows of a shard into vectors with one encoder."""

import argparse
from pathlib import Path

import numpy as np

from virshort.encoders import ENCODERS, load_encoder
from virshort.errors import run
from virshort.features import ROWS, write_tensors
from virshort.frames import RowTable, find_rows, row_sequences
from virshort.shards import read_shard

BLOCK = 1 << 14


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--shard", type=Path, required=True, help="shard_00000.fa.gz")
    p.add_argument("--encoder", required=True, choices=[e for members in ENCODERS.values() for e in members])
    p.add_argument("--genetic-code", type=int, default=1)
    p.add_argument("--frames", choices=["longest", "all"], default="longest", help="what a row is of (virshort.frames)")
    p.add_argument("--storage", choices=["float16", "float32"], default="float16")
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    encoder = load_encoder(args.encoder)
    shard = read_shard(args.shard)
    table = find_rows(shard.sequences, args.frames, args.genetic_code)
    rows = np.empty((len(table), encoder.dim), args.storage)
    for first in range(0, len(rows), BLOCK):
        block = slice(first, first + BLOCK)
        part = RowTable(table.window[block], table.frame[block])
        rows[block] = encoder.embed(row_sequences(shard.sequences, part, encoder.modality == "protein", args.genetic_code))
    tensors = {"embeddings": rows}
    if args.frames == "all":
        tensors[ROWS] = np.stack([table.window, table.frame], 1, dtype=np.int32)
    write_tensors(args.out, tensors, {
        "encoder": encoder.name, "modality": encoder.modality, "weights": encoder.weights, "pooling": encoder.pooling,
        "windows_digest": shard.digest})
    print(f"{args.encoder}: {len(shard.ids)} windows in, {len(rows)} rows of {encoder.dim} out")


if __name__ == "__main__":
    run(main)
