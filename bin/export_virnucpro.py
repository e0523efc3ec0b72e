#!/usr/bin/env python3
"""Write a model as VirNucPro's head (.pth), or kept features (--keep_features) as VirNucPro's merged features (.pt)."""

import argparse
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from virshort.encoders.catalogue import catalogue_of
from virshort.encoders.rows import read_rows
from virshort.errors import InputError, run
from virshort.features.kept_shards import read_kept_shards
from virshort.features.virnucpro import DNA, write_head, write_merged
from virshort.files import read_json
from virshort.labels import LABELS


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    kinds = p.add_subparsers(dest="kind", required=True)
    head = kinds.add_parser("head", help="turn a model into a checkpoint or a whole pickled module")
    head.add_argument("model", type=Path, help="folder with model.safetensors and model.json")
    head.add_argument("out", type=Path, help="the .pth to write")
    head.add_argument("--whole", action="store_true", help="a pickled module, as VirNucPro's first version reads")
    merged = kinds.add_parser("merged", help="turn shards of features into one .pt per label, whose ids are window and frame")
    merged.add_argument("out", type=Path, help="folder for viral_merged.pt and nonviral_merged.pt")
    merged.add_argument("--dna", type=Path, nargs="+", required=True, help="features of the DNA encoder, one file per shard")
    merged.add_argument("--protein", type=Path, nargs="+", required=True, help="those of the protein encoder, same order")
    merged.add_argument("--windows", type=Path, nargs="+", required=True, help="shard_*.windows.parquet, same order")
    a = p.parse_args()
    if a.kind == "head":
        export_head(a.model, a.out, a.whole)
    else:
        export_merged(a.dna, a.protein, a.windows, a.out)


def export_head(model: Path, out: Path, whole: bool) -> None:
    about = read_json(model / "model.json")
    if about["modalities"] != ["dna", "protein"]:
        only = " and ".join(about["modalities"])
        raise InputError(f"{model}: a head for {only} only, but VirNucPro's are for DNA and protein: choose another arm")
    if about.get("combine"):
        raise InputError(f"{model}: combines arms and has no head of its own: export {' or '.join(about['combine'])}")
    name = {e["modality"]: e["encoder"] for e in about["encoders"]}
    tensors = load_file(model / "model.safetensors")
    inputs = tensors["hidden_layer.weight"].shape[1]
    known = catalogue_of(read_rows())
    protein, dna = known.get(name["protein"]), known.get(name["dna"])
    write_head(
        out,
        tensors,
        protein.row.published.repo if protein and protein.row else name["protein"],
        {"arm": about["arm"], "threshold": about["threshold"]},
        whole,
        dna=inputs - protein.dim if protein and protein.row else dna.dim if dna else DNA,
    )
    print(
        f"{out}: {'whole module' if whole else 'checkpoint'}, {inputs} inputs ({name['dna']}, {name['protein']}); "
        f"its own threshold is {about['threshold']:.4g}, while VirNucPro uses 0.5"
    )


def export_merged(dna: list[Path], protein: list[Path], windows: list[Path], out: Path) -> None:
    kept = read_kept_shards(dna, protein, windows)
    for name in reversed(LABELS):
        label = LABELS.index(name)
        rows = np.flatnonzero(kept.labels == label)
        write_merged(out / f"{name}_merged.pt", [kept.ids[row] for row in rows], kept.data[rows], label)
        print(f"{out / f'{name}_merged.pt'}: {len(rows)} rows of {kept.data.shape[1]} numbers")


if __name__ == "__main__":
    run(main)
