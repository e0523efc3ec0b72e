#!/usr/bin/env python3
"""Read the samplesheet and the arms, refuse invalid ones, and write what the run needs."""

import argparse
from dataclasses import asdict
from pathlib import Path

from virshort.arms import choose, read_arms
from virshort.curve_arms import arms_of_curve
from virshort.encoder_arms import arms_of_encoders
from virshort.encoders.catalogue import by_modality, catalogue_of
from virshort.encoders.plan import arms_by_default, encoders_of_run, make_plan, stand_in_note
from virshort.encoders.rows import SHIPPED, read_rows
from virshort.errors import run
from virshort.files import write_json
from virshort.sources.given_split import SPLITS
from virshort.sources.hold_out import check_hold_out, family_column
from virshort.sources.samplesheet import gives_split, read_samplesheet, table_columns


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--samplesheet", type=Path, required=True)
    p.add_argument("--source-table", type=Path)
    p.add_argument("--hold-out", default="cluster", help="cluster, or the column whose values are held out together")
    p.add_argument("--arms-file", type=Path, required=True)
    p.add_argument("--arms", help="names, comma-separated (default: all arms that can be trained here)")
    p.add_argument(
        "--encoders-files", type=Path, nargs="+", default=[SHIPPED], help="rows of language models; a later file goes first"
    )
    p.add_argument("--dna-encoder", required=True, help="or several, comma-separated")
    p.add_argument("--protein-encoder", required=True, help="or several, comma-separated")
    p.add_argument("--protein-input", default="translated", choices=["translated", "nucleotide"])
    p.add_argument("--device", default="auto")
    p.add_argument("--weights-given", action="store_true", help="the user names a folder with weights")
    p.add_argument("--weights-revision", help="local, or ENCODER=REVISION, comma-separated (default: the pinned ones)")
    p.add_argument("--pretrained", action="store_true", help="the user gives the baseline, so it is not trained")
    p.add_argument("--learning-curve", help="an arm to train again on fewer training folds")
    p.add_argument("--folds", type=int, default=5, help="those of the run, for the learning curve")
    args = p.parse_args()

    check_hold_out(args.hold_out, table_columns(args.samplesheet, args.source_table))
    sheet = read_samplesheet(args.samplesheet, family=family_column(args.hold_out))
    asked = {"dna": args.dna_encoder.split(","), "protein": args.protein_encoder.split(",")}
    catalogue = catalogue_of(read_rows(args.encoders_files))
    encoders = encoders_of_run(asked, args.weights_given, args.device, catalogue)
    first = {modality: names[0] for modality, names in encoders.items()}
    known = read_arms(args.arms_file, first, by_modality(catalogue), args.protein_input)
    default = arms_by_default(known, args.device, catalogue)
    arms = choose(known, ",".join(default) if args.arms is None else args.arms)
    left_out = [arm["name"] for arm in known if args.arms is None and arm["name"] not in default]
    variants = arms_of_encoders(arms, first, {modality: names[1:] for modality, names in encoders.items()})
    possible = arms_by_default(variants, args.device, catalogue)
    arms += [arm for arm in variants if args.arms is not None or arm["name"] in possible]
    if args.pretrained:
        next(arm for arm in arms if arm["role"] == "baseline").update({"windows": None, "start": "pretrained"})
    if args.learning_curve:
        divided = gives_split(sheet, args.source_table, family_column(args.hold_out))
        arms += arms_of_curve(arms, args.learning_curve, len(SPLITS) if divided else args.folds)
    fastas = [row.fasta for row in sheet]
    note = stand_in_note(asked, encoders, catalogue)
    plan = make_plan(fastas, arms, note, catalogue, args.weights_revision, left_out)
    write_json("arms.json", [arm | {"note": plan.note} for arm in plan.arms])
    write_json("plan.json", asdict(plan))
    print(f"{len(sheet)} files, {len(arms)} arms: {', '.join(arm['name'] for arm in arms)}")


if __name__ == "__main__":
    run(main)
