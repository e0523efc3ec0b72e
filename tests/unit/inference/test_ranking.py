"""AUROC and average precision as sums over windows, compared with sklearn."""

import numpy as np
import pytest
from sklearn import metrics as sk

from virshort.inference.ranking import placements, precision_pulls


def test_placements_give_aurocs_also_with_ties() -> None:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 500)
    score = rng.integers(0, 20, 500) + label
    histogram = np.stack([np.bincount(score[label == y], minlength=21) for y in (0, 1)])
    ranks = placements(histogram)
    for y in (0, 1):
        other = (label != y).sum()
        assert (ranks[y][score[label == y]] / (2 * other)).mean() == pytest.approx(sk.roc_auc_score(label, score))


def test_pulls_tell_average_precision_without_a_cluster() -> None:
    """Compared with sklearn, which computes it again without the windows of the cluster."""
    rng = np.random.default_rng(2)
    label = np.repeat(rng.integers(0, 2, 60), 20)
    cluster = np.repeat(np.arange(60), 20)
    score = rng.integers(0, 60, 1200) + 9 * label + rng.normal(0, 8, 60).astype(int)[cluster] + 30
    histogram = np.stack([np.bincount(score[label == y], minlength=score.max() + 1) for y in (0, 1)])
    pulls = precision_pulls(histogram)
    assert (pulls * histogram).sum(axis=1) == pytest.approx([0, 0], abs=1e-8)
    weight = np.where(label == 1, label.mean(), 1 - label.mean())
    before = sk.average_precision_score(label, score)
    moved, told = [], []
    for c in range(60):
        left = cluster != c
        y = label[~left][0]
        rest = (label[left] == y).sum()
        kept = weight[left] * np.where(label[left] == y, (label == y).sum() / rest, 1.0)  # the shares of the labels stay
        moved.append(sk.average_precision_score(label[left], score[left], sample_weight=kept) - before)
        told.append(-pulls[y, score[~left]].sum() / rest)
    assert np.corrcoef(moved, told)[0, 1] > 0.995
    assert np.std(told) == pytest.approx(np.std(moved), rel=0.05)
    assert (precision_pulls(histogram * [[1], [0]]) == 0).all()
