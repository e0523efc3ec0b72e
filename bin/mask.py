#!/usr/bin/env python3
"""Mask what clusters of different folds still have in common, so that no window can leak it."""

import argparse
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from virshort.errors import run
from virshort.files import whole, write_json
from virshort.sequence.canonical_31mers import K
from virshort.windows.leakage import shared_kmers, spans

MUCH = 0.1
"""From this share of a label's bases on, masking no longer removes leftovers: the clusters are too narrow."""


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--folds", type=Path, required=True, help="folds.parquet")
    p.add_argument("--sequences", type=Path, required=True, help="sources.seq")
    p.add_argument("--outdir", type=Path, required=True)
    args = p.parse_args()

    table = pq.read_table(args.folds, columns=["source", "label", "kingdom", "fold", "offset", "length", "unambiguous"])
    offset, length, fold, known = (table[c].to_numpy() for c in ("offset", "length", "fold", "unambiguous"))
    label, kingdom = (np.array(table[c].to_pylist(), str) for c in ("label", "kingdom"))
    bases = np.memmap(args.sequences, np.uint8, "r")
    shared = shared_kmers(bases, offset, length, fold)
    start, end = spans(shared)

    with whole(args.outdir / "masked.seq") as path:
        shutil.copyfile(args.sequences, path)
        path.chmod(0o644)
        masked = np.memmap(path, np.uint8, "r+")
        for a, b in zip(start.tolist(), end.tolist(), strict=True):
            masked[a:b] = ord("N")
        masked.flush()
    source = np.searchsorted(offset, start, side="right") - 1
    hidden = np.bincount(source, end - start, len(offset)).astype(np.int64)

    rows, notes = [], []
    for x, k in sorted(set(zip(label.tolist(), kingdom.tolist(), strict=True))):
        mine = (label == x) & (kingdom == k)
        rows.append({"label": x, "kingdom": k, "bases": int(known[mine].sum()), "masked": int(hidden[mine].sum())})
    for x in sorted(set(label.tolist())):
        share = hidden[label == x].sum() / max(1, known[label == x].sum())
        if share > MUCH:
            notes.append(
                f"{share:.0%} of the {x} bases are 31-mers that other folds have too, and are masked: the "
                "clusters are too narrow, and what is left beside the masked stretches is alike as well: give "
                "wider clusters, or leave the cluster column out"
            )
    half = [s for s, h, n in zip(table["source"].to_pylist(), hidden, known, strict=True) if h * 2 > n]
    if half:
        notes.append(
            f"{len(half)} sources are masked by more than half ({', '.join(half[:3])}"
            f"{', ...' if len(half) > 3 else ''}): their likes are in other folds"
        )
    write_json(
        args.outdir / "mask.json",
        {
            "k": K,
            "shared_kmers": len(shared.folds),
            "stretches": len(start),
            "bases": int(known.sum()),
            "masked": int(hidden.sum()),
            "share": float(hidden.sum() / max(1, known.sum())),
            "table": rows,
            "notes": notes,
        },
    )
    print(
        f"{len(offset)} sources: {hidden.sum()} of {known.sum()} bases masked "
        f"({hidden.sum() / max(1, known.sum()):.2%}), {len(shared.folds)} 31-mers that two folds have"
        + "".join(f"\nnote: {note}" for note in notes)
    )


if __name__ == "__main__":
    run(main)
