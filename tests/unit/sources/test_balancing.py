"""Dealing clusters into folds of equal size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustered_sources import clustered_sources
from virshort.errors import InputError
from virshort.sources.balancing import cap_size, cluster_weights, deal_clusters
from virshort.sources.folds import check_whole, note_uneven_clusters


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=60), st.sampled_from([0.01, 0.05, 0.3]))
def test_no_cluster_weighs_more_than_the_cap(bases, cap):
    bases = np.array(bases, float)
    allowed = cap_size(bases, cap)
    share = allowed / np.minimum(bases, allowed).sum()
    assert share <= max(cap, 2 / len(bases)) * (1 + 1e-9)
    if (bases > allowed).any():  # and it weighs no less than it may
        assert share == pytest.approx(max(cap, 2 / len(bases)))


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(12, 80), st.integers(3, 6), st.sampled_from([0, 0.2]), st.integers(0, 99))
def test_every_fold_has_each_label(seed, clusters, folds, both, dealing):
    cluster, label, kingdom, bases = clustered_sources(seed, clusters, both)
    _, number = np.unique(cluster, return_inverse=True)
    weight = cluster_weights(number, label, kingdom, bases, 0.05)
    assert weight.sum(axis=0) == pytest.approx(1)
    fold = deal_clusters(weight, folds, dealing)
    assert (fold == deal_clusters(weight, folds, dealing)).all()
    for name in ("viral", "nonviral"):
        assert set(fold[number[label == name]]) == set(range(folds))
    check_whole([f"s{i}" for i in range(len(cluster))], cluster, fold[number])


def test_folds_are_balanced_by_bases_within_label_and_kingdom():
    cluster, label, kingdom, bases = clustered_sources(5, 600)
    _, number = np.unique(cluster, return_inverse=True)
    fold = deal_clusters(cluster_weights(number, label, kingdom, bases, 0.05), 5, 42)[number]
    for name in ("viral", "nonviral"):
        for k in ("a", "b", "c"):
            mine = (label == name) & (kingdom == k)
            share = np.bincount(fold[mine], bases[mine], 5) / bases[mine].sum()
            off = 0.02 if k == "a" else 0.06  # the rarest kingdom has about 15 clusters per label
            assert share.max() < 0.2 + off and share.min() > 0.2 - off


def test_a_giant_cluster_leaves_room_for_others_and_is_noted():
    cluster, label, kingdom, bases = clustered_sources(6, 300)
    giant = next(c for c, x in zip(cluster, label, strict=True) if x == "nonviral")
    bases[cluster == giant] = bases[label == "nonviral"].sum() * 4
    _, number = np.unique(cluster, return_inverse=True)
    fold = deal_clusters(cluster_weights(number, label, kingdom, bases, 0.05), 5, 1)[number]
    home = fold[cluster == giant][0]
    others = (label == "nonviral") & (cluster != giant)
    share = np.bincount(fold[others], bases[others], 5) / bases[others].sum()
    assert 0.1 < share[home] < 0.2
    assert any(
        giant in n and "more than a fold's share" in n for n in note_uneven_clusters(cluster, label, kingdom, bases, 5, 0.05)
    )


def test_another_seed_gives_other_folds():
    cluster, label, kingdom, bases = clustered_sources(7, 100)
    _, number = np.unique(cluster, return_inverse=True)
    weight = cluster_weights(number, label, kingdom, bases, 0.05)
    assert (deal_clusters(weight, 5, 1) != deal_clusters(weight, 5, 2)).any()


def test_clusters_of_both_labels_may_be_too_few_to_fill_all_folds():
    cluster = np.array(["a", "a", "b", "c", "d"])
    label = np.array(["viral", "nonviral", "viral", "viral", "nonviral"])
    _, number = np.unique(cluster, return_inverse=True)
    with pytest.raises(InputError, match="label nonviral"):
        deal_clusters(cluster_weights(number, label, np.full(5, "k"), np.full(5, 9), 0.05), 3, 1)
