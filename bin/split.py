#!/usr/bin/env python3
"""Assign every source to a fold: deal whole clusters or families into folds, or use the split that the user gives."""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import InputError, run
from virshort.files import whole, write_json
from virshort.sources.folds import FoldSummary, assign_folds, count_sources
from virshort.sources.hold_out import plural


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--sources", type=Path, required=True, help="sources.parquet")
    p.add_argument("--clusters", type=Path, required=True, help="clusters.parquet")
    p.add_argument("--folds", type=int, required=True, help="how many folds to make")
    p.add_argument("--test-folds", required=True, help="how many of the folds to test, or all")
    p.add_argument("--hold-out", default="cluster", help="cluster, or the column that gave the family of the sources")
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--cluster-cap", type=float, required=True, help="largest share of a label's windows from one cluster")
    p.add_argument("--outdir", type=Path, required=True)
    args = p.parse_args()
    if not 3 <= args.folds <= 64:
        raise InputError(f"--folds {args.folds}: must be 3 to 64 (one to test, one to validate, the others to train)")

    sources, clusters = pq.read_table(args.sources), pq.read_table(args.clusters)
    source, split = sources["source"].to_pylist(), sources["split"].to_pylist()
    if source != clusters["source"].to_pylist():
        raise InputError(
            f"{args.clusters.name}: its sources are not those of {args.sources.name}: delete the work folder of the step "
            "CLUSTER and run again with -resume"
        )
    columns = (clusters["cluster"], sources["label"], sources["kingdom"])
    cluster, label, kingdom = (np.array(x.to_pylist(), str) for x in columns)
    bases = sources["unambiguous"].to_numpy()
    found = assign_folds(
        source,
        cluster,
        label,
        kingdom,
        bases,
        split,
        sources["family"].to_pylist(),
        hold_out=args.hold_out,
        folds=args.folds,
        test_folds=args.test_folds,
        cluster_cap=args.cluster_cap,
        seed=args.seed,
    )

    place = sources.column_names.index("cluster")
    result = sources.set_column(place, "cluster", pa.array(cluster.tolist(), pa.string()))
    with whole(args.outdir / "folds.parquet") as path:
        pq.write_table(result.append_column("fold", pa.array(found.fold, pa.int8())), path, compression="zstd")
    summary: FoldSummary = {
        "folds": found.folds,
        "test_folds": found.test_folds,
        "given": found.given,
        "hold_out": args.hold_out,
        "units": found.units,
        "seed": args.seed,
        "cluster_cap": args.cluster_cap,
        "table": count_sources(cluster, label, kingdom, bases, found.fold),
        "notes": found.notes,
    }
    write_json(args.outdir / "folds.json", summary)
    held = "" if args.hold_out == "cluster" else f" and {found.units} {plural(args.hold_out)}"
    print(
        f"{len(source)} sources in {len(np.unique(cluster))} clusters{held}: {found.folds} folds, of which "
        f"{len(found.test_folds)} {'is' if len(found.test_folds) == 1 else 'are'} tested"
    )
    for note in found.notes:
        print(f"note: {note}")


if __name__ == "__main__":
    run(main)
