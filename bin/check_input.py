#!/usr/bin/env python3
"""Check every file and record of the samplesheet, and store the sources in one form."""

import argparse
from contextlib import ExitStack
from pathlib import Path

from virshort.errors import InputError, run
from virshort.files import read_json, whole, write_json
from virshort.sources.hold_out import note_unused_family
from virshort.sources.reading import Limits, read_sources, summarize_input
from virshort.sources.samplesheet import SourceTable, read_samplesheet, read_source_table, resolve_path, table_columns
from virshort.sources.store import write_skipped, write_sources


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--samplesheet", type=Path, required=True, help="CSV with one row per FASTA or FASTQ file")
    p.add_argument(
        "--files",
        type=Path,
        help="JSON that maps each path in the samplesheet to the place of the file "
        "(default: the path itself, relative to the samplesheet)",
    )
    p.add_argument("--source-table", type=Path, help="TSV with one row per record")
    p.add_argument("--family-column", default="family", help="the column of these tables that gives the family of a source")
    p.add_argument("--min-length", type=int, default=150, help="leave out sources with fewer bases")
    p.add_argument("--max-n", type=float, default=0.5, help="leave out sources with a larger share of ambiguous bases")
    p.add_argument(
        "--long-window",
        type=int,
        default=500,  # the shortest window of the set `full`
        help="bases of the shortest long window; each label needs a source of this length",
    )
    p.add_argument("--outdir", type=Path, required=True)
    args = p.parse_args()
    if args.min_length < 1:
        raise InputError(f"--min-length {args.min_length}: must be 1 or more")
    if not 0 <= args.max_n <= 1:
        raise InputError(f"--max-n {args.max_n}: must be between 0 and 1")

    sheet = read_samplesheet(args.samplesheet, family=args.family_column)
    table = read_source_table(args.source_table, args.family_column) if args.source_table else SourceTable()
    staged = read_json(args.files) if args.files else {}
    paths = [Path(staged[r.fasta]) if r.fasta in staged else resolve_path(r.fasta, args.samplesheet.parent) for r in sheet]
    limits = Limits(args.min_length, args.max_n, args.long_window)
    with ExitStack() as stack:  # either all files appear, or none does
        sequences, sources, skipped = (
            stack.enter_context(whole(args.outdir / name)) for name in ("sources.seq", "sources.parquet", "skipped.tsv")
        )
        with sequences.open("wb") as out:
            found = read_sources(sheet, paths, table, limits, out)
        write_sources(sources, found.sources)
        write_skipped(skipped, found.skipped)
        summary = summarize_input(found, table, limits)
        summary["notes"] += note_unused_family(args.family_column, table_columns(args.samplesheet, args.source_table))
        write_json(args.outdir / "input.json", summary)
    print(
        f"{len(found.place)} records in {len(sheet)} files: {len(found.sources)} sources with {found.bases} bases, "
        f"{len(found.skipped)} records left out"
    )
    for note in summary["notes"]:
        print(f"note: {note}")


if __name__ == "__main__":
    run(main)
