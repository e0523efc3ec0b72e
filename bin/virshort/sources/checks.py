"""What the records of all files must hold together, and which are left out."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from virshort.errors import InputError
from virshort.labels import LABELS
from virshort.sources.records import read_records
from virshort.sources.samplesheet import SheetRow, SourceRow


class SourceReader:
    """What has been read so far. rows: accepted sources by sources.SCHEMA; skipped: those left out, with their reason;
    seen: id -> (file, record number); bases: how many were accepted.

    table: the source table, empty where there is none; table_name: what messages call it; min_length, max_n: a shorter
    source, or one with a larger share of ambiguous bases, is left out.
    """

    def __init__(self, table: dict[str, SourceRow], table_name: str, min_length: int, max_n: float):
        self.table, self.table_name = table, table_name
        self.min_length, self.max_n = min_length, max_n
        self.rows: list[dict] = []
        self.skipped: list[dict] = []
        self.seen: dict[str, tuple[str, int]] = {}
        self.bases = 0

    def file(self, sheet: SheetRow, path: Path, out: BinaryIO) -> None:
        """Read one file of the samplesheet, which lies at `path`; accepted bases go to `out`. Raises InputError."""
        for number, (source, bases) in enumerate(read_records(path, sheet.fasta), 1):
            if source in self.seen:
                file, before = self.seen[source]
                raise InputError(
                    f"{sheet.fasta}, record {number}: the id {source} is that of record {before} of "
                    f"{file} too: give each record an id of its own"
                )
            self.seen[source] = sheet.fasta, number
            row = {
                "source": source,
                **describe(source, sheet, self.table.get(source), self.table_name),
                "file": Path(sheet.fasta).name,
                "length": len(bases),
            }
            gc = bases.count(b"G") + bases.count(b"C")
            unambiguous = gc + bases.count(b"A") + bases.count(b"T")
            if reason := why_not(len(bases), unambiguous, self.min_length, self.max_n):
                self.skipped.append(row | {"reason": reason})
                continue
            self.rows.append(row | {"offset": self.bases, "unambiguous": unambiguous, "gc": gc / max(unambiguous, 1)})
            self.bases += out.write(bases)

    def whole_input(self) -> None:
        """Checks across all sources, when every file is read. Raises InputError."""
        check_labels([row["label"] for row in self.rows], self.skipped)
        if self.table and not self.table.keys() & self.seen.keys():
            raise InputError(
                f"{self.table_name}, id: none is the id of a record (the first here is "
                f"{next(iter(self.table))}, the first record is {next(iter(self.seen))}): an id is a "
                "header up to its first white space"
            )
        check_given(*([row[c] for row in self.rows] for c in ("source", "cluster", "split")))

    def summary(self) -> dict:
        """input.json: counts by label and kingdom, and what a reader should know."""
        counts: dict[tuple[str, str], Counter] = {}
        for row in self.rows:
            counts.setdefault((row["label"], row["kingdom"]), Counter()).update(records=1, bases=row["length"])
        for row in self.skipped:
            counts.setdefault((row["label"], row["kingdom"]), Counter()).update(skipped=1)
        unknown = [source for source in self.table if source not in self.seen]
        bare = [source for source in self.seen if source not in self.table] if self.table else []
        notes = [f"{len(unknown)} ids of {self.table_name} are in no file (the first: {unknown[0]})"] if unknown else []
        notes += [f"{len(bare)} records are not in {self.table_name} (the first: {bare[0]})"] if bare else []
        notes += [f"left out: {n} {reason}" for reason, n in reasons(self.skipped).items()]
        return {
            "records": len(self.rows),
            "bases": self.bases,
            "skipped": len(self.skipped),
            "reasons": reasons(self.skipped),
            "counts": [
                {"label": label, "kingdom": kingdom, "records": n["records"], "bases": n["bases"], "skipped": n["skipped"]}
                for (label, kingdom), n in sorted(counts.items())
            ],
            "source_table": {"ids": len(self.table), "in_no_file": len(unknown), "records_without": len(bare)},
            "notes": notes,
        }


def describe(source: str, sheet: SheetRow, table: SourceRow | None, table_name: str) -> dict[str, str | None]:
    """Label, kingdom, family, cluster, split of a record: the source table's where it says something, else the sheet's.

    Raises InputError where the two disagree on the label.
    """
    if table and table.label and table.label != sheet.label:
        raise InputError(
            f"{table_name}, line {table.line}, label: {source} is {table.label} here, but its file "
            f"{sheet.fasta} is {sheet.label} in the samplesheet: mend one of them"
        )
    either = {c: (table and getattr(table, c)) or getattr(sheet, c) for c in ("kingdom", "cluster", "split")}
    return {
        "label": sheet.label,
        **either,
        "kingdom": either["kingdom"] or "unknown",
        "family": table.family if table else None,
    }


def why_not(length: int, unambiguous: int, min_length: int, max_n: float) -> str | None:
    """Why a source is left out; None where it is not. unambiguous: bases that are A, C, G or T."""
    if not length:
        return "empty"
    if length < min_length:
        return f"too short ({length} bp, at least {min_length} are needed)"
    if length - unambiguous > max_n * length:
        return f"too many Ns ({1 - unambiguous / length:.1%} ambiguous, at most {max_n:.0%} are let in)"
    return None


def reasons(skipped: Sequence[dict]) -> dict[str, int]:
    """Number of records by the kind of reason."""
    return dict(sorted(Counter(s["reason"].split(" (")[0] for s in skipped).items()))


def check_labels(label: Sequence[str], skipped: Sequence[dict]) -> None:
    """Raise InputError where a label has no source left. label: of the accepted sources."""
    for name in LABELS:
        if name not in label:
            out = [s for s in skipped if s["label"] == name]
            raise InputError(
                f"no {name} source is left: {', '.join(f'{n} {r}' for r, n in reasons(out).items())} (the "
                f"first: {out[0]['source']} of {out[0]['file']}): give longer or cleaner sources"
            )


def check_given(source: Sequence[str], cluster: Sequence[str | None], split: Sequence[str | None]) -> None:
    """Raise InputError where only some sources have a cluster or a split, or where a split parts a cluster."""
    for column, values in (("cluster", cluster), ("split", split)):
        given = sum(v is not None for v in values)
        if 0 < given < len(values):
            raise InputError(
                f"{column}: {source[list(values).index(None)]} has none, but {given} of {len(values)} "
                f"sources have: give every source a {column}, or none"
            )
    first: dict[str, int] = {}
    for i, name in enumerate(cluster):
        if name is not None and split[i] != split[j := first.setdefault(name, i)]:
            raise InputError(
                f"split: cluster {name} is in two: {source[j]} in {split[j]}, {source[i]} in {split[i]}: "
                "a cluster must stay whole"
            )
