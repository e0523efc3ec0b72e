#!/usr/bin/env python3
"""Turn the windows of a shard into vectors with one encoder."""

import argparse
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from virshort.encoders.encoder import Encoder, LoadSettings
from virshort.encoders.progress import Progress
from virshort.errors import InputError, RowError, run
from virshort.features.frames import RowTable, find_rows, row_sequences, row_tensors
from virshort.features.tensors import write_tensors
from virshort.windows.shards import read_shard

BLOCK = 1 << 13  # rows that are held in float32 at a time


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--shard", type=Path, required=True, help="shard_00000.fa.gz")
    p.add_argument("--encoder", required=True, help="its name, as in virshort.encoders.catalogue")
    p.add_argument("--module", required=True, help="the library module that loads it, as in the same table")
    p.add_argument("--weights", type=Path, help="the folder that holds a language model's fetched folder")
    p.add_argument("--precision", default="auto")
    p.add_argument("--device", default="auto")
    p.add_argument("--threads", type=int, help="threads of the CPU (default: as many as it has cores)")
    p.add_argument("--genetic-code", type=int, default=1)
    p.add_argument(
        "--frames", choices=["longest", "all"], default="longest", help="which rows a window has (see virshort.features.frames)"
    )
    p.add_argument("--storage", choices=["float16", "float32"], default="float16")
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    log = partial(print, flush=True)
    shard = read_shard(args.shard)
    table = find_rows(shard.sequences, args.frames, args.genetic_code)
    progress = Progress(len(table), log)
    settings = LoadSettings(
        args.weights, args.precision, args.device, args.threads, genetic_code=args.genetic_code, log=log, progress=progress
    )
    encoder: Encoder = load_module(args.module).load(args.encoder, settings)
    rows = np.empty((len(table), encoder.dim), args.storage)
    for first in range(0, len(rows), BLOCK):
        part = RowTable(table.window[first : first + BLOCK], table.frame[first : first + BLOCK])
        try:
            block = encoder.embed(row_sequences(shard.sequences, part, encoder.translates, args.genetic_code))
        except RowError as e:
            raise InputError(f"{args.shard.name}: window {shard.ids[part.window[e.row]]}: {e.why}") from e
        with np.errstate(over="ignore"):  # reported below with the name of the window
            rows[first : first + len(block)] = block
        bad = np.flatnonzero(~np.isfinite(rows[first : first + len(block)]).all(1))
        if len(bad):
            raise InputError(
                f"{args.shard.name}: window {shard.ids[part.window[bad[0]]]}: {encoder.name} in "
                f"{encoder.precision} results in numbers that are not finite in {args.storage}: use --precision fp32"
            )
    write_tensors(
        args.out,
        row_tensors(rows, table, args.frames),
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


def load_module(name: str) -> ModuleType:
    """The module that loads an encoder. It is named by the caller rather than imported above, so that the digest of an
    embedding's code covers this one encoder and no other."""
    if not name.startswith("virshort.encoders."):
        raise InputError(f"--module {name}: must be a module of virshort.encoders, as in virshort.encoders.catalogue")
    return import_module(name)


if __name__ == "__main__":
    run(main)
