#!/usr/bin/env python3
"""Join sources that are too similar to be split between training and test into clusters."""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import run
from virshort.files import whole, write_json
from virshort.sources.clustering import ClusterSummary, cluster_sources, count_clusters


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--sources", type=Path, required=True, help="sources.parquet")
    p.add_argument("--sequences", type=Path, required=True, help="sources.seq")
    p.add_argument("--outdir", type=Path, required=True)
    p.add_argument(
        "--containment",
        type=float,
        default=0.01,
        help="join two sources that share at least this fraction of the smaller one's 31-mers",
    )
    p.add_argument("--threads", type=int, default=1)
    args = p.parse_args()

    table = pq.read_table(args.sources, columns=["source", "label", "cluster", "offset", "length"]).to_pydict()
    source, offset, length = table["source"], np.array(table["offset"], np.int64), np.array(table["length"], np.int64)
    bases = np.memmap(args.sequences, np.uint8, "r")
    cluster, method = cluster_sources(source, table["cluster"], bases, offset, length, args.containment, args.threads)
    counts = count_clusters(cluster, table["label"], length, method["sources_with_a_given_cluster"])
    summary: ClusterSummary = {**method, **counts}

    with whole(args.outdir / "clusters.parquet") as path:
        clusters = pa.table({"source": source, "cluster": pa.array(cluster, pa.string())})
        pq.write_table(clusters, path, compression="zstd")
    write_json(args.outdir / "clusters.json", summary)
    print(f"{len(source)} sources in {summary['clusters']} clusters ({method['method']})")
    for note in summary["notes"]:
        print(f"note: {note}")


if __name__ == "__main__":
    run(main)
