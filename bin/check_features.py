#!/usr/bin/env python3
"""Read ready features through, refuse what is wrong with them, and list their contigs, which are the sources."""

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import InputError, run
from virshort.features.ready_features import Block, read_blocks
from virshort.features.virnucpro import DNA
from virshort.files import whole, write_json
from virshort.labels import LABELS
from virshort.sources.checks import check_given, check_labels, describe
from virshort.sources.samplesheet import SourceRow, read_samplesheet, read_source_table
from virshort.sources.store import write_table


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--features", type=Path, required=True, help="the sheet")
    p.add_argument("--files", type=Path, nargs="+", required=True, help="the files it names, in its order")
    p.add_argument("--source-table", type=Path)
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    table = read_source_table(args.source_table) if args.source_table else {}
    sources: dict[str, dict] = {}
    rows = inputs = 0
    for block in read_blocks(read_samplesheet(args.features, "features"), args.files):
        rows, inputs = rows + len(block.data), block.data.shape[1]
        add(sources, block, table, args.source_table.name if args.source_table else "")
    found = list(sources.values())
    check_labels([s["label"] for s in found], [])
    check_given(*([s[c] for s in found] for c in ("source", "cluster", "split")))
    nameless = next((s["source"] for s in found if not s["named"] and s["cluster"] is None), None)
    if nameless is not None:
        raise InputError(
            f"id {nameless}: does not tell its contig (<contig>_chunk_<number><frame>): give each file, or each "
            "id in --source_table, a cluster, so that what belongs together is not parted"
        )
    windows = sum(s["length"] for s in found)
    note = f"ready features: {rows} rows of {windows} chunks of {len(found)} contigs, {DNA} + {inputs - DNA} numbers a row"
    with whole(args.out / "sources.parquet") as path:
        write_table(path, found)
    with whole(args.out / "clusters.parquet") as path:
        names = {"source": [s["source"] for s in found], "cluster": [s["cluster"] or s["source"] for s in found]}
        pq.write_table(pa.table(names), path, compression="zstd")
    counts = Counter((s["label"], s["kingdom"]) for s in found)
    write_json(
        args.out / "input.json",
        {
            "records": len(found),
            "rows": rows,
            "windows": windows,
            "inputs": inputs,
            "skipped": 0,
            "notes": [note],
            "counts": [
                {"label": label, "kingdom": kingdom, "records": n, "bases": None, "skipped": 0}
                for (label, kingdom), n in sorted(counts.items())
            ],
        },
    )
    write_json(
        args.out / "leakage.json",
        {
            "k": None,
            "limit": None,
            "ok": None,
            "summary": [],
            "sets": [],
            "worst": [],
            "message": "No leakage audit is possible for ready features, because their sequences are not here. Training and "
            "test are kept apart only by never splitting the contigs of one cluster.",
        },
    )
    print(note)


def add(sources: dict[str, dict], block: Block, table: dict[str, SourceRow], table_name: str) -> None:
    """Count the block's windows to their sources."""
    for window, source, label in zip(block.window, block.source, block.label.tolist(), strict=True):
        name, word = source or window, LABELS[label]
        if name not in sources:
            about = describe(name, replace(block.row, label=word), table.get(name), table_name)
            sources[name] = {
                "source": name,
                **about,
                "file": Path(block.row.fasta).name,
                "offset": 0,
                "length": 0,
                "unambiguous": 0,
                "gc": None,
                "named": source is not None,
            }
        elif sources[name]["label"] != word:
            raise InputError(
                f"{block.row.fasta}: contig {name} is {word} here, but {sources[name]['label']} in "
                f"{sources[name]['file']}: give contigs of different files names of their own"
            )
        sources[name]["length"] += 1
        sources[name]["unambiguous"] += 1


if __name__ == "__main__":
    run(main)
