"""Leakage found through intervals, compared with the plain definition on sets of strings."""

import gzip

import numpy as np
import pytest
from Bio.SeqIO.FastaIO import SimpleFastaParser
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic_sources import canonical, store, texts_that_share
from virshort.sequence.canonical_31mers import K
from virshort.sources.balancing import cluster_weights, deal_clusters
from virshort.sources.clustering import join_pairs, similar_pairs, sketch_sources
from virshort.windows.leakage import LeakingOccurrences, WindowCoverage, find_shared_kmers, shared_stretches


def leaking(texts, fold, windows, folds, with_sources):
    """By definition: for each window, how many of its words occur in a training window (or source) of its split."""
    trained = {f: set() for f in range(folds)}
    for f in range(folds):
        for source, a, b in windows if not with_sources else [(s, 0, len(t)) for s, t in enumerate(texts)]:
            if fold[source] not in (f, (f + 1) % folds):
                trained[f] |= set(canonical(texts[source][a:b]))
    return [sum(w in trained[fold[s]] for w in canonical(texts[s][a:b]) if w) for s, a, b in windows]


@settings(max_examples=100)
@given(texts_that_share(), st.integers(3, 20), st.integers(0, 2**32), st.sampled_from([320 << 20, 2000]))
def test_leaks_are_those_of_the_definition(texts, folds, seed, budget):
    rng = np.random.default_rng(seed)
    fold = rng.integers(0, folds, len(texts))
    bases, offset, length = store(texts)
    shared = find_shared_kmers(bases, offset, length, fold, budget)

    holders: dict[str, set[int]] = {}
    for s, t in enumerate(texts):
        for w in canonical(t):
            if w:
                holders.setdefault(w, set()).add(int(fold[s]))
    common = {w: f for w, f in holders.items() if len(f) > 1}
    places = [(int(offset[s]) + i) for s, t in enumerate(texts) for i, w in enumerate(canonical(t)) if w in common]
    assert shared.position.tolist() == places
    assert sorted(shared.folds.tolist()) == sorted(sum(1 << f for f in fs) for fs in common.values())
    start, end = shared_stretches(shared)
    covered = {p + i for p in places for i in range(K)}
    assert {p for a, b in zip(start.tolist(), end.tolist(), strict=True) for p in range(a, b)} == covered

    windows = []
    for _ in range(30):
        s = int(rng.integers(len(texts)))
        a = int(rng.integers(0, len(texts[s])))
        windows.append((s, a, int(rng.integers(a + 1, len(texts[s]) + 1))))
    start = np.array([offset[s] + a for s, a, _ in windows])
    end = np.array([offset[s] + b for s, _, b in windows])
    coverage = WindowCoverage(shared)
    coverage.add(start[:11], end[:11])
    coverage.add(start[11:], end[11:])
    for held, with_sources in ((coverage.folds(), False), (shared.folds, True)):
        leak = LeakingOccurrences(shared, held, folds)
        count = leak.count(start, end)
        assert count.tolist() == leaking(texts, fold, windows, folds, with_sources)
        for i in np.flatnonzero(count):
            other = int(np.searchsorted(offset, leak.example(start[i], end[i]), side="right")) - 1
            mine = fold[windows[i][0]]
            assert fold[other] not in (mine, (mine + 1) % folds)
            s, a, b = windows[i]
            assert set(canonical(texts[s][a:b])) & set(canonical(texts[other])) - {None}


def test_more_than_64_folds_are_refused():
    bases, offset, length = store(["ACGT" * 10])
    with pytest.raises(ValueError, match=r"must be 0 \.\. 63"):
        find_shared_kmers(bases, offset, length, np.array([64]))


def test_real_genomes_clustered_and_masked_share_nothing(shared):
    """Real genomes clustered by what they share still share a little between folds, and nothing once that is masked."""
    texts, label = [], []
    for name in ("viral", "nonviral"):
        with gzip.open(shared / "data" / "genomes_small" / f"{name}.fa.gz", "rt") as records:
            texts += [letters.upper() for _, letters in SimpleFastaParser(records)]
        label += [name] * (len(texts) - len(label))
    bases, offset, length = store(texts)
    hashes, owner = sketch_sources(bases, offset, length, 10)
    _, cluster = np.unique(join_pairs(len(texts), [similar_pairs(hashes, owner, len(texts), 0.01)]), return_inverse=True)
    label, kingdom = np.array(label), np.full(len(texts), "unknown")
    fold = deal_clusters(cluster_weights(cluster, label, kingdom, length, 0.05), 5, 42)[cluster]
    masked = bases.copy()
    for a, b in zip(*shared_stretches(find_shared_kmers(bases, offset, length, fold)), strict=True):
        masked[a:b] = ord("N")
    assert 0 < (masked != bases).mean() < 0.02
    assert len(find_shared_kmers(masked, offset, length, fold).position) == 0
