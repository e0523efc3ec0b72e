#!/usr/bin/env python3
"""Join sources that are too similar to be parted between training and test."""

import argparse
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import InputError, run
from virshort.files import whole, write_json
from virshort.sequence.canonical_31mers import K
from virshort.sources.clustering import components, describe, same_name, similar, sketch

SCALED = 10
"""One 31-mer in ten is kept: a source of 150 bp has 12 of them, and none once in 300,000 sources."""


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--sources", type=Path, required=True, help="sources.parquet")
    p.add_argument("--sequences", type=Path, required=True, help="sources.seq")
    p.add_argument("--outdir", type=Path, required=True)
    p.add_argument(
        "--containment", type=float, default=0.01, help="join sources that share this much of the smaller one's 31-mers"
    )
    p.add_argument("--threads", type=int, default=1)
    args = p.parse_args()
    if not 0 < args.containment <= 1:
        raise InputError(f"--containment {args.containment}: must be above 0 and at most 1")

    columns = ["source", "label", "cluster", "offset", "length"]
    table = pq.read_table(args.sources, columns=columns).to_pydict()
    source, label, given = table["source"], table["label"], table["cluster"]
    offset, length = (np.array(table[c], np.int64) for c in ("offset", "length"))
    named = sum(name is not None for name in given)
    if named == len(source):
        cluster = given
        how = {"method": "given", "tool": None, "version": None, "k": None, "scaled": None, "containment": None}
    else:
        bases = np.memmap(args.sequences, np.uint8, "r")
        hashes, owner = sketch(bases, offset, length, SCALED, args.threads)
        pairs = [similar(hashes, owner, len(source), args.containment), same_name(given)]
        cluster = [source[first] for first in components(len(source), pairs)]
        how = {
            "method": "connected components of shared 31-mers",
            "tool": "sourmash",
            "version": version("sourmash"),
            "k": K,
            "scaled": SCALED,
            "containment": args.containment,
            "sources_with_a_given_cluster": named,
        }
    summary = how | describe(cluster, label, length, named == len(source))

    with whole(args.outdir / "clusters.parquet") as path:
        table = pa.table({"source": source, "cluster": pa.array(cluster, pa.string())})
        pq.write_table(table, path, compression="zstd")
    write_json(args.outdir / "clusters.json", summary)
    print(
        f"{len(source)} sources in {summary['clusters']} clusters ({how['method']})"
        + "".join(f"\nnote: {note}" for note in summary["notes"])
    )


if __name__ == "__main__":
    run(main)
