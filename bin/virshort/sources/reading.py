"""All records of the samplesheet's files, read once: the accepted ones become the sources of the run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypedDict

from virshort.errors import InputError
from virshort.sources.checks import (
    check_given_splits,
    check_labels,
    count_reasons,
    metadata_of,
    note_short_sources,
    why_skipped,
)
from virshort.sources.records import read_records
from virshort.sources.samplesheet import SheetRow, SourceTable
from virshort.sources.store import LabelCount, SkippedRecord, Source


@dataclass(frozen=True)
class Limits:
    """A record with fewer bases than `min_length`, or a larger share of ambiguous bases than `max_n`, is left out. Each label
    needs a source with at least `long_window` bases."""

    min_length: int
    max_n: float
    long_window: int


@dataclass
class Collection:
    """The records of all files. sources: the accepted ones; skipped: the others; place: file and record number by id, of all
    records; bases: bases of the accepted ones."""

    sources: list[Source] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)
    place: dict[str, tuple[str, int]] = field(default_factory=dict)
    bases: int = 0


class TableUse(TypedDict):
    """ids: in the source table; in_no_file: those among them that no record has; records_without: records not in the table."""

    ids: int
    in_no_file: int
    records_without: int


class InputSummary(TypedDict):
    """input.json of a run that starts from genomes. reasons: number of skipped records by reason."""

    records: int
    bases: int
    skipped: int
    reasons: dict[str, int]
    counts: list[LabelCount]
    source_table: TableUse
    notes: list[str]


def read_sources(
    sheet: Sequence[SheetRow], paths: Sequence[Path], table: SourceTable, limits: Limits, sequences: BinaryIO
) -> Collection:
    """Read the files of a samplesheet, which are at `paths`. The bases of accepted records are written to `sequences`.

    Raises InputError for whatever is wrong with a record, with a label or with the splits."""
    found = Collection()
    for row, path in zip(sheet, paths, strict=True):
        _read_file(row, path, table, limits, sequences, found)
    check_labels(found.sources, found.skipped, limits.long_window)
    if table.rows and not table.rows.keys() & found.place.keys():
        raise InputError(
            f"{table.name}, id: no record has any of these ids (the first is {next(iter(table.rows))}, but the first record is "
            f"{next(iter(found.place))}): use the header of a record up to its first white space"
        )
    check_given_splits(found.sources)
    return found


def _read_file(row: SheetRow, path: Path, table: SourceTable, limits: Limits, sequences: BinaryIO, found: Collection) -> None:
    """Add the records of one file to `found`."""
    assert row.label is not None, "only ready features may do without a label"
    for number, (source, bases) in enumerate(read_records(path, row.fasta), 1):
        if source in found.place:
            file, before = found.place[source]
            raise InputError(
                f"{row.fasta}, record {number}: its id {source} is also the id of record {before} of {file}: give each record "
                "an id of its own"
            )
        found.place[source] = row.fasta, number
        about = metadata_of(source, row, row.label, table)
        gc = bases.count(b"G") + bases.count(b"C")
        unambiguous = gc + bases.count(b"A") + bases.count(b"T")
        if reason := why_skipped(len(bases), unambiguous, limits.min_length, limits.max_n):
            found.skipped.append(
                {
                    "source": source,
                    "file": row.fasta,
                    "reason": reason,
                    "label": about["label"],
                    "kingdom": about["kingdom"],
                }
            )
            continue
        found.sources.append(
            {
                "source": source,
                **about,
                "file": row.fasta,
                "offset": found.bases,
                "length": len(bases),
                "unambiguous": unambiguous,
                "gc": gc / max(unambiguous, 1),
            }
        )
        found.bases += sequences.write(bases)


def summarize_input(found: Collection, table: SourceTable, limits: Limits) -> InputSummary:
    """Counts by label and kingdom, and notes for whoever reads the results."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for s in found.sources:
        counts.setdefault((s["label"], s["kingdom"]), Counter()).update(records=1, bases=s["length"])
    for r in found.skipped:
        counts.setdefault((r["label"], r["kingdom"]), Counter()).update(skipped=1)
    unused = [source for source in table.rows if source not in found.place]
    bare = [source for source in found.place if source not in table.rows] if table.rows else []
    reasons = count_reasons(found.skipped)
    notes = []
    if unused:
        notes.append(
            f"Ids in {table.name} that no record has: {len(unused)} of {len(table.rows)}, the first of them {unused[0]}."
        )
    if bare:
        notes.append(
            f"Records that {table.name} does not list: {len(bare)} of {len(found.place)}, the first of them {bare[0]}."
        )
    notes += [f"Records left out ({reason}): {n}." for reason, n in reasons.items()]
    notes += note_short_sources(found.sources, limits.long_window)
    return {
        "records": len(found.sources),
        "bases": found.bases,
        "skipped": len(found.skipped),
        "reasons": reasons,
        "counts": [
            {"label": label, "kingdom": kingdom, "records": n["records"], "bases": n["bases"], "skipped": n["skipped"]}
            for (label, kingdom), n in sorted(counts.items())
        ],
        "source_table": {"ids": len(table.rows), "in_no_file": len(unused), "records_without": len(bare)},
        "notes": notes,
    }
