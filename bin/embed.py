#!/usr/bin/env python3
"""Turn the windows of a shard into vectors with one encoder."""

import argparse
from functools import partial
from pathlib import Path

import numpy as np

from virshort.encoders.catalogue import ENCODERS, load_encoder
from virshort.encoders.progress import Progress
from virshort.errors import InputError, RowError, run
from virshort.features.frames import RowTable, find_rows, row_sequences
from virshort.features.tensors import ROWS, write_tensors
from virshort.modalities import UNTRANSLATED
from virshort.windows.shards import read_shard

BLOCK = 1 << 13  # rows that are held in float32


def main() -> None:
    names = [*ENCODERS["dna"], *ENCODERS["protein"], *(name + UNTRANSLATED for name in ENCODERS["protein"])]
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--shard", type=Path, required=True, help="shard_00000.fa.gz")
    p.add_argument("--encoder", required=True, choices=names, metavar="ENCODER", help=", ".join(names))
    p.add_argument("--weights", type=Path, help="the folder that holds a language model's fetched folder")
    p.add_argument("--precision", default="auto")
    p.add_argument("--device", default="auto")
    p.add_argument("--threads", type=int, help="of the CPU (default: as many as there are cores)")
    p.add_argument("--genetic-code", type=int, default=1)
    p.add_argument(
        "--frames", choices=["longest", "all"], default="longest", help="what a row is of (see virshort.features.frames)"
    )
    p.add_argument("--storage", choices=["float16", "float32"], default="float16")
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    log = partial(print, flush=True)
    shard = read_shard(args.shard)
    table = find_rows(shard.sequences, args.frames, args.genetic_code)
    progress = Progress(len(table), log)
    encoder = load_encoder(args.encoder, args.weights, args.precision, args.device, args.threads, log, progress)
    rows = np.empty((len(table), encoder.dim), args.storage)
    for first in range(0, len(rows), BLOCK):
        part = RowTable(table.window[first : first + BLOCK], table.frame[first : first + BLOCK])
        try:
            block = encoder.embed(row_sequences(shard.sequences, part, encoder.translates, args.genetic_code))
        except RowError as e:
            raise InputError(f"{args.shard.name}: window {shard.ids[part.window[e.row]]}: {e.why}") from e
        with np.errstate(over="ignore"):  # told with the window's name
            rows[first : first + len(block)] = block
        bad = np.flatnonzero(~np.isfinite(rows[first : first + len(block)]).all(1))
        if len(bad):
            raise InputError(
                f"{args.shard.name}: window {shard.ids[part.window[bad[0]]]}: {encoder.name} in "
                f"{encoder.precision} gives numbers that are not finite in {args.storage}: use --precision fp32"
            )
    tensors = {"embeddings": rows}
    if args.frames == "all":
        tensors[ROWS] = np.stack([table.window, table.frame], 1, dtype=np.int32)
    write_tensors(
        args.out,
        tensors,
        {
            "encoder": encoder.name,
            "modality": encoder.modality,
            "weights": encoder.weights,
            "pooling": encoder.pooling,
            "precision": encoder.precision,
            "device": encoder.device,
            "windows_digest": shard.digest,
        },
    )
    log(f"{args.encoder}: {len(shard.ids)} windows in, {len(rows)} rows of {encoder.dim} out")


if __name__ == "__main__":
    run(main)
