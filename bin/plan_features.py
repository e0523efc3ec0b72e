#!/usr/bin/env python3
"""Read the sheet of ready features and the arms, refuse invalid ones, and write what the run needs."""

import argparse
from pathlib import Path

from virshort.arms import choose, read_arms, trained_alike
from virshort.curve_arms import arms_of_curve
from virshort.errors import run
from virshort.files import write_json
from virshort.modalities import GIVEN
from virshort.sources.given_split import SPLITS
from virshort.sources.hold_out import check_hold_out, family_column
from virshort.sources.samplesheet import gives_split, read_samplesheet, table_columns


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--features", type=Path, required=True, help="the sheet")
    p.add_argument("--source-table", type=Path)
    p.add_argument("--hold-out", default="cluster", help="cluster, or the column whose values are held out together")
    p.add_argument("--arms-file", type=Path, required=True)
    p.add_argument("--arms", help="names, comma-separated (default: all that add information)")
    p.add_argument("--pretrained", action="store_true", help="the user gives the baseline, so it is not trained")
    p.add_argument("--learning-curve", help="an arm to train again on fewer training folds")
    p.add_argument("--folds", type=int, default=5, help="those of the run, for the learning curve")
    args = p.parse_args()

    check_hold_out(args.hold_out, table_columns(args.features, args.source_table))
    sheet = read_samplesheet(args.features, "features", family_column(args.hold_out))
    given = {"dna": GIVEN, "protein": GIVEN}
    arms = choose(read_arms(args.arms_file, given, {m: {GIVEN} for m in given}, ready_features=True), args.arms)
    baseline = next(a for a in arms if a["role"] == "baseline")
    if args.pretrained:
        baseline.update({"windows": None, "start": "pretrained"})
    elif not args.arms:  # an arm that starts from such a baseline, or equals it, would tell nothing new
        needed = {"baseline", *(part for a in arms for part in a["combine"])}
        kept = [a for a in arms if a["name"] in needed or not (a["start"] == "baseline" or trained_alike(a, baseline))]
        print("left out without --pretrained: " + ", ".join(a["name"] for a in arms if a not in kept))
        arms = kept
    if args.learning_curve:
        divided = gives_split(sheet, args.source_table, family_column(args.hold_out))
        arms += arms_of_curve(arms, args.learning_curve, len(SPLITS) if divided else args.folds)
    write_json("arms.json", arms)
    write_json("plan.json", {"files": [row.fasta for row in sheet], "arms": arms})
    print(f"{len(sheet)} files, {len(arms)} arms: {', '.join(a['name'] for a in arms)}")


if __name__ == "__main__":
    run(main)
