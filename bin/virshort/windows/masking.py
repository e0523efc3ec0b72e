"""Masking: how much of the sources lies in 31-mers that other folds have too, and is written as N."""

from typing import TypedDict

import numpy as np

from virshort.labels import LABELS
from virshort.sequence.canonical_31mers import K
from virshort.windows.leakage import SharedKmers
from virshort.windows.source_table import SourceTable

NARROW = 0.1
"""From this share of masked bases on, what folds have in common is more than leftovers: the clusters are too narrow."""
_NAMED = 3


class MaskedCount(TypedDict):
    """The unambiguous bases of one label and kingdom, and how many of them are masked."""

    label: str
    kingdom: str
    bases: int
    masked: int


class MaskSummary(TypedDict):
    """mask.json: k; the 31-mers that two folds or more have; the stretches that they cover; unambiguous bases, masked bases and
    their share, overall and by label and kingdom; sentences for the user."""

    k: int
    shared_kmers: int
    stretches: int
    bases: int
    masked: int
    share: float
    table: list[MaskedCount]
    notes: list[str]


def masked_bases(sources: SourceTable, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The masked bases of each source, [sources] int64. start, end: [stretches] int64, each within one source."""
    return np.bincount(sources.at(start), end - start, len(sources.offset)).astype(np.int64)


def mask_summary(sources: SourceTable, shared: SharedKmers, stretches: int, masked: np.ndarray) -> MaskSummary:
    """Summarize masking. masked: [sources] int64, as `masked_bases` returns it."""
    known = sources.unambiguous
    table: list[MaskedCount] = []
    for label, kingdom in sorted(set(zip(sources.label.tolist(), sources.kingdom.tolist(), strict=True))):
        rows = (sources.label == label) & (sources.kingdom == kingdom)
        table.append(
            {"label": LABELS[label], "kingdom": kingdom, "bases": int(known[rows].sum()), "masked": int(masked[rows].sum())}
        )
    return {
        "k": K,
        "shared_kmers": len(shared.folds),
        "stretches": stretches,
        "bases": int(known.sum()),
        "masked": int(masked.sum()),
        "share": float(masked.sum() / max(1, known.sum())),
        "table": table,
        "notes": _notes(sources, masked),
    }


def _notes(sources: SourceTable, masked: np.ndarray) -> list[str]:
    """Sentences on masking that removes much of a label or of a source."""
    notes = []
    for label, name in enumerate(LABELS):
        rows = sources.label == label
        share = masked[rows].sum() / max(1, sources.unambiguous[rows].sum())
        if share > NARROW:
            notes.append(
                f"{share:.0%} of the {name} bases are masked because they lie in 31-mers that other folds have too. "
                "The clusters are too narrow, and the sequence around the masked stretches is similar as well: "
                "give wider clusters, or leave out the cluster column."
            )
    names = [sources.source[s] for s in np.flatnonzero(masked * 2 > sources.unambiguous).tolist()]
    if names:
        listed = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
        notes.append(
            f"In {len(names)} source{'s' if len(names) > 1 else ''} more than half of the bases are masked ({listed}), because "
            "similar sources lie in other folds."
        )
    return notes
