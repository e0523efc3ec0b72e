#!/usr/bin/env python3
"""Write what windows are searched against: the stop-free stretches of the sources, for each fold and label."""

import argparse
from pathlib import Path

import numpy as np

from virshort.errors import run
from virshort.files import read_json
from virshort.homology.databases import SHORTEST, write_databases
from virshort.homology.source_list import SourceName
from virshort.windows.source_table import read_source_table


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--folds", type=Path, required=True, help="folds.parquet")
    p.add_argument("--folds-json", type=Path, required=True, help="folds.json")
    p.add_argument("--sequences", type=Path, required=True, help="the bases of all sources: masked.seq")
    p.add_argument("--genetic-code", type=int, default=1)
    p.add_argument("--outdir", type=Path, required=True, help="receives databases.json and the databases")
    args = p.parse_args()

    s = read_source_table(args.folds)
    bases, folds = np.memmap(args.sequences, np.uint8, "r"), read_json(args.folds_json)["folds"]
    names = [SourceName(*row) for row in zip(s.source, s.kingdom.tolist(), s.family, strict=True)]
    found = write_databases(args.outdir, bases, s.offset, s.length, s.label, s.fold, folds, names, args.genetic_code)
    print(
        f"{len(s.source)} sources with {len(bases)} bases in, {sum(d.stretches for d in found)} stretches of {SHORTEST} "
        f"residues or more out, with {sum(d.residues for d in found)} residues in {len(found)} databases"
    )
    for database in found:
        if not database.stretches:
            print(f"note: fold {database.fold} has no stretch with the label {database.label}, so nothing can match there")


if __name__ == "__main__":
    run(main)
