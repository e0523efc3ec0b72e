#!/usr/bin/env python3
"""Simulate the reads of the demo, of genomes that its experiment has not seen.

Writes a sheet of reads (reads.csv), two FASTQ files for each sample, and the label of every pair (truth.tsv)."""

import argparse
import gzip
from pathlib import Path

import numpy as np

from virshort.errors import run
from virshort.files import whole
from virshort.sources.simulated_reads import fastq, simulate_pairs
from virshort.sources.simulation import check_seed, simulate_unseen

SAMPLES = {"mixed": 0.4, "rare": 0.02}
"""The share of viral pairs in each sample."""
PAIRS = 2000
STREAM = 1000
"""Sets the random numbers of reads apart from those of genomes."""


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--seed", type=int, default=42)
    p.add_argument("--outdir", type=Path, required=True)
    args = p.parse_args()
    check_seed(args.seed)
    records = list(simulate_unseen(args.seed))
    genomes = [np.searchsorted(np.frombuffer(b"ACGT", np.uint8), r.letters).astype(np.uint8) for r in records]
    bases = np.array([len(g) for g in genomes])
    viral = np.array([r.label == "viral" for r in records])
    rows, sheet = ["sample\tread\tlabel\tgroup\n"], ["sample,fastq_1,fastq_2\n"]
    for number, (sample, share) in enumerate(SAMPLES.items()):
        rng = np.random.default_rng(np.random.SeedSequence([args.seed, STREAM, number]))
        count = round(PAIRS * share)
        # Every genome is sequenced to the same depth within its label
        drawn = [
            rng.choice(len(genomes), n, p=bases * of / (bases * of).sum())
            for n, of in ((count, viral), (PAIRS - count, ~viral))
        ]
        pairs = simulate_pairs(genomes, rng.permutation(np.concatenate(drawn)), rng)
        names = [f"{sample}.{i}" for i in range(1, PAIRS + 1)]
        files = [f"{sample}_R{mate}.fastq.gz" for mate in (1, 2)]
        for mate, file in enumerate(files):
            shown = [f"{name}/{mate + 1}" for name in names]
            with whole(args.outdir / file) as path:
                path.write_bytes(gzip.compress(fastq(shown, pairs.letters[:, mate], pairs.quality[:, mate]), 6, mtime=0))
        for name, g in zip(names, pairs.genome.tolist(), strict=True):
            group = "new family" if records[g].family.endswith("new family") else "known family"
            rows.append(f"{sample}\t{name}\t{records[g].label}\t{group}\n")
        sheet.append(f"{sample},{','.join(files)}\n")
    for file, lines in (("truth.tsv", rows), ("reads.csv", sheet)):
        with whole(args.outdir / file) as path:
            path.write_text("".join(lines), encoding="utf-8")
    print(f"{len(SAMPLES)} samples of {PAIRS} pairs, of {len(records)} genomes with {bases.sum()} bases")


if __name__ == "__main__":
    run(main)
