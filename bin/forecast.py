#!/usr/bin/env python3
"""Say how long the scores of a run's reads will take, and what they cost, by scoring a few of them."""

import argparse
import os
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as in predict.py

from virshort.encoders.encoder import LoadSettings
from virshort.errors import run
from virshort.files import read_json, write_json
from virshort.homology.searching import BATCH
from virshort.model.opening import open_model
from virshort.model.scoring import score
from virshort.reads.chunks import read_chunk
from virshort.reads.forecast import FEWEST, Amount, Speed, forecast, measure
from virshort.reads.hygiene import Limits, clean
from virshort.reads.prediction import score_reads, score_table
from virshort.reads.sample import SampleRecord


def amount_of(record: SampleRecord) -> Amount:
    """What there is to score of a sample."""
    return Amount(record["reads"], sum(length * n for length, n in record["lengths"]), record["chunks"])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--samples", type=Path, required=True, help="folder with <sample>.reads.json of all samples")
    p.add_argument("--model", type=Path, required=True, help="the folder of a model")
    p.add_argument("--checked", type=Path, required=True, help="JSON: its files when they were compared with their digests")
    p.add_argument("--reads", type=Path, required=True, nargs="+", help="a chunk: one file of single reads, or two of mates")
    p.add_argument("--min-read-length", type=int, default=60)
    p.add_argument("--max-n", type=float, default=0.1)
    p.add_argument("--quality-trim", type=int, default=0)
    p.add_argument("--threads", type=int, default=1, help="of a task")
    p.add_argument("--tasks", type=int, default=1, help="tasks that can run at a time")
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    amounts = [amount_of(read_json(path)) for path in sorted(args.samples.glob("*.reads.json"))]
    speed: Speed | None = None
    if sum(amount.reads for amount in amounts) >= FEWEST:
        model = open_model(args.model, LoadSettings(threads=args.threads), read_json(args.checked))
        start = time.process_time()  # of loading code and model
        limits = Limits(args.min_read_length, args.max_n, args.quality_trim)
        mates = tuple(read_chunk(path) for path in args.reads)

        def score_some(n: int) -> int:
            reads = clean(tuple(mate.part(0, n) for mate in mates), limits)
            rows, scored = score_reads(reads, lambda sequences: score(model, sequences, args.threads))
            return score_table(reads, rows, scored, len(mates), 0).num_rows

        speed = measure(score_some, time.monotonic, len(mates[0]), start)
    found = forecast(amounts, speed, BATCH, args.threads, args.tasks)
    write_json(args.out, found)
    print(found["sentence"])


if __name__ == "__main__":
    run(main)
