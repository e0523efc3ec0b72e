#!/usr/bin/env python3
"""Simulate the genomes of the demo. Writes a samplesheet, one FASTA file per label, and a source table without clusters."""

import argparse
import gzip
from pathlib import Path

from virshort.errors import run
from virshort.files import whole
from virshort.sources.simulation import Record, check_seed, simulate

WIDTH = 80


def fasta(record: Record) -> bytes:
    """A record in lines of WIDTH letters, with its lineage in the header."""
    letters = record.letters.tobytes()
    lines = [letters[i : i + WIDTH] for i in range(0, len(letters), WIDTH)]
    return b"\n".join([f">{record.source} simulated {record.kingdom}, lineage {record.lineage}".encode(), *lines, b""])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--seed", type=int, default=42)
    p.add_argument("--outdir", type=Path, required=True)
    args = p.parse_args()
    check_seed(args.seed)
    records = list(simulate(args.seed))
    labels = sorted({r.label for r in records}, reverse=True)
    for label in labels:
        with (
            whole(args.outdir / f"{label}.fa.gz") as path,
            path.open("wb") as raw,
            gzip.GzipFile("", "wb", 6, raw, mtime=0) as out,
        ):
            out.writelines(fasta(r) for r in records if r.label == label)
    table = [("id", "kingdom", "family"), *((r.source, r.kingdom, r.family) for r in records)]
    with whole(args.outdir / "sources.tsv") as path:
        path.write_text("".join("\t".join(row) + "\n" for row in table), encoding="utf-8")
    with whole(args.outdir / "samplesheet.csv") as path:
        path.write_text("".join(["fasta,label\n", *(f"{label}.fa.gz,{label}\n" for label in labels)]), encoding="utf-8")
    lineages, bases = {r.lineage for r in records}, sum(len(r.letters) for r in records)
    print(f"{len(records)} records of {len(lineages)} lineages with {bases} bases")


if __name__ == "__main__":
    run(main)
