#!/usr/bin/env python3
"""Two results folders side by side: which arms, how accurate on each test set, and by how much they differ.

Where both runs tested the same windows (the digests of their windows are equal) a difference is paired by window and has a
95 % interval over clusters and replicates; else it is the difference of two means, and says so.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from virshort.errors import InputError, run
from virshort.files import read_json, write_json
from virshort.inference import cluster_counts as tallies
from virshort.inference import estimates as st
from virshort.inference import intervals

COLUMNS = ("arm", "test set", "A, %", "B, %", "B less A, points", "windows")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("a", type=Path, help="a results folder")
    p.add_argument("b", type=Path, help="another one")
    p.add_argument("--out", type=Path, help="also write all of it as JSON")
    args = p.parse_args()

    runs = [read_run(folder) for folder in (args.a, args.b)]
    found = side_by_side(*runs, args.a, args.b)
    if args.out:
        write_json(args.out, found)
    for name, folder, c in zip("AB", (args.a, args.b), runs, strict=True):
        print(f"{name}: {folder}: {c['verdict']['headline']}; best arm {c['best_arm']['arm'] or 'none known'}")
    for name in "ab":
        if only := found[f"only_in_{name}"]:
            print(f"only in {name.upper()}: {', '.join(only)}")
    print()
    print(text(found["rows"]))


def read_run(folder: Path) -> dict[str, Any]:
    """comparison.json of a results folder."""
    path = folder / "comparison.json"
    if not path.exists():
        raise InputError(f"{folder}: comparison.json is missing: give the --outdir of a finished run")
    return read_json(path)


def side_by_side(a: Mapping[str, Any], b: Mapping[str, Any], folder_a: Path, folder_b: Path) -> dict[str, Any]:
    """Arms in both, with accuracies and differences: {only_in_a, only_in_b, rows [{arm, test_set, a, b, points, ci95,
    same_windows}]}. a, b: the runs' comparison.json."""
    arms = [list(dict.fromkeys(r["arm"] for r in c["arms"])) for c in (a, b)]
    index = {(r["arm"], r["test_set"]): r for r in b["arms"] if r["windows"]}
    rows = []
    for r in a["arms"]:
        other = index.get((r["arm"], r["test_set"]))
        if not r["windows"] or other is None:
            continue
        same = windows_of(folder_a, r["test_set"]) == windows_of(folder_b, r["test_set"]) is not None
        points = 100 * (other["metrics"]["accuracy"]["mean"] - r["metrics"]["accuracy"]["mean"])
        ci = paired(folder_a, folder_b, r["arm"], r["test_set"]) if same else None
        rows.append(
            {
                "arm": r["arm"],
                "test_set": r["test_set"],
                "a": r["metrics"]["accuracy"]["mean"],
                "b": other["metrics"]["accuracy"]["mean"],
                "points": points,
                "ci95": ci,
                "same_windows": same,
            }
        )
    return {
        "only_in_a": [x for x in arms[0] if x not in arms[1]],
        "only_in_b": [x for x in arms[1] if x not in arms[0]],
        "rows": rows,
    }


def windows_of(folder: Path, test_set: str) -> list[str] | None:
    """Digests of a test set's shards, in order; None where the folder does not know them."""
    sets = folder / "window_sets.json"
    if not sets.exists():
        return None
    pools = read_json(sets)["test"].get(test_set, {}).get("pools", [])
    known = [folder / "windows" / pool / "metadata.json" for pool in pools]
    if not known or not all(p.exists() for p in known):
        return None
    return [d for p in known for d in read_json(p)["digests"]]


def paired(folder_a: Path, folder_b: Path, arm: str, test_set: str) -> list[float] | None:
    """95 % interval, in points, of B's accuracy less A's on the same windows; None under ten effective clusters."""
    paths = [f / "evaluation" / arm / test_set / "predictions.parquet" for f in (folder_a, folder_b)]
    if not all(p.exists() for p in paths):
        return None
    groups = tallies.read_test_clusters(paths[0])
    a, b = (tallies.read_arm_counts(p, groups) for p in paths)
    ci = intervals.accuracy_difference(groups, b, a).interval()
    return [100 * x for x in ci] if ci and intervals.weakest(groups) >= st.MINIMUM_EFFECTIVE else None


def text(rows: list[dict[str, Any]]) -> str:
    """The rows as a table for the terminal."""
    cells = [list(COLUMNS)]
    for r in rows:
        between = f" ({r['ci95'][0]:.1f} to {r['ci95'][1]:.1f})" if r["ci95"] else ""
        cells.append(
            [
                r["arm"],
                r["test_set"],
                f"{100 * r['a']:.1f}",
                f"{100 * r['b']:.1f}",
                f"{r['points']:+.1f}{between}",
                "the same" if r["same_windows"] else "not the same: unpaired",
            ]
        )
    widths = [max(len(row[i]) for row in cells) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells)


if __name__ == "__main__":
    run(main)
