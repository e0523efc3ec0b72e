"""Requirements on a single record and on all sources together."""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import TypedDict

from virshort.errors import InputError
from virshort.labels import LABELS
from virshort.sources.samplesheet import SheetRow, SourceTable
from virshort.sources.store import SkippedRecord, Source


class Metadata(TypedDict):
    """What the samplesheet and the source table say about a source."""

    label: str
    kingdom: str
    family: str | None
    cluster: str | None
    split: str | None


def metadata_of(source: str, sheet: SheetRow, label: str, table: SourceTable) -> Metadata:
    """Metadata of a source: the value of the source table if there is one, and otherwise that of its file in the samplesheet.

    label: the label of its file. Raises InputError if the table has another label.
    """
    row = table.rows.get(source)
    if row and row.label and row.label != label:
        raise InputError(
            f"{table.name}, line {row.line}, label: {source} is {row.label} here, but its file {sheet.fasta} is {label} in the "
            "samplesheet: correct one of the two"
        )
    return {
        "label": label,
        "kingdom": (row and row.kingdom) or sheet.kingdom or "unknown",
        "family": (row and row.family) or sheet.family,
        "cluster": (row and row.cluster) or sheet.cluster,
        "split": (row and row.split) or sheet.split,
    }


def why_skipped(length: int, unambiguous: int, min_length: int, max_n: float) -> str | None:
    """The reason to leave a record out, or None. unambiguous: bases that are A, C, G or T."""
    if not length:
        return "empty"
    if length < min_length:
        return f"too short ({length} bp, at least {min_length} are needed)"
    if length - unambiguous > max_n * length:
        return f"too many Ns ({1 - unambiguous / length:.1%} ambiguous, at most {max_n:.0%} are allowed)"
    return None


def count_reasons(skipped: Sequence[SkippedRecord]) -> dict[str, int]:
    """The number of skipped records for each kind of reason."""
    return dict(sorted(Counter(s["reason"].split(" (")[0] for s in skipped).items()))


def check_labels(sources: Sequence[Source], skipped: Sequence[SkippedRecord] = (), long_window: int = 0) -> None:
    """Raise InputError if a label has no source left, or none of at least `long_window` bp, as with sequencing reads."""
    for label in LABELS:
        lengths = [s["length"] for s in sources if s["label"] == label]
        out = [s for s in skipped if s["label"] == label]
        if not lengths:
            why = f": all were left out ({', '.join(f'{n} {r}' for r, n in count_reasons(out).items())})" if out else ""
            first = f", the first of them {out[0]['source']} of {out[0]['file']}" if out else ""
            raise InputError(f"no {label} source is left{why}{first}: give longer or cleaner {label} sources")
        if max(lengths) < long_window:
            raise InputError(
                f"the longest {label} source has {max(lengths)} bp, so these look like sequencing reads: give genomes or "
                f"contigs, some of which have {long_window} bp or more, because windows of that length are drawn from them"
            )


def note_short_sources(sources: Sequence[Source], long_window: int) -> list[str]:
    """A note for each label of which most sources are too short for long windows."""
    notes = []
    for label in LABELS:
        lengths = [s["length"] for s in sources if s["label"] == label]
        if lengths and median(lengths) < long_window:
            notes.append(
                f"Most {label} sources are shorter than {long_window} bp (median {median(lengths):.0f} bp): long windows are "
                "drawn from the others only."
            )
    return notes


def check_given_splits(sources: Sequence[Source]) -> None:
    """Raise InputError if only some sources have a split, or if a given cluster is in two splits."""
    without = [s for s in sources if s["split"] is None]
    if 0 < len(without) < len(sources):
        raise InputError(
            f"split: {without[0]['source']} has no split, but {len(sources) - len(without)} of {len(sources)} sources have "
            "one: give every source a split, or none"
        )
    first: dict[str, Source] = {}
    for s in sources:
        if s["cluster"] is not None and s["split"] != (other := first.setdefault(s["cluster"], s))["split"]:
            raise InputError(
                f"split: cluster {s['cluster']} is in two splits, with {other['source']} in {other['split']} and {s['source']} "
                f"in {s['split']}: put a whole cluster into one split"
            )
