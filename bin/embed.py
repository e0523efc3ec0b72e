#!/usr/bin/env python3
"""Turn the windows of a shard into vectors with one or several encoders, each of which writes a file of its own."""

import argparse
import json
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from virshort.encoders.encoder import Encoder, LoadSettings
from virshort.encoders.progress import Progress
from virshort.encoders.reading import Reading
from virshort.errors import InputError, RowError, run
from virshort.features.frames import RowTable, find_rows, row_sequences, row_tensors
from virshort.features.tensors import as_stored, write_tensors
from virshort.modalities import EncoderRecord
from virshort.windows.shards import Shard, read_shard

BLOCK = 1 << 13  # rows that are held in float32 at a time


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--shard", type=Path, required=True, help="shard_00000.fa.gz")
    p.add_argument(
        "--encoders",
        nargs="+",
        required=True,
        metavar="NAME=MODULE",
        help="an encoder and the library module that loads it, as in virshort.encoders.catalogue",
    )
    p.add_argument("--weights", type=Path, help="the folder that holds a language model's fetched folder")
    p.add_argument("--reading", type=json.loads, help="how a language model reads sequences (JSON), if needed")
    p.add_argument("--precision", default="auto")
    p.add_argument("--device", default="auto")
    p.add_argument("--threads", type=int, help="threads of the CPU (default: as many as it has cores)")
    p.add_argument("--genetic-code", type=int, default=1)
    p.add_argument(
        "--frames", choices=["longest", "all"], default="longest", help="which rows a window has (see virshort.features.frames)"
    )
    p.add_argument("--storage", choices=["float16", "float32"], default="float16")
    p.add_argument("--out", type=Path, required=True, help="gets shard_00000.<encoder>.safetensors")
    args = p.parse_args()

    log = partial(print, flush=True)
    shard = read_shard(args.shard)
    table = find_rows(shard.sequences, args.frames, args.genetic_code)
    for name, _, module in (words.partition("=") for words in args.encoders):
        settings = LoadSettings(
            args.weights,
            args.precision,
            args.device,
            args.threads,
            genetic_code=args.genetic_code,
            reading=Reading(**args.reading) if args.reading else None,
            log=log,
            progress=Progress(len(table), log),
        )
        encoder: Encoder = load_module(module).load(name, settings)
        rows = embed(args.shard.name, shard, table, encoder, args.genetic_code, args.storage)
        made_by: EncoderRecord = {
            "modality": encoder.modality,
            "encoder": encoder.name,
            "weights": encoder.weights,
            "pooling": encoder.pooling,
        }
        write_tensors(
            args.out / f"{args.shard.name.removesuffix('.fa.gz')}.{name}.safetensors",
            row_tensors(encoder.modality, rows, table, args.frames),
            {
                "encoders": json.dumps([made_by]),
                "precision": encoder.precision,
                "device": encoder.device,
                "windows_digest": shard.digest,
            },
        )
        log(f"{name}: {len(shard.ids)} windows in, {len(rows)} rows of {encoder.dim} out")


def embed(file: str, shard: Shard, table: RowTable, encoder: Encoder, genetic_code: int, storage: str) -> np.ndarray:
    """The vectors of all rows, [rows, dim], as they are stored. file: the name of the shard, for errors.

    Raises InputError naming a window that the encoder cannot embed, or whose numbers cannot be stored."""
    rows = np.empty((len(table), encoder.dim), storage)
    for first in range(0, len(rows), BLOCK):
        part = RowTable(table.window[first : first + BLOCK], table.frame[first : first + BLOCK])
        try:
            block = encoder.embed(row_sequences(shard.sequences, part, encoder.translates, genetic_code))
            rows[first : first + len(block)] = as_stored(block, storage, f"{encoder.name} in {encoder.precision}")
        except RowError as e:
            raise InputError(f"{file}: window {shard.ids[part.window[e.row]]}: {e.why}") from e
    return rows


def load_module(name: str) -> ModuleType:
    """The module that loads an encoder. It is named by the caller rather than imported above, so that the digest of an
    embedding's code covers its own encoders and no other."""
    if not name.startswith("virshort.encoders."):
        given = name or "an encoder without =MODULE"
        raise InputError(f"--encoders: {given}: must name a module of virshort.encoders, as in virshort.encoders.catalogue")
    return import_module(name)


if __name__ == "__main__":
    run(main)
