"""Splits: the labels of the shuffled control, and what is refused."""

import numpy as np
import pytest

from virshort.errors import InputError
from virshort.heads.splits import shuffled_labels, split_rows


def test_shuffled_labels_are_independent_of_the_true_ones_and_never_split_a_cluster():
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(60), rng.integers(5, 60, 60))
    label, kingdom = (cluster < 30).astype(np.int8), cluster % 4
    for seed in range(20):
        new = shuffled_labels(label, cluster, kingdom, seed)
        for c in range(60):
            assert len(set(new[cluster == c])) == 1
        for y in (0, 1):
            assert abs(new[label == y].mean() - 0.5) < 0.05
    assert (shuffled_labels(label, cluster, kingdom, 1) != shuffled_labels(label, cluster, kingdom, 2)).any()


def test_shuffled_labels_are_balanced_in_every_kingdom_of_a_cluster():
    """All clusters are half of one kingdom and half of another; of each kingdom's windows half get each label."""
    cluster, kingdom = np.repeat(np.arange(40), 10), np.tile([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], 40)
    kingdom[cluster >= 20] += 2
    for seed in range(20):
        new = shuffled_labels(np.ones(400, np.int8), cluster, kingdom, seed)
        assert [new[kingdom == k].mean() for k in range(4)] == [0.5] * 4


@pytest.mark.parametrize("size", [None, 300])
def test_fewer_training_folds_leave_out_whole_clusters_and_nothing_else(size: int | None) -> None:
    """The training windows of few folds are among those of more, and validation stays the same."""
    rng = np.random.default_rng(3)
    cluster = rng.integers(0, 80, 2000)
    fold, label = (cluster % 5).astype(np.int8), (cluster // 5 % 2).astype(np.int8)
    for test_fold in range(5):
        training, validation = split_rows(label, fold, test_fold, 5, size, 0.5 if size else None)
        before = np.array([], np.int64)
        for kept in (1, 2, 3):
            some, judged = split_rows(label, fold, test_fold, 5, size, 0.5 if size else None, kept)
            folds = {(test_fold + 2 + i) % 5 for i in range(kept)}
            np.testing.assert_array_equal(some, training[np.isin(fold[training], list(folds))])
            np.testing.assert_array_equal(judged, validation)
            assert set(before) < set(some)
            before = some
        np.testing.assert_array_equal(before, training)


def test_a_split_that_lacks_rows_is_an_error():
    with pytest.raises(InputError, match="split 0: 1 training windows with label 1 where 3"):
        split_rows(np.array([1, 0, 0], np.int8), np.array([2, 2, 2], np.int8), 0, 3, 6, 0.5)
