#!/usr/bin/env python3
"""Read the samplesheet and the arms, refuse what is wrong with them, and say what the run needs."""

import argparse
from pathlib import Path

from virshort.arms import choose, read_arms
from virshort.encoders.catalogue import ENCODERS, choose_encoder, model_of
from virshort.encoders.published import choose_revisions
from virshort.errors import run
from virshort.files import write_json
from virshort.sources.samplesheet import read_samplesheet


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--samplesheet", type=Path, required=True)
    p.add_argument("--arms-file", type=Path, required=True)
    p.add_argument("--arms", help="names, comma-separated; all if absent")
    p.add_argument("--dna-encoder", required=True, choices=["auto", *ENCODERS["dna"]])
    p.add_argument("--protein-encoder", required=True, choices=["auto", *ENCODERS["protein"]])
    p.add_argument("--protein-input", default="translated", choices=["translated", "nucleotide"])
    p.add_argument("--device", default="auto")
    p.add_argument("--weights-given", action="store_true", help="there is a folder with weights")
    p.add_argument("--weights-revision", help="local, or ENCODER=REVISION, comma-separated; the pinned ones if absent")
    p.add_argument("--pretrained", action="store_true", help="the baseline is given, and not trained here")
    args = p.parse_args()

    sheet = read_samplesheet(args.samplesheet)
    asked = {"dna": args.dna_encoder, "protein": args.protein_encoder}
    run_encoders = {m: choose_encoder(m, name, args.weights_given, args.device) for m, name in asked.items()}
    arms = choose(read_arms(args.arms_file, run_encoders, ENCODERS, args.protein_input), args.arms)
    if args.pretrained:
        next(a for a in arms if a["role"] == "baseline").update({"windows": None, "start": "pretrained"})
    for arm in arms:
        arm["pair"] = "+".join(arm["encoders"][m] for m in ("dna", "protein"))
    pairs = {"test": sorted({a["pair"] for a in arms})}
    for windows in ("short", "scratch", "mixed", "full"):
        # Every arm is judged on the validation windows of `short`, and `scratch` begins with `short`.
        pairs[windows] = sorted({a["pair"] for a in arms if windows in (a["windows"], "short")})
    encoders = {name: model_of(name) for pair in pairs["test"] for name in pair.split("+")}
    stand_in = [run_encoders[m] for m in asked if asked[m] == "auto" and not model_of(run_encoders[m])]
    note = (
        f"{' and '.join(stand_in)} stand in for the language models, which need a GPU (-profile gpu) or a folder with "
        "their weights (--weights DIR): docs/language-models.md"
        if stand_in
        else None
    )
    write_json("arms.json", [arm | {"note": note} for arm in arms])
    write_json(
        "plan.json",
        {
            "fastas": [row.fasta for row in sheet],
            "arms": arms,
            "pairs": pairs,
            "encoders": encoders,
            "weights": choose_revisions({m for m in encoders.values() if m}, args.weights_revision),
            "note": note,
            "train_sets": sorted({a["windows"] or "short" for a in arms}),
        },
    )
    print(f"{len(sheet)} files, {len(arms)} arms: {', '.join(a['name'] for a in arms)}")


if __name__ == "__main__":
    run(main)
