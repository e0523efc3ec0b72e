#!/usr/bin/env python3
"""Write as N what sources of different folds still have in common, so that no window can leak it."""

import argparse
import shutil
from pathlib import Path

import numpy as np

from virshort.errors import run
from virshort.files import whole, write_json
from virshort.windows.leakage import find_shared_kmers, shared_stretches
from virshort.windows.masking import mask_summary, masked_bases
from virshort.windows.source_table import read_source_table


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--folds", type=Path, required=True, help="folds.parquet")
    p.add_argument("--sequences", type=Path, required=True, help="the bases of all sources: sources.seq")
    p.add_argument("--outdir", type=Path, required=True, help="receives masked.seq and mask.json")
    args = p.parse_args()

    sources = read_source_table(args.folds)
    shared = find_shared_kmers(np.memmap(args.sequences, np.uint8, "r"), sources.offset, sources.length, sources.fold)
    start, end = shared_stretches(shared)
    with whole(args.outdir / "masked.seq") as path:
        shutil.copyfile(args.sequences, path)
        path.chmod(0o644)
        bases = np.memmap(path, np.uint8, "r+")
        for a, b in zip(start.tolist(), end.tolist(), strict=True):
            bases[a:b] = ord("N")
        bases.flush()
    summary = mask_summary(sources, shared, len(start), masked_bases(sources, start, end))
    write_json(args.outdir / "mask.json", summary)
    print(
        f"{len(sources.source)} sources: {summary['masked']} of {summary['bases']} bases are masked ({summary['share']:.2%}), "
        f"which lie in {summary['shared_kmers']} 31-mers that two folds or more have"
        + "".join(f"\nnote: {note}" for note in summary["notes"])
    )


if __name__ == "__main__":
    run(main)
