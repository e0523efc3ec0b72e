#!/usr/bin/env python3
"""Score the windows of a shard by the models of an arm whose encoder was trained end to end, each window by the models of the
splits that test it or validate on it."""

import argparse
import json
from functools import partial
from pathlib import Path

import numpy as np

from virshort.encoders.encoder import LoadSettings
from virshort.encoders.progress import Progress
from virshort.encoders.reading import Reading
from virshort.errors import InputError, RowError, run
from virshort.features.frames import find_rows, row_tensors
from virshort.features.tensors import write_tensors
from virshort.files import digest
from virshort.finetuning.files import fine_tuned_encoder, read_finetuned
from virshort.finetuning.scoring import column_of, in_order, scored
from virshort.finetuning.sequences import as_read
from virshort.heads import finetuned
from virshort.heads.scoring import log_odds
from virshort.manifest_files import read_columns
from virshort.modalities import FINETUNED, OF_ARM, EncoderRecord
from virshort.windows.shards import read_listed_shard

BLOCK = 1 << 13  # windows whose vectors are held at a time


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--shard", type=Path, required=True, help="shard_00000.fa.gz")
    p.add_argument("--manifest", type=Path, required=True, help="shard_00000.windows.parquet")
    p.add_argument("--models", type=Path, nargs="+", required=True, help="the folders that finetune.py wrote")
    p.add_argument("--folds", type=int, required=True, help="those of the run")
    p.add_argument("--tested", action="store_true", help="the windows are of a test set; otherwise they only validate")
    p.add_argument("--module", required=True, help="the library module that loads the encoder")
    p.add_argument("--weights", type=Path, required=True, help="the folder that holds the language model's fetched folder")
    p.add_argument("--reading", type=json.loads, help="how it reads sequences (JSON), if needed")
    p.add_argument("--precision", default="auto")
    p.add_argument("--device", default="auto")
    p.add_argument("--threads", type=int, help="threads of the CPU (default: as many as it has cores)")
    p.add_argument("--genetic-code", type=int, default=1)
    p.add_argument("--frames", choices=["longest", "all"], default="longest", help="which rows a window has, as for embed.py")
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    log = partial(print, flush=True)
    models = in_order([read_finetuned(folder) for folder in args.models])
    shard = read_listed_shard(args.shard, args.manifest)
    fold = read_columns(args.manifest, ["fold"])["fold"].to_numpy()
    odds = np.zeros((len(fold), len(models)), np.float32)
    count = 0
    for column, model in enumerate(models):
        which = scored(fold, model.record["fold"], args.folds, args.tested)
        if not len(which):
            continue
        settings = LoadSettings(
            args.weights,
            args.precision,
            args.device,
            args.threads,
            reading=Reading(**args.reading) if args.reading else None,
            log=log,
            progress=Progress(len(which), log),
        )
        encoder = fine_tuned_encoder(model, args.module, settings)
        for first in range(0, len(which), BLOCK):
            block = which[first : first + BLOCK]
            bases = [shard.sequences[i] for i in block.tolist()]
            try:
                vectors = encoder.embed(as_read(bases, encoder.translates, args.genetic_code))
            except RowError as e:
                raise InputError(f"{args.shard.name}: window {shard.ids[block[e.row]]}: {e.why}") from e
            odds[block, column] = log_odds(model.head, vectors)
        count += len(which)
    first_record = models[0].record
    made_by: EncoderRecord = {
        "modality": FINETUNED,
        "encoder": OF_ARM + first_record["arm"],
        "weights": digest(first_record["weights"], *(m.digest for m in models)),
        "pooling": f"log-odds by {first_record['how']['encoder']}, trained end to end",
    }
    table = find_rows(shard.sequences, args.frames, args.genetic_code)
    write_tensors(
        args.out,
        row_tensors(FINETUNED, odds[table.window], table, args.frames),
        {
            "encoders": json.dumps([made_by]),
            finetuned.COLUMNS: finetuned.columns_text([column_of(m) for m in models]),
            "precision": args.precision,
            "device": args.device,
            "windows_digest": shard.digest,
        },
    )
    print(f"{len(fold)} windows in, {count} scores by {len(models)} models, {len(table)} rows out")


if __name__ == "__main__":
    run(main)
