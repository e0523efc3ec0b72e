#!/usr/bin/env python3
"""Join sources that are too similar to be parted between training and test."""

import argparse
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from virshort.clustering import components, describe, same_hash, same_name, sketch
from virshort.errors import InputError, run
from virshort.files import whole, write_json
from virshort.kmers31 import K


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--sources", type=Path, required=True, help="sources.parquet")
    p.add_argument("--sequences", type=Path, required=True, help="sources.seq")
    p.add_argument("--outdir", type=Path, required=True)
    p.add_argument("--scaled", type=int, default=25, help="keep one 31-mer in this many; a shared one joins two sources")
    p.add_argument("--threads", type=int, default=1)
    args = p.parse_args()
    if args.scaled < 1:
        raise InputError(f"--scaled {args.scaled}: must be 1 or more")

    columns = ["source", "label", "cluster", "offset", "length"]
    table = pq.read_table(args.sources, columns=columns).to_pydict()
    source, given = table["source"], table["cluster"]
    offset, length = (np.array(table[c], np.int64) for c in ("offset", "length"))
    named = sum(name is not None for name in given)
    if named == len(source):
        cluster = given
        how = {"method": "given", "tool": None, "version": None, "k": None, "scaled": None}
    else:
        bases = np.memmap(args.sequences, np.uint8, "r")
        pairs = [same_hash(*sketch(bases, offset, length, args.scaled, args.threads)), same_name(given)]
        cluster = [source[first] for first in components(len(source), pairs)]
        how = {"method": "connected components of shared 31-mers", "tool": "sourmash", "version": version("sourmash"),
               "k": K, "scaled": args.scaled, "sources_with_a_given_cluster": named}
    summary = how | describe(cluster, table["label"], length, named == len(source))

    with whole(args.outdir / "clusters.parquet") as path:
        pq.write_table(pa.table({"source": source, "cluster": pa.array(cluster, pa.string())}), path, compression="zstd")
    write_json(args.outdir / "clusters.json", summary)
    print(f"{len(source)} sources in {summary['clusters']} clusters ({how['method']})"
          + "".join(f"\nnote: {note}" for note in summary["notes"]))


if __name__ == "__main__":
    run(main)
