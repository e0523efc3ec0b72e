"""Sources that share a stretch of sequence, joined into clusters.

A source is sketched by sourmash (FracMinHash: every canonical 31-mer whose hash falls in the lowest 1/scaled part of
the hash space is kept), so two sources that share a stretch keep the same hashes of it. Sharing one hash joins them, and
the clusters are the connected components. A shared stretch of n 31-mers goes unnoticed with probability
(1 - 1/scaled)^n, wherever it lies: `scaled` is the one parameter. docs/clustering.md has the evidence for its default.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sourmash import MinHash

from virshort.kmers31 import K, pieces

_PIECE = 20_000  # sourmash keeps a sketch as a sorted list: in short pieces an insertion moves little
_PIECES_AT_ONCE = 1024


def sketch(bases: np.ndarray, offset: np.ndarray, length: np.ndarray, scaled: int,
           threads: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """FracMinHash sketches of all sources. bases: [total] uint8 upper-case letters; offset, length: [sources] int64.

    Returns [m] uint64 hashes and [m] int32, the source of each; about length/scaled hashes a source.
    """
    def hashes(piece: tuple[int, int, int]) -> tuple[int, np.ndarray]:
        source, first, last = piece
        minhash = MinHash(n=0, ksize=K, scaled=scaled)
        minhash.add_sequence(bases[first:last].tobytes().decode("ascii"), force=True)  # force: pass over ambiguity codes
        return source, np.fromiter(minhash.hashes, np.uint64, len(minhash))

    found, owner = [np.empty(0, np.uint64)], [np.empty(0, np.int32)]
    todo = pieces(offset, length, _PIECE)
    with ThreadPoolExecutor(threads) as pool:  # sourmash leaves the interpreter while it hashes
        while batch := list(islice(todo, _PIECES_AT_ONCE)):
            for source, values in pool.map(hashes, batch):
                found.append(values)
                owner.append(np.full(len(values), source, np.int32))
    return np.concatenate(found), np.concatenate(owner)


def same_hash(hashes: np.ndarray, source: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of sources that hold a hash in common: enough of them to connect all its holders, not every pair.

    hashes: [m] uint64; source: [m] int. Returns two [p] arrays of source numbers, each pair once.
    """
    order = np.argsort(hashes)
    hashes, source = hashes[order], source[order]
    joined = np.flatnonzero((hashes[1:] == hashes[:-1]) & (source[1:] != source[:-1]))
    pairs = np.unique(np.stack([source[joined], source[joined + 1]], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def same_name(names: Sequence[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of sources that connect all those of one given name; None joins nothing. Returns two [p] int arrays."""
    first: dict[str, int] = {}
    pairs = [(first.setdefault(name, i), i) for i, name in enumerate(names) if name is not None]
    return tuple(np.array(pairs, np.int64).reshape(-1, 2).T)


def components(sources: int, pairs: Iterator[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Connected components of the sources. pairs: (a, b) arrays of joined source numbers.

    Returns [sources] int: the number of the first source in the component of each."""
    a, b = (np.concatenate(side) for side in zip(*pairs, strict=True))
    graph = coo_array((np.ones(len(a), bool), (a, b)), shape=(sources, sources))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    return first[component]


def describe(cluster: Sequence[str], label: Sequence[str], length: np.ndarray, given: bool,
             much: float = 0.2, largest: int = 10) -> dict:
    """Counts and warnings about a clustering. cluster, label: [sources] strings; length: [sources] bases.

    `much` is the share of a label's bases from which a cluster is noted. Returns {sources, clusters, singletons,
    both_labels, largest: [{cluster, sources, bases, viral, nonviral}], notes}.
    """
    names, number = np.unique(np.array(cluster, str), return_inverse=True)
    sources, bases = np.bincount(number), np.bincount(number, length)
    of = {x: np.array(label) == x for x in ("viral", "nonviral")}
    count = {x: np.bincount(number[mask], minlength=len(names)) for x, mask in of.items()}
    both = np.flatnonzero((count["viral"] > 0) & (count["nonviral"] > 0))
    order = np.lexsort((names, -bases))[:largest]
    notes = []
    for x, mask in of.items():
        share = np.bincount(number[mask], length[mask], len(names)) / max(1, length[mask].sum())
        for c in np.flatnonzero(share >= much):
            notes.append(f"cluster {names[c]} holds {share[c]:.0%} of the {x} bases ({count[x][c]} sources)" + (
                "" if given else ": if what joins them is a repeat that all have (rRNA, transposons, vectors), give a "
                "cluster column instead"))
    if len(both):
        notes.append(f"{len(both)} clusters hold viral and nonviral sources that share sequence, as a prophage and its "
                     f"phage do: {', '.join(names[both][:3])}{', ...' if len(both) > 3 else ''}")
    return {"sources": len(number), "clusters": len(names), "singletons": int((sources == 1).sum()),
            "both_labels": len(both),
            "largest": [{"cluster": str(names[c]), "sources": int(sources[c]), "bases": int(bases[c]),
                         "viral": int(count["viral"][c]), "nonviral": int(count["nonviral"][c])} for c in order],
            "notes": notes}
