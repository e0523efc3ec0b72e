"""Sources that have much sequence in common, joined into clusters.

Each source is sketched by sourmash (FracMinHash: of its canonical 31-mers, those whose hash falls in the lowest
1/scaled part of the hash space), so two sources keep the same hashes of what they have in common. They are joined where
they share at least `containment` of the smaller sketch, and the clusters are the connected components. Measured against
the smaller source, a virus and the genome that it is inserted in are joined, and two large genomes are not joined for
the rRNA genes that all have. docs/clustering.md has the evidence for the default.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sourmash import MinHash

from virshort.labels import LABELS
from virshort.sequence.canonical_31mers import K, pieces

_PIECE = 20_000  # sourmash keeps a sketch as a sorted list: in short pieces an insertion moves little
_PIECES_AT_ONCE = 1024
_NEIGHBOURS = 16
_FEWEST = 3  # with one hash in ten kept, some 30 31-mers or 60 bases: a microsatellite in a short source joins nothing


def sketch(
    bases: np.ndarray, offset: np.ndarray, length: np.ndarray, scaled: int, threads: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """FracMinHash sketches of all sources. bases: [total] uint8 upper-case letters; offset, length: [sources] int64.

    Returns [m] uint64 hashes and [m] int32, the source of each; a source may have a hash twice.
    """

    def hashes(piece: tuple[int, int, int]) -> tuple[int, np.ndarray]:
        source, first, last = piece
        minhash = MinHash(n=0, ksize=K, scaled=scaled)
        minhash.add_sequence(bases[first:last].tobytes().decode("ascii"), force=True)  # passes over ambiguity codes
        return source, np.fromiter(minhash.hashes, np.uint64, len(minhash))

    found, owner = [np.empty(0, np.uint64)], [np.empty(0, np.int32)]
    todo = pieces(offset, length, _PIECE)
    with ThreadPoolExecutor(threads) as pool:  # sourmash leaves the interpreter while it hashes
        while batch := list(islice(todo, _PIECES_AT_ONCE)):
            for source, values in pool.map(hashes, batch):
                found.append(values)
                owner.append(np.full(len(values), source, np.int32))
    return np.concatenate(found), np.concatenate(owner)


def similar(hashes: np.ndarray, source: np.ndarray, sources: int, containment: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of sources that share at least `containment` (above 0) of the smaller sketch, and at least 3 hashes.

    hashes: [m] uint64; source: [m] int32 below `sources`. A hash that many sources hold is counted between each and the
    next 16 of its holders only, so time grows with m, not with the square of the largest family; a family stays
    connected through its neighbours. Returns two [p] int64 arrays of source numbers, the smaller number first.
    """
    order = np.argsort(hashes)
    hashes = hashes[order]
    equal = hashes[1:] == hashes[:-1]
    held = np.flatnonzero(np.concatenate((equal, [False])) | np.concatenate(([False], equal)))  # most stand alone
    size = np.bincount(source, minlength=sources)
    hashes, source = hashes[held], source[order[held]].astype(np.int64)
    del order, equal
    within = np.lexsort((source, hashes))
    hashes, source = hashes[within], source[within]
    again = 1 + np.flatnonzero((hashes[1:] == hashes[:-1]) & (source[1:] == source[:-1]))  # from two pieces of a source
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


def same_name(names: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of sources that connect all those of one given name; None joins nothing. Returns two [p] int arrays."""
    first: dict[str, int] = {}
    pairs = [(first.setdefault(name, i), i) for i, name in enumerate(names) if name is not None]
    return tuple(np.array(pairs, np.int64).reshape(-1, 2).T)


def components(sources: int, pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Connected components of the sources. pairs: (a, b) arrays of joined source numbers.

    Returns [sources] int: the number of the first source in the component of each."""
    a, b = (np.concatenate(side) for side in zip(*pairs, strict=True))
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(sources, sources))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    return first[component]


def describe(
    cluster: Sequence[str], label: Sequence[str], length: np.ndarray, given: bool, much: float = 0.2, largest: int = 10
) -> dict:
    """Counts and warnings about a clustering. cluster, label: [sources] strings; length: [sources] bases.

    `much` is the share of a label's bases from which a cluster is noted. Returns {sources, clusters, singletons,
    both_labels, largest: [{cluster, sources, bases, viral, nonviral}], notes}.
    """
    names, number = np.unique(np.array(cluster, str), return_inverse=True)
    sources, bases = np.bincount(number), np.bincount(number, length)
    of = {x: np.array(label) == x for x in LABELS}
    count = {x: np.bincount(number[mask], minlength=len(names)) for x, mask in of.items()}
    both = np.flatnonzero((count["viral"] > 0) & (count["nonviral"] > 0))
    order = np.lexsort((names, -bases))[:largest]
    notes = []
    for x, mask in of.items():
        share = np.bincount(number[mask], length[mask], len(names)) / max(1, length[mask].sum())
        for c in np.flatnonzero(share >= much):
            notes.append(
                f"cluster {names[c]} holds {share[c]:.0%} of the {x} bases ({count[x][c]} sources)"
                + (
                    ""
                    if given
                    else ": if what joins them is a repeat that all have (rRNA, transposons, vectors), give a "
                    "cluster column instead"
                )
            )
    if len(both):
        notes.append(
            f"{len(both)} clusters hold viral and nonviral sources that share sequence, as a prophage and its "
            f"phage do: {', '.join(names[both][:3])}{', ...' if len(both) > 3 else ''}"
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
            for c in order
        ],
        "notes": notes,
    }
