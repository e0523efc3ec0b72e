#!/usr/bin/env python3
"""Check all reads of a sample, and cut them into chunks."""

import argparse
from pathlib import Path

from virshort.errors import run
from virshort.files import read_json, write_json
from virshort.reads.chunks import write_chunk
from virshort.reads.records import no_records
from virshort.reads.sample import Counts, ReadFile, SampleRecord, read_sample


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--sample", required=True, help="its name, which begins the names of all files")
    p.add_argument(
        "--files", type=Path, required=True, help="JSON: of each lane, [name in the sheet, path] of one or two files"
    )
    p.add_argument("--reads-per-chunk", type=int, default=100_000, help="reads, or pairs of mates")
    p.add_argument("--outdir", type=Path, required=True)
    args = p.parse_args()

    lanes = [[ReadFile(Path(path), shown) for shown, path in lane] for lane in read_json(args.files)]
    counts, chunks = Counts(), 0
    for mates in read_sample(lanes, args.reads_per_chunk, counts):
        write_chunk(args.outdir, args.sample, chunks, mates)
        chunks += 1
    if not chunks:  # a sample without reads has results as well
        write_chunk(args.outdir, args.sample, 0, (no_records(),) * len(lanes[0]))
        chunks = 1
    record: SampleRecord = {
        "sample": args.sample,
        "layout": counts.layout or ("single" if len(lanes[0]) == 1 else "paired"),
        "form": counts.form or "fastq",
        "files": [[file.shown for file in lane] for lane in lanes],
        "records": counts.records,
        "reads": int(counts.lengths.sum()),
        "chunks": chunks,
        "lengths": counts.histogram(),
    }
    write_json(args.outdir / f"{args.sample}.reads.json", record)
    print(f"{args.sample}: {record['reads']} reads in {sum(map(len, lanes))} files ({record['layout']}), {chunks} chunks")


if __name__ == "__main__":
    run(main)
