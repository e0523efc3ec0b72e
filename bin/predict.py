#!/usr/bin/env python3
"""Score the reads of a chunk with a model."""

import argparse
import os
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # blocks of reads are shared out instead

import pyarrow.parquet as pq

from virshort.encoders.encoder import LoadSettings
from virshort.errors import InputError, RowError, run
from virshort.files import damaged, read_json, whole
from virshort.model.opening import open_model
from virshort.model.scoring import score
from virshort.reads.chunks import read_chunk
from virshort.reads.hygiene import Limits, clean
from virshort.reads.prediction import score_reads, score_table


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--model", type=Path, required=True, help="the folder of a model")
    p.add_argument(
        "--checked", type=Path, help="JSON: its files when they were compared with their digests (default: compare now)"
    )
    p.add_argument("--reads", type=Path, required=True, nargs="+", help="the chunk: one file of single reads, or two of mates")
    p.add_argument("--first-record", type=int, default=0, help="the number of the chunk's first read, or pair, in the sample")
    p.add_argument("--min-read-length", type=int, default=60, help="bases that must remain of a read")
    p.add_argument("--max-n", type=float, default=0.1, help="largest share of ambiguous bases in these")
    p.add_argument("--quality-trim", type=int, default=0, help="trim the 3' end where qualities below this prevail; 0 for no")
    p.add_argument("--weights", type=Path, help="the folder that holds the fetched folders of language models")
    p.add_argument("--precision", default="auto")
    p.add_argument("--device", default="auto")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()
    if len(args.reads) > 2:
        raise InputError(f"--reads: a chunk has one file or two files of mates, got {len(args.reads)}")

    settings = LoadSettings(args.weights, args.precision, args.device, args.threads)
    model = open_model(args.model, settings, read_json(args.checked) if args.checked else None)
    mates = tuple(read_chunk(path) for path in args.reads)
    if len(mates[0]) != len(mates[-1]):
        raise damaged(args.reads[1], f"it has {len(mates[1])} reads, but {args.reads[0].name} has {len(mates[0])}")
    reads = clean(mates, Limits(args.min_read_length, args.max_n, args.quality_trim))
    try:
        rows, scored = score_reads(reads, lambda sequences: score(model, sequences, args.threads))
    except RowError as e:
        record, mate = divmod(e.row, len(mates))
        raise InputError(f"{args.reads[mate].name}: read {mates[mate].name(record)}: {e.why}") from e
    table = score_table(reads, rows, scored, len(mates), args.first_record)
    with whole(args.out) as path:
        table = table.replace_schema_metadata({"model": model.record["digest"]})
        pq.write_table(table, path, compression="zstd", write_page_checksum=True)
    print(f"{table.num_rows} reads in, {len(rows)} scored")


if __name__ == "__main__":
    run(main)
