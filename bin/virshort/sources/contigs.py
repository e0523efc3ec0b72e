"""The contigs of ready features, which are the sources of a run that starts from features instead of genomes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np

from virshort.errors import InputError
from virshort.labels import LABELS
from virshort.sources.checks import check_given_splits, check_labels, metadata_of
from virshort.sources.samplesheet import SheetRow, SourceTable
from virshort.sources.store import LabelCount, Source


class FeatureSummary(TypedDict):
    """input.json of a run that starts from ready features. records: contigs; inputs: numbers per row."""

    records: int
    rows: int
    windows: int
    inputs: int
    skipped: int
    notes: list[str]
    counts: list[LabelCount]


@dataclass
class Contigs:
    """sources: by contig; nameless: windows whose id does not name their contig, so that each is a source by itself."""

    sources: dict[str, Source] = field(default_factory=dict)
    nameless: list[str] = field(default_factory=list)

    def add(
        self, sheet: SheetRow, windows: Sequence[str], contigs: Sequence[str | None], labels: np.ndarray, table: SourceTable
    ) -> None:
        """Add the windows of a file, whose row in the samplesheet is `sheet`.

        windows, contigs: [n] names; a contig is None if the id of the window does not name it; labels: [n] codes.
        Raises InputError if a contig has two labels."""
        for window, contig, code in zip(windows, contigs, labels.tolist(), strict=True):
            name, label = contig or window, LABELS[code]
            if name not in self.sources:
                self.sources[name] = {
                    "source": name,
                    **metadata_of(name, sheet, label, table),
                    "file": sheet.fasta,
                    "offset": 0,
                    "length": 0,
                    "unambiguous": 0,
                    "gc": None,
                }
                if contig is None:
                    self.nameless.append(name)
            source = self.sources[name]
            if source["label"] != label:
                raise InputError(
                    f"{sheet.fasta}: contig {name} is {label} here, but {source['label']} in {source['file']}: give different "
                    "contigs different names"
                )
            source["length"] += 1
            source["unambiguous"] += 1

    def check(self) -> None:
        """Raise InputError for a label without contigs, for splits of only some contigs or within a cluster, and for a window
        that has neither a contig nor a cluster."""
        found = list(self.sources.values())
        check_labels(found)
        check_given_splits(found)
        for window in self.nameless:
            if self.sources[window]["cluster"] is None:
                raise InputError(
                    f"id {window}: does not name its contig (<contig>_chunk_<number><frame>): give its file, or the id in "
                    "--source_table, a cluster, so that windows of one contig are never split between training and test"
                )

    def clusters(self) -> list[str]:
        """The cluster of each contig. Contigs with the same given cluster share one, named as the user does if every contig has
        a given cluster, and after its first contig otherwise, so that it cannot be confused with another contig."""
        given = [s["cluster"] for s in self.sources.values()]
        complete = [c for c in given if c is not None]
        if len(complete) == len(given):
            return complete
        first: dict[str, str] = {}
        return [name if s["cluster"] is None else first.setdefault(s["cluster"], name) for name, s in self.sources.items()]

    def summary(self, rows: int, inputs: int, note: str) -> FeatureSummary:
        """input.json of `rows` rows with `inputs` numbers each."""
        counts = Counter((s["label"], s["kingdom"]) for s in self.sources.values())
        return {
            "records": len(self.sources),
            "rows": rows,
            "windows": self.windows,
            "inputs": inputs,
            "skipped": 0,
            "notes": [note],
            "counts": [
                {"label": label, "kingdom": kingdom, "records": n, "bases": None, "skipped": 0}
                for (label, kingdom), n in sorted(counts.items())
            ],
        }

    @property
    def windows(self) -> int:
        return sum(s["length"] for s in self.sources.values())
