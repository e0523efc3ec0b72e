"""How new a tested window is: the nearest relative of its own label in training, and whether its family was in training.

The nearest relative is the best match of a protein search among the sources of the folds that the split trains on. Matches are
put into bins by bit score and not by identity, since short matches of high identity arise by chance. How likely that is follows
from the bit score (docs/homology.md).
"""

from collections.abc import Sequence

import numpy as np

from virshort.fold_roles import trained_on
from virshort.labels import LABELS

BITS = (35.0, 50.0, 80.0)
"""Edges of the bins of bit scores."""
MATCHES = ("no match", "under 35 bits", "35 to 50 bits", "50 to 80 bits", "80 bits and more")
RELATED = 2
"""The first of MATCHES that shows a relative."""
FAMILIES = ("unknown", "new", "known")
"""Whether the family of a window is known and, if so, whether it was in training."""
UNKNOWN, NEW, KNOWN = range(3)


def nearest_relative(matches: np.ndarray, label: np.ndarray, fold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bit score and identity of the best match of each window among the training sources of its own label.

    matches: [n, folds, labels, 2], bit score and identity by fold and label of the sources, 0 without a match; label, fold: [n]
    int. Returns two [n] float32, both 0 without a match."""
    rows = np.arange(len(matches))
    own = np.where(trained_on(matches.shape[1])[fold][:, :, None], matches[rows, :, label], 0)
    best = own[rows, own[:, :, 0].argmax(axis=1)].astype(np.float32)
    return best[:, 0], best[:, 1]


def match_bins(bits: np.ndarray) -> np.ndarray:
    """The bin of each bit score, as a place in MATCHES. bits: [n]; returns [n] int8."""
    return np.where(bits > 0, 1 + np.searchsorted(BITS, bits, side="right"), 0).astype(np.int8)


def family_status(
    family: Sequence[str | None], fold: np.ndarray, of_sources: Sequence[str | None], source_fold: np.ndarray, folds: int
) -> np.ndarray:
    """Whether the family of each window was among the training sources of the split that tests it: [n] int8, by FAMILIES.

    family: [n], None if it is not known; fold: [n] int; of_sources, source_fold: the families and folds of all sources."""
    names = {f: i for i, f in enumerate(sorted({f for f in of_sources if f}))}
    holds = np.zeros((len(names) + 1, folds), bool)
    holds[[names[f] for f in of_sources if f], source_fold[[bool(f) for f in of_sources]]] = True
    code = np.array([names.get(f, -1) if f else -1 for f in family], np.int64)
    known = (holds[code] & trained_on(folds)[fold]).any(axis=1)
    return np.where([not f for f in family], UNKNOWN, np.where(known, KNOWN, NEW)).astype(np.int8)


def by_fold_and_label(matches: np.ndarray, folds: int) -> np.ndarray:
    """The features of the modality `homology`, [n, folds * labels * 2], as [n, folds, labels, 2]. Raises ValueError for other
    widths."""
    return matches.reshape(len(matches), folds, len(LABELS), 2)
