"""Drawing units: the groups of sources that windows are drawn from."""

from dataclasses import dataclass

import numpy as np

from virshort.files import digest


@dataclass
class DrawingUnits:
    """One row per drawing unit: the sources of one cluster that have the same label and kingdom.

    cluster, kingdom: [units] strings; label (1 is viral), fold: [units] int8; key: [units] uint64, a hash of the seed and the
    unit's name that all its random choices follow from.
    """

    cluster: np.ndarray
    kingdom: np.ndarray
    label: np.ndarray
    fold: np.ndarray
    key: np.ndarray


def group_sources(
    cluster: np.ndarray, kingdom: np.ndarray, label: np.ndarray, fold: np.ndarray, seed: int
) -> tuple[DrawingUnits, np.ndarray]:
    """Group sources into drawing units, in order of cluster, label and kingdom.

    cluster, kingdom: [sources] strings; label, fold: [sources] int8. Returns the units, and the unit number of each source,
    [sources] int64. The kingdom is part of a unit's name only where the cluster holds several kingdoms of the label, so that
    naming the kingdoms of a collection leaves the windows of all other clusters where they were.
    """
    names, pair = np.unique(np.char.add(np.char.add(cluster.astype(str), "\t"), label.astype(str)), return_inverse=True)
    kingdoms, code = np.unique(kingdom.astype(str), return_inverse=True)
    _, first, unit = np.unique(pair * len(kingdoms) + code, return_index=True, return_inverse=True)
    several = np.bincount(pair[first])[pair[first]] > 1
    unit_names = [
        f"{names[p]}\t{kingdoms[k]}" if more else str(names[p])
        for p, k, more in zip(pair[first].tolist(), code[first].tolist(), several.tolist(), strict=True)
    ]
    keys = np.array([int(digest(str(seed), name), 16) for name in unit_names], np.uint64)
    return DrawingUnits(cluster[first], kingdom[first], label[first], fold[first], keys), unit.astype(np.int64)
