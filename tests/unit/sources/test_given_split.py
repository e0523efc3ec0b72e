"""A split that the user gives."""

import numpy as np
import pytest

from virshort.errors import InputError
from virshort.sources.given_split import check_splits, choose_validation, given_folds


def test_given_splits_must_be_whole():
    source, cluster = ["s0", "s1", "s2"], np.array(["a", "a", "b"])
    assert given_folds(source, cluster, ["train", "train", "test"]).tolist() == [2, 2, 0]
    with pytest.raises(InputError, match="cluster a is in two splits, with s0 in train and s1 in test"):
        given_folds(source, cluster, ["train", "test", "test"])
    with pytest.raises(InputError, match="s1 has no split"):
        given_folds(source, cluster, ["train", None, "test"])
    with pytest.raises(InputError, match="no source is test"):
        given_folds(source, cluster, ["train", "train", "val"])


def test_each_split_needs_both_labels():
    label = np.array(["viral", "nonviral", "viral"])
    check_splits(label[:2], np.array([0, 0]))
    with pytest.raises(InputError, match="split: train has no nonviral source"):
        check_splits(label, np.array([0, 0, 2]))


def test_validation_is_a_quarter_in_whole_clusters():
    cluster = np.repeat([f"c{i:02d}" for i in range(16)], 2)
    label = np.where(np.arange(32) < 16, "viral", "nonviral")
    chosen = choose_validation(cluster, cluster, label, np.full(32, "k"), np.full(32, 100), 0.5, 1)
    assert chosen.sum() == 8 and (chosen[::2] == chosen[1::2]).all()
    with pytest.raises(InputError, match="mark some sources as val"):
        choose_validation(
            np.repeat(["a", "b"], 16), np.repeat(["a", "b"], 16), label, np.full(32, "k"), np.full(32, 100), 0.5, 1
        )
