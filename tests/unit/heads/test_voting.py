"""Votes of several windows of one source, compared with plain means of log-odds."""

import numpy as np
import pytest

from virshort.heads.voting import voting


def test_a_vote_is_the_mean_of_log_odds(windows: dict[str, np.ndarray]) -> None:
    label, odds, cluster = (windows[k] for k in ("label", "odds", "cluster"))
    source = cluster  # 12 windows each
    found = voting(label, odds, np.full(odds.shape, 0.2), source, cluster)
    assert [v["windows"] for v in found["votes"]] == [1, 2, 3, 5, 10] and found["sources"] == 120
    for v in found["votes"]:
        k = v["windows"]
        rounds = odds.reshape(3, 120, 12)[:, :, : 12 // k * k].reshape(3, 120, -1, k).mean(axis=3)
        right = ((rounds >= 0.2) == (np.arange(120) % 2 == 1)[None, :, None]).mean()
        assert v["accuracy"] == pytest.approx(right), k
        assert v["ci95"][0] < v["accuracy"] < v["ci95"][1]
    accuracies = [v["accuracy"] for v in found["votes"]]
    assert accuracies == sorted(accuracies)


def test_no_more_windows_vote_than_sources_have(windows: dict[str, np.ndarray]) -> None:
    """With six windows per source, five may vote and ten may not."""
    label, odds, cluster, source = (windows[k] for k in ("label", "odds", "cluster", "source"))
    found = voting(label, odds, np.zeros(odds.shape), source, cluster)
    assert [v["windows"] for v in found["votes"]] == [1, 2, 3, 5] and found["clusters"] == 120
    assert found["votes"][0]["accuracy"] == pytest.approx(np.mean((odds >= 0) == (label == 1)))
    alone = voting(label, odds, np.zeros(odds.shape), np.arange(len(label)), cluster)
    assert alone["votes"] == [] and alone["sources"] == 0
