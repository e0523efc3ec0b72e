#!/usr/bin/env python3
"""Show two results folders side by side: which arms they have, how accurate those are, and by how much they differ.

Where both runs tested the same windows (the digests of their windows are equal), a difference is paired by window and has a
95 % interval over clusters and replicates. Otherwise it is the difference of two means, and the table says so.
"""

import argparse
from pathlib import Path

from virshort.errors import InputError, run
from virshort.files import read_json, write_json
from virshort.inference.cluster_counts import read_arm_counts, read_test_clusters
from virshort.paired_sets import pools_of_test_set
from virshort.verdict.parts import check_parts
from virshort.verdict.schema import Comparison, Interval
from virshort.verdict.two_runs import as_text, interval_between, side_by_side
from virshort.verdict.wording import names_in_words, quoted


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("a", type=Path, help="a results folder")
    p.add_argument("b", type=Path, help="another results folder")
    p.add_argument("--out", type=Path, help="also write everything as JSON to this file")
    args = p.parse_args()

    a, b = read_run(args.a), read_run(args.b)
    found = side_by_side(
        a,
        b,
        lambda test_set: windows_of(args.a, test_set) == windows_of(args.b, test_set) is not None,
        lambda arm, test_set: paired_interval(args.a, args.b, arm, test_set),
    )
    if args.out:
        write_json(args.out, found)
    for name, folder, c in (("A", args.a, a), ("B", args.b, b)):
        best = c["best_arm"]["arm"]
        print(
            f"{name}: {folder}: {c['verdict']['headline']}; "
            + (f"the best arm is {quoted(best)}" if best else "no best arm is known")
        )
    for name, only in (("A", found["only_in_a"]), ("B", found["only_in_b"])):
        if only:
            print(f"only in {name}: {names_in_words(only)}")
    print()
    print(as_text(found["rows"]))


def read_run(folder: Path) -> Comparison:
    """comparison.json of a results folder, after a check that the folder holds a single run."""
    path = folder / "comparison.json"
    if not path.exists():
        raise InputError(f"{folder}: comparison.json is missing: give the --outdir of a finished run")
    comparison: Comparison = read_json(path)
    check_parts(folder, comparison)
    return comparison


def windows_of(folder: Path, test_set: str) -> list[str] | None:
    """The digests of a test set's shards, in order; None if the folder does not record them."""
    sets = folder / "window_sets.json"
    if not sets.exists():
        return None
    pools = pools_of_test_set(read_json(sets), test_set)
    known = [folder / "windows" / pool / "metadata.json" for pool in pools]
    if not known or not all(p.exists() for p in known):
        return None
    return [d for p in known for d in read_json(p)["digests"]]


def paired_interval(a: Path, b: Path, arm: str, test_set: str) -> Interval | None:
    """95 % interval, in points, of B's accuracy minus A's on the same windows; None where predictions were not kept."""
    paths = [folder / "evaluation" / arm / test_set / "predictions.parquet" for folder in (a, b)]
    if not all(p.exists() for p in paths):
        return None
    test = read_test_clusters(paths[0])
    return interval_between(test, *(read_arm_counts(p, test) for p in paths))


if __name__ == "__main__":
    run(main)
