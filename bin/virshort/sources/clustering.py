"""Clusters of sources that share much sequence.

Each source is sketched by sourmash (FracMinHash): of its canonical 31-mers, those are kept whose hash lies in the lowest
1/scaled part of all hashes, so two sources keep the same hashes of the sequence that they share. Two sources are joined if they
share at least the fraction `containment` of the smaller sketch. The clusters are the connected components.

Because the fraction is that of the smaller source, a virus is joined with the genome that it is inserted in, but two large
genomes are not joined because of the rRNA genes that all genomes have. docs/clustering.md has the evidence for the default.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from itertools import islice
from typing import TypedDict

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sourmash import MinHash

from virshort.errors import InputError
from virshort.labels import LABELS
from virshort.sequence.canonical_31mers import K, overlapping_pieces

SCALED = 10
"""One 31-mer in ten is kept, which leaves 12 of a source of 150 bp; one source in 300,000 keeps none."""
_PIECE = 20_000  # sourmash keeps a sketch as a sorted list, in which insertions are cheap only while it is short
_PIECES_AT_ONCE = 1024
_NEIGHBOURS = 16
_FEWEST = 3  # with one hash in ten, about 60 shared bases: so a microsatellite in a short source joins nothing
_LARGE_SHARE = 0.2
"""A cluster with this share of a label's bases is mentioned in a note."""
_LISTED = 10
"""How many of the largest clusters are listed."""


class Method(TypedDict):
    """How clusters were made. tool and all that follows it: None if every source has a given cluster."""

    method: str
    tool: str | None
    version: str | None
    k: int | None
    scaled: int | None
    containment: float | None
    sources_with_a_given_cluster: int


class ClusterSize(TypedDict):
    """One of the largest clusters; viral, nonviral: its sources of that label."""

    cluster: str
    sources: int
    bases: int
    viral: int
    nonviral: int


class ClusterCounts(TypedDict):
    """singletons: clusters of one source; both_labels: clusters with sources of both labels."""

    sources: int
    clusters: int
    singletons: int
    both_labels: int
    largest: list[ClusterSize]
    notes: list[str]


class ClusterSummary(Method, ClusterCounts):
    """clusters.json."""


def cluster_sources(
    source: Sequence[str],
    given: Sequence[str | None],
    bases: np.ndarray,
    offset: np.ndarray,
    length: np.ndarray,
    containment: float,
    threads: int = 1,
) -> tuple[list[str], Method]:
    """The cluster of each source, and how it was found.

    source: ids; given: clusters of the user, None for sources without one; bases: [total] uint8 upper-case letters; offset,
    length: [sources] int64. If every source has a given cluster, these are the result. Otherwise sources with the same given
    cluster are joined, as are similar sources, and each cluster is named after its first source.
    Raises InputError for a containment that is not above 0 and at most 1.
    """
    if not 0 < containment <= 1:
        raise InputError(f"--containment {containment}: must be above 0 and at most 1")
    complete = [c for c in given if c is not None]
    if len(complete) == len(source):
        return complete, {
            "method": "given",
            "tool": None,
            "version": None,
            "k": None,
            "scaled": None,
            "containment": None,
            "sources_with_a_given_cluster": len(source),
        }
    hashes, owner = sketch_sources(bases, offset, length, SCALED, threads)
    pairs = [similar_pairs(hashes, owner, len(source), containment), same_name_pairs(given)]
    return [source[first] for first in join_pairs(len(source), pairs)], {
        "method": "connected components of shared 31-mers",
        "tool": "sourmash",
        "version": version("sourmash"),
        "k": K,
        "scaled": SCALED,
        "containment": containment,
        "sources_with_a_given_cluster": len(complete),
    }


