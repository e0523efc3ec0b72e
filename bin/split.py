#!/usr/bin/env python3
"""Deal the clusters into folds, or take the split that is given."""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import InputError, run
from virshort.files import whole, write_json
from virshort.sources.folds import (
    check_enough,
    check_splits,
    check_whole,
    deal,
    given_folds,
    notes,
    table,
    validation_of,
    weights,
)


def tested(text: str, folds: int) -> list[int]:
    """The folds to be tested, from `all` or a number."""
    if text == "all":
        return list(range(folds))
    if not text.isdecimal() or not 1 <= int(text) <= folds:
        raise InputError(f"--test_folds {text}: must be all, or 1 to {folds} (the number of folds)")
    return list(range(int(text)))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--sources", type=Path, required=True, help="sources.parquet")
    p.add_argument("--clusters", type=Path, required=True, help="clusters.parquet")
    p.add_argument("--folds", type=int, required=True)
    p.add_argument("--test-folds", required=True, help="all, or how many folds to test")
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--cluster-cap", type=float, required=True, help="largest share of a label's windows")
    p.add_argument("--outdir", type=Path, required=True)
    args = p.parse_args()
    if not 3 <= args.folds <= 64:
        raise InputError(f"--folds {args.folds}: must be 3 to 64 (one to test, one to validate, the rest to train)")

    sources, clusters = pq.read_table(args.sources), pq.read_table(args.clusters)
    if sources["source"].to_pylist() != (source := clusters["source"].to_pylist()):
        raise InputError(
            f"{args.clusters.name}: its sources are not those of {args.sources.name}: delete the work "
            "folder of the step that clusters and resume"
        )
    cluster, label, kingdom = (
        np.array(x.to_pylist(), str) for x in (clusters["cluster"], sources["label"], sources["kingdom"])
    )
    bases, split = sources["unambiguous"].to_numpy(), sources["split"].to_pylist()
    _, number = np.unique(cluster, return_inverse=True)

    if any(x is not None for x in split):
        folds, test_folds = 3, [0]
        said = ["the split is the given one: fold 0 is its test set, fold 1 validation, fold 2 training"]
        fold = given_folds(source, cluster, split)
        check_splits(label, fold)
        if "val" not in split:
            train = np.flatnonzero(fold == 2)
            columns = (column[train] for column in (cluster, label, kingdom, bases))
            aside = validation_of(*columns, args.cluster_cap, args.seed)
            fold[train[aside]] = 1
            said.append(f"the given split has no val: {aside.sum()} of {len(train)} train sources take its place")
            check_splits(label, fold)
    else:
        folds, test_folds, said = args.folds, tested(args.test_folds, args.folds), []
        check_enough(cluster, label, folds)
        fold = deal(weights(number, label, kingdom, bases, args.cluster_cap), folds, args.seed)[number]
    check_whole(source, cluster, fold)

    said += notes(cluster, label, kingdom, bases, folds, args.cluster_cap)
    place = sources.column_names.index("cluster")
    result = sources.set_column(place, "cluster", pa.array(cluster.tolist(), pa.string()))
    with whole(args.outdir / "folds.parquet") as path:
        pq.write_table(result.append_column("fold", pa.array(fold, pa.int8())), path, compression="zstd")
    write_json(
        args.outdir / "folds.json",
        {
            "folds": folds,
            "test_folds": test_folds,
            "given": split[0] is not None,
            "seed": args.seed,
            "cluster_cap": args.cluster_cap,
            "table": table(cluster, label, kingdom, bases, fold),
            "notes": said,
        },
    )
    print(
        f"{len(source)} sources, {number.max() + 1} clusters -> {folds} folds, {len(test_folds)} tested"
        + "".join(f"\nnote: {note}" for note in said)
    )


if __name__ == "__main__":
    run(main)
