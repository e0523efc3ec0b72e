#!/usr/bin/env python3
"""Read all ready features once, report invalid ones, and list their contigs, which are the sources of the run."""

import argparse
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import run
from virshort.features.ready_features import read_blocks
from virshort.features.virnucpro import DNA
from virshort.files import whole, write_json
from virshort.sources.contigs import Contigs
from virshort.sources.hold_out import note_unused_family
from virshort.sources.samplesheet import SourceTable, read_samplesheet, read_source_table, table_columns
from virshort.sources.store import write_sources

NO_AUDIT: dict[str, object] = {
    "k": None,
    "limit": None,
    "ok": None,
    "summary": [],
    "sets": [],
    "worst": [],
    "message": "Ready features come without their sequences, so a leakage audit is not possible. Training and test are kept "
    "apart only by never splitting the contigs of one cluster between them.",
}
"""leakage.json of a run that starts from ready features."""


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--features", type=Path, required=True, help="samplesheet of feature files")
    p.add_argument("--files", type=Path, nargs="+", required=True, help="the files that it lists, in the same order")
    p.add_argument("--source-table", type=Path, help="TSV with one row per contig")
    p.add_argument("--family-column", default="family", help="the column that gives the family of a contig")
    p.add_argument("--out", type=Path, required=True, help="folder for the results")
    args = p.parse_args()

    table = read_source_table(args.source_table, args.family_column) if args.source_table else SourceTable()
    contigs = Contigs()
    rows = inputs = 0
    for block in read_blocks(read_samplesheet(args.features, "features", args.family_column), args.files):
        rows, inputs = rows + len(block.data), block.data.shape[1]
        contigs.add(block.row, block.window, block.source, block.label, table)
    contigs.check()

    note = (
        f"The ready features have {rows} rows, of {contigs.windows} chunks of {len(contigs.sources)} contigs, and {DNA} + "
        f"{inputs - DNA} numbers per row."
    )
    with whole(args.out / "sources.parquet") as path:
        write_sources(path, list(contigs.sources.values()))
    with whole(args.out / "clusters.parquet") as path:
        pq.write_table(pa.table({"source": list(contigs.sources), "cluster": contigs.clusters()}), path, compression="zstd")
    summary = contigs.summary(rows, inputs, note)
    summary["notes"] += note_unused_family(args.family_column, table_columns(args.features, args.source_table))
    write_json(args.out / "input.json", summary)
    write_json(args.out / "leakage.json", NO_AUDIT)
    print(note)


if __name__ == "__main__":
    run(main)