def sketch_sources(
    bases: np.ndarray, offset: np.ndarray, length: np.ndarray, scaled: int, threads: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """FracMinHash sketches of all sources. bases: [total] uint8 upper-case letters; offset, length: [sources] int64.

    Returns [m] uint64 hashes and [m] int32, the source of each hash. A source may have the same hash twice.
    """

    def sketch_piece(piece: tuple[int, int, int]) -> tuple[int, np.ndarray]:
        source, first, last = piece
        minhash = MinHash(n=0, ksize=K, scaled=scaled)
        minhash.add_sequence(bases[first:last].tobytes().decode("ascii"), force=True)  # skips 31-mers with ambiguous bases
        return source, np.fromiter(minhash.hashes, np.uint64, len(minhash))

    found, owner = [np.empty(0, np.uint64)], [np.empty(0, np.int32)]
    todo = overlapping_pieces(offset, length, _PIECE)
    with ThreadPoolExecutor(threads) as pool:  # threads help because sourmash releases the interpreter while it hashes
        while batch := list(islice(todo, _PIECES_AT_ONCE)):
            for source, values in pool.map(sketch_piece, batch):
                found.append(values)
                owner.append(np.full(len(values), source, np.int32))
    return np.concatenate(found), np.concatenate(owner)


def similar_pairs(hashes: np.ndarray, source: np.ndarray, sources: int, containment: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of sources that share at least the fraction `containment` (above 0) of the smaller sketch, and at least 3 hashes.

    hashes: [m] uint64; source: [m] int32 below `sources`. Each source with a hash is paired only with the next 16 sources that
    have the same hash. Time therefore grows with m and not with the square of the largest family, and a family stays connected
    through its neighbours. Returns two [p] int64 arrays of source numbers, the smaller number first.
    """
    order = np.argsort(hashes)
    hashes = hashes[order]
    equal = hashes[1:] == hashes[:-1]
    held = np.flatnonzero(np.concatenate((equal, [False])) | np.concatenate(([False], equal)))  # drops most hashes
    size = np.bincount(source, minlength=sources)
    hashes, source = hashes[held], source[order[held]].astype(np.int64)
    del order, equal
    within = np.lexsort((source, hashes))
    hashes, source = hashes[within], source[within]
    # The same hash from two pieces of one source counts once.
    again = 1 + np.flatnonzero((hashes[1:] == hashes[:-1]) & (source[1:] == source[:-1]))
    size -= np.bincount(source[again], minlength=sources)
    hashes, source = np.delete(hashes, again), np.delete(source, again)

    pairs = [np.empty(0, np.int64)]
    for apart in range(1, _NEIGHBOURS + 1):
        at = np.flatnonzero(hashes[apart:] == hashes[:-apart])
        pairs.append(source[at] * sources + source[at + apart])
    pair, shared = np.unique(np.concatenate(pairs), return_counts=True)
    a, b = pair // sources, pair % sources
    joined = (shared >= containment * np.minimum(size[a], size[b])) & (shared >= _FEWEST)
    return a[joined], b[joined]


def same_name_pairs(names: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that connect all sources with the same name; None is not a name. Returns two [p] int64 arrays of source numbers."""
    first: dict[str, int] = {}
    pairs = [(first.setdefault(name, i), i) for i, name in enumerate(names) if name is not None]
    a, b = np.array(pairs, np.int64).reshape(-1, 2).T
    return a, b


def join_pairs(sources: int, pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Connected components of the sources. pairs: arrays (a, b) of source numbers to be joined.

    Returns [sources] int: the number of the first source in the component of each source."""
    a, b = (np.concatenate(side) for side in zip(*pairs, strict=True))
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(sources, sources))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    return first[component]


def count_clusters(cluster: Sequence[str], label: Sequence[str], length: np.ndarray, given: int = 0) -> ClusterCounts:
    """Counts and notes about clusters. cluster, label: [sources] strings; length: [sources] bases; given: the number of sources
    with a given cluster."""
    names, number = np.unique(np.array(cluster, str), return_inverse=True)
    sources, bases = np.bincount(number), np.bincount(number, length)
    of_label = {x: np.array(label) == x for x in LABELS}
    count = {x: np.bincount(number[mask], minlength=len(names)) for x, mask in of_label.items()}
    both = names[(count["viral"] > 0) & (count["nonviral"] > 0)]
    notes = []
    if 0 < given < len(number):
        notes.append(
            f"The input gives a cluster for {given} of {len(number)} sources: sources of one given cluster stay together, and "
            "similar sources join them."
        )
    for x, mask in of_label.items():
        share = np.bincount(number[mask], length[mask], len(names)) / max(1, length[mask].sum())
        for c in np.flatnonzero(share >= _LARGE_SHARE):
            notes.append(
                _note_large(str(names[c]), x, float(share[c]), int(sources[c]), int(count[x][c]), given == len(number))
            )
    if len(both):
        listed = ", ".join(both[:3].tolist()) + (", ..." if len(both) > 3 else "")
        notes.append(
            f"Clusters with viral and nonviral sources that share sequence, as a prophage and its phage do: {len(both)} "
            f"({listed})."
        )
    return {
        "sources": len(number),
        "clusters": len(names),
        "singletons": int((sources == 1).sum()),
        "both_labels": len(both),
        "largest": [
            {
                "cluster": str(names[c]),
                "sources": int(sources[c]),
                "bases": int(bases[c]),
                "viral": int(count["viral"][c]),
                "nonviral": int(count["nonviral"][c]),
            }
            for c in np.lexsort((names, -bases))[:_LISTED]
        ],
        "notes": notes,
    }


def _note_large(cluster: str, label: str, share: float, sources: int, of_label: int, all_given: bool) -> str:
    """A note about a cluster with a large share of the bases of a label. Only sources that the pipeline joined can have been
    joined by a repeat."""
    if sources == 1:
        return (
            f"Cluster {cluster} is a single source with {share:.0%} of the {label} bases: add more {label} sources if you can."
        )
    counted = f"Cluster {cluster} has {share:.0%} of the {label} bases ({of_label} source{'' if of_label == 1 else 's'})"
    if all_given:
        return f"{counted}."
    return (
        f"{counted}: if its sources are joined by a repeat that many genomes have (rRNA, a transposon, a vector), give a "
        "cluster column instead."
    )
