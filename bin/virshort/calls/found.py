"""Which sources of the model the reads of a sample match best, by kingdom and family."""

from dataclasses import dataclass, field

import numpy as np

from virshort.calls.counts import has_match
from virshort.calls.decisions import CALLS
from virshort.calls.sample_record import FoundFamily
from virshort.calls.scores_file import ScoredReads
from virshort.calls.summary import call_counts
from virshort.homology.source_list import SourceList
from virshort.labels import LABELS


@dataclass
class FoundCounts:
    """Reads by the source of their best match. match_bits: from how many bits it counts; None: from any.

    calls: [sources, calls]; identity: [sources], the sum of their identities in whole percent, so that neither chunks nor their
    order matter."""

    sources: SourceList
    match_bits: float | None
    calls: np.ndarray = field(init=False)
    identity: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.calls = np.zeros((len(self.sources.names), len(CALLS)), np.int64)
        self.identity = np.zeros(len(self.sources.names), np.int64)

    def add(self, scored: ScoredReads, call: np.ndarray) -> None:
        """Count a block of fragments. call: [n]."""
        matched = (scored.source >= 0) & has_match(scored.bits, self.match_bits)
        source = scored.source[matched]
        same = np.take_along_axis(scored.identity, scored.bits.argmax(axis=-1)[..., None], -1)[..., 0]
        called = np.repeat(call[:, None], scored.mates, axis=1)[matched].astype(np.int64)
        np.add.at(self.calls, (source, called), 1)
        np.add.at(self.identity, source, np.rint(100 * same[matched]).astype(np.int64))

    def families(self) -> list[FoundFamily]:
        """What was found, first that of which most reads are called viral, then by all its reads and its names."""
        groups: dict[tuple[int, str, str], list[int]] = {}
        for row in np.flatnonzero(self.calls.sum(axis=1)).tolist():
            name = self.sources.names[row]
            label = int(self.sources.database[row]) % len(LABELS)
            groups.setdefault((label, name.kingdom, name.family or ""), []).append(row)
        found = [self._family(*key, rows) for key, rows in groups.items()]
        return sorted(
            found, key=lambda f: (-f["reads"]["viral"], -f["reads"]["all"], f["label"], f["kingdom"], f["family"] or "")
        )

    def _family(self, label: int, kingdom: str, family: str, rows: list[int]) -> FoundFamily:
        total = self.calls[rows].sum(axis=1)
        return {
            "label": LABELS[label],
            "kingdom": kingdom,
            "family": family or None,
            "sources": len(rows),
            "most_matched": self.sources.names[rows[int(total.argmax())]].source,
            "identity": round(float(self.identity[rows].sum() / total.sum() / 100), 4),
            "reads": call_counts(self.calls[rows].sum(axis=0)),
        }
