#!/usr/bin/env python3
"""Audit leakage: the exact 31-mers, on either strand, that test windows share with the training windows of their split."""

import argparse
from pathlib import Path

import numpy as np

from virshort.errors import run
from virshort.files import write_json
from virshort.sources.folds import check_whole, check_whole_families
from virshort.sources.hold_out import CLUSTER
from virshort.windows.audit import audit
from virshort.windows.leakage import find_shared_kmers
from virshort.windows.source_table import read_source_table
from virshort.windows.window_sets import read_window_sets


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--windows-root", type=Path, required=True, help="folder with train/<pool> and test/<pool>")
    p.add_argument("--window-sets", type=Path, required=True, help="window_sets.json")
    p.add_argument("--folds", type=Path, required=True, help="folds.parquet")
    p.add_argument("--sequences", type=Path, required=True, help="the sequences that the windows were cut from")
    p.add_argument("--limit", type=float, required=True, help="largest share of test windows that may share a 31-mer")
    p.add_argument("--hold-out", default=CLUSTER, help="cluster, or the column that gave the family of the sources")
    p.add_argument("--pretrained", action="store_true", help="a head that was trained elsewhere takes part")
    p.add_argument("--out", type=Path, required=True, help="leakage.json")
    args = p.parse_args()

    sets, sources = read_window_sets(args.window_sets), read_source_table(args.folds)
    check_whole(sources.source, sources.cluster, sources.fold)
    if args.hold_out != CLUSTER:
        check_whole_families(sources.source, sources.family, sources.fold, args.hold_out)
    shared = find_shared_kmers(np.memmap(args.sequences, np.uint8, "r"), sources.offset, sources.length, sources.fold)
    report = audit(sources, shared, args.windows_root, sets, args.limit, args.pretrained, args.hold_out)
    write_json(args.out, report)
    windows = sum(t["test_windows"] for t in report["sources"]["summary"])
    print(
        f"{windows} test windows in {len(sets['test'])} test sets were compared with {len(sets['train'])} training sets. "
        f"{report['message']}"
    )


if __name__ == "__main__":
    run(main)
