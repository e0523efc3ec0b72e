"""What is held out together. `--hold_out` names it: the cluster, or a column of the user's tables, such as family or genus.

The values of that column are a source's family. All clusters with sources of a family go to one fold, so that no family that is
tested was in training.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from virshort.errors import InputError, nearest

CLUSTER = "cluster"
FAMILY = "family"
_NOT_A_GROUP = ("id", "fasta", "features", "label", "split")
"""Columns that cannot be held out: they name records and files, or say how to divide the sources."""


def plural(word: str) -> str:
    """The plural of what is held out. A column may have any name, of which only the usual ones have a plural."""
    return {CLUSTER: "clusters", FAMILY: "families", "genus": "genera", "species": "species"}.get(word, f"values of {word}")


def family_column(hold_out: str) -> str:
    """The column of the user's tables that gives the family of a source."""
    return FAMILY if hold_out == CLUSTER else hold_out


def check_hold_out(hold_out: str, tables: Mapping[str, Sequence[str]]) -> None:
    """Raise InputError unless some table has the column that `hold_out` names.

    tables: the columns of the samplesheet and of the source table, by the name of the table."""
    if hold_out == CLUSTER:
        return
    known = {column: None for columns in tables.values() for column in columns if column not in _NOT_A_GROUP}
    if hold_out not in known:
        where = " and ".join(f"{name} ({', '.join(columns)})" for name, columns in tables.items())
        raise InputError(
            f"--hold_out {hold_out}: there is no such column in {where}: {nearest(hold_out, dict.fromkeys([CLUSTER, *known]))}"
        )


def note_unused_family(column: str, tables: Mapping[str, Sequence[str]]) -> list[str]:
    """A note if another column takes the place of `family`. column: from `family_column`; tables: as in `check_hold_out`."""
    if column != FAMILY and any(FAMILY in columns for columns in tables.values()):
        return [f"The column {column}, which is held out, is used as the family of the sources, and the column family is not."]
    return []


def units_of_clusters(cluster: np.ndarray, family: Sequence[str | None]) -> np.ndarray:
    """Which clusters must stay together, because they are connected by families.

    cluster: [sources] int 0..clusters-1; family: [sources], None if it is not known. Returns [clusters] int 0..units-1.
    Clusters with sources of one family are in one unit, and a cluster with sources of several families joins these. A cluster
    of which no family is known is a unit by itself."""
    clusters = int(cluster.max()) + 1
    known = np.array([f is not None for f in family], bool)
    _, number = np.unique(np.array([f for f in family if f is not None], str), return_inverse=True)
    size = clusters + int(number.max(initial=-1)) + 1
    links = coo_array((np.ones(len(number), bool), (cluster[known], clusters + number)), shape=(size, size))
    return np.unique(connected_components(links, directed=False)[1][:clusters], return_inverse=True)[1]


def unit_names(cluster: np.ndarray, family: Sequence[str | None], unit: np.ndarray) -> np.ndarray:
    """What messages call the unit of each source: its families, or its cluster if no family is known.

    cluster: [sources] strings; unit: [sources] int. Returns [sources] strings, of which each belongs to one unit."""
    families = {u: f"{m[0]} and {len(m) - 1} more" if len(m) > 1 else m[0] for u, m in _families_of_units(family, unit).items()}
    return np.array([families.get(u, f"cluster {c}") for u, c in zip(unit.tolist(), cluster.tolist(), strict=True)], str)


def note_joined_families(family: Sequence[str | None], unit: np.ndarray) -> list[str]:
    """A note about sources without a family, and one for each unit that holds several families. unit: [sources] int."""
    unknown = sum(f is None for f in family)
    notes = [f"{unknown} of {len(family)} sources have no family: they are held out by cluster."] if unknown else []
    for found in sorted(m for m in _families_of_units(family, unit).values() if len(m) > 1):
        shown = ", ".join(found[:5]) + (", ..." if len(found) > 5 else "")
        notes.append(f"{len(found)} families share clusters and are therefore held out together: {shown}.")
    return notes


def _families_of_units(family: Sequence[str | None], unit: np.ndarray) -> dict[int, list[str]]:
    """The sorted families of each unit that has any. unit: [sources] int."""
    members: dict[int, set[str]] = {}
    for u, f in zip(unit.tolist(), family, strict=True):
        if f is not None:
            members.setdefault(u, set()).add(f)
    return {u: sorted(m) for u, m in members.items()}
