#!/usr/bin/env python3
"""Write the model of one arm: the heads of all folds, and everything that is needed to score reads with them."""

import argparse
from pathlib import Path

import numpy as np

from virshort.errors import run
from virshort.files import read_json
from virshort.heads.finetuned import RECORD as ENCODER_RECORD
from virshort.heads.held_out import FILE as HELD_OUT
from virshort.heads.held_out import joined
from virshort.heads.model_files import folder_of
from virshort.heads.pair_record import POOLED_RULE
from virshort.heads.prediction import read_heads
from virshort.modalities import FINETUNED
from virshort.model.card import model_card
from virshort.model.record import FinetunedEncoders
from virshort.model.source_kmers import spaced_kmers, step_for
from virshort.model.writing import Run, chosen_arm, model_record, write_model
from virshort.paired_sets import PAIR
from virshort.verdict.schema import Comparison
from virshort.windows.source_table import read_source_table


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--arm", required=True, help="its name")
    p.add_argument("--arms", type=Path, required=True, help="arms.json")
    p.add_argument("--models", type=Path, required=True, help="the arm's folder with fold_<f>/replicate_<r>/")
    p.add_argument("--evaluation", type=Path, required=True, help="the arm's folder with <test set>/")
    p.add_argument("--comparison", type=Path, required=True, help="comparison.json")
    p.add_argument("--window-sets", type=Path, required=True, help="window_sets.json")
    p.add_argument("--folds", type=Path, required=True, help="folds.parquet")
    p.add_argument("--sequences", type=Path, required=True, help="the bases of all sources: masked.seq")
    p.add_argument("--databases", type=Path, help="what windows were searched against; needed for an arm that reads matches")
    p.add_argument("--rows", type=Path, required=True, help="rows of encoders.yaml by language model (JSON)")
    p.add_argument("--window-length", type=int, required=True)
    p.add_argument("--genetic-code", type=int, required=True)
    p.add_argument("--frames", choices=["longest", "all"], required=True)
    p.add_argument("--sensitivity", required=True, help="--homology_sensitivity of the run")
    p.add_argument("--simulated", action="store_true", help="the sources are simulated: the card says so")
    p.add_argument("--out", type=Path, required=True, help="the folder to write; must not exist")
    args = p.parse_args()

    arms = read_json(args.arms)
    arm = chosen_arm(arms, args.arm)
    sets = read_json(args.window_sets)
    replicates, of_head = read_heads(args.models, sets["test_folds"])
    heads = replicates[0]  # folds differ more than replicates, which would only make a model slower (docs/model.md)
    rule = args.evaluation / PAIR / POOLED_RULE
    by_set = sorted(args.evaluation.glob(f"*/{HELD_OUT}"), key=lambda path: (path.parent.name != "short", path.parent.name))

    sources = read_source_table(args.folds)
    bases = np.memmap(args.sequences, np.uint8, "r")
    step = step_for(len(bases))
    kmers = spaced_kmers(bases, sources.offset, sources.length, step)
    trained: FinetunedEncoders | None = None
    if FINETUNED in arm["modalities"]:
        how = read_json(args.models / folder_of(sets["test_folds"][0], 0) / ENCODER_RECORD)["how"]
        columns = {str(fold): i * len(replicates) for i, fold in enumerate(sorted(sets["test_folds"]))}
        trained = {"encoder": how["encoder"], "columns": columns, "width": len(columns) * len(replicates)}
    record = model_record(
        arm,
        arms,
        of_head,
        heads.calibration,
        read_json(rule) if rule.exists() else None,
        {"step": step, "count": len(kmers), "bases": len(bases)},
        Run(sets["folds"], sets["test_folds"], args.window_length, args.genetic_code, args.frames, args.sensitivity),
        joined([read_json(path) for path in by_set]),
        read_json(args.rows),
        trained,
    )
    comparison: Comparison = read_json(args.comparison)
    card = model_card(record, comparison, sources, args.simulated)
    done = write_model(args.out, record, heads, kmers, args.databases, card, args.models)
    size = sum(f["bytes"] for f in done["files"].values())
    print(
        f"{arm['name']}: the heads of {len(sets['test_folds'])} folds, {len(kmers)} 31-mers of "
        f"{len(sources.source)} sources (one position in {step}), {size / 1e6:.1f} MB in {len(done['files']) + 1} files"
    )


if __name__ == "__main__":
    run(main)
