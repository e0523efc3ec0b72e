#!/usr/bin/env python3
"""SourceReader every file and record of the samplesheet, and put the sources into one store."""

import argparse
from contextlib import ExitStack
from pathlib import Path

from virshort.errors import InputError, run
from virshort.files import read_json, whole, write_json
from virshort.sources.checks import SourceReader
from virshort.sources.samplesheet import read_samplesheet, read_source_table
from virshort.sources.store import write_table


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--samplesheet", type=Path, required=True)
    p.add_argument(
        "--files",
        type=Path,
        help="JSON: path as the samplesheet writes it -> where the file lies "
        "(default: the path itself, relative to the samplesheet)",
    )
    p.add_argument("--source-table", type=Path)
    p.add_argument("--min-length", type=int, default=150, help="a shorter source is left out")
    p.add_argument("--max-n", type=float, default=0.5, help="a source with more ambiguous bases (share) is left out")
    p.add_argument("--outdir", type=Path, required=True)
    args = p.parse_args()
    if args.min_length < 1:
        raise InputError(f"--min-length {args.min_length}: must be 1 or more")
    if not 0 <= args.max_n <= 1:
        raise InputError(f"--max-n {args.max_n}: must be 0 to 1")

    sheet = read_samplesheet(args.samplesheet)
    table = read_source_table(args.source_table) if args.source_table else {}
    staged = read_json(args.files) if args.files else {}
    check = SourceReader(table, args.source_table.name if table else "", args.min_length, args.max_n)
    with ExitStack() as stack:  # all files appear together, or none
        sequences, sources, skipped = (
            stack.enter_context(whole(args.outdir / name)) for name in ("sources.seq", "sources.parquet", "skipped.tsv")
        )
        with sequences.open("wb") as out:
            for row in sheet:
                path = staged[row.fasta] if row.fasta in staged else args.samplesheet.parent / row.fasta
                check.file(row, Path(path), out)
        check.whole_input()
        write_table(sources, check.rows)
        skipped.write_text(
            "".join(
                "\t".join(line) + "\n"
                for line in [("source", "file", "reason")] + [(s["source"], s["file"], s["reason"]) for s in check.skipped]
            ),
            encoding="utf-8",
        )
        summary = check.summary()
        write_json(args.outdir / "input.json", summary)
    print(
        f"{len(check.seen)} records in {len(sheet)} files -> {len(check.rows)} sources, {check.bases} bases, "
        f"{len(check.skipped)} left out" + "".join(f"\nnote: {note}" for note in summary["notes"])
    )


if __name__ == "__main__":
    run(main)
