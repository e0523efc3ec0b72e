"""Scores and calls without torch: each window by the head and threshold of its own fold."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from random_heads import random_head
from virshort.heads import prediction
from virshort.heads.prediction import PREDICTIONS, Heads, prediction_tables, score_windows
from virshort.heads.scoring import log_odds, score_of


@given(st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_raising_a_threshold_never_adds_a_call(odds, a, b):
    low, high = sorted((a, b))
    score, fold = score_of(np.array(odds, np.float32)), np.zeros(len(odds), int)
    assert not (Heads({}, {0: high}).calls(score, fold) & ~Heads({}, {0: low}).calls(score, fold)).any()


def test_each_window_is_called_by_the_threshold_of_its_own_fold():
    heads = Heads({}, {1: 0.9, 3: 0.1})
    assert heads.calls(np.full(3, 0.5, np.float32), np.array([1, 3, 1])).tolist() == [False, True, False]


def test_windows_are_scored_block_by_block_by_the_head_of_their_fold(window_features, monkeypatch):
    monkeypatch.setattr(prediction, "_BLOCK", 7)
    fold = np.arange(30) % 3
    windows = window_features(np.arange(30) % 2, np.arange(30), fold)
    weights = {f: random_head(8, f) for f in range(3)}
    heads = [Heads(weights, {0: 0.2, 1: 0.5, 2: 0.8}), Heads(weights, {0: 0.9, 1: 0.9, 2: 0.9})]
    blocks = list(score_windows(windows, ["dna", "protein"], heads))
    assert [(t.num_rows, odds.shape) for t, odds in blocks] == [(7, (2, 7))] * 4 + [(2, (2, 2))]
    x = windows.rows(np.arange(30), ["dna", "protein"])
    wanted = [log_odds(weights[f], x[[i]])[0] for i, f in enumerate(fold)]
    np.testing.assert_allclose(np.concatenate([odds for _, odds in blocks], axis=1), [wanted, wanted], rtol=1e-4, atol=1e-4)

    table, odds = blocks[0]
    first, second = prediction_tables(table, odds, heads)
    assert (
        first.schema == PREDICTIONS and first["replicate"].to_pylist() == [0] * 7 and second["replicate"].to_pylist() == [1] * 7
    )
    assert first["window"].to_pylist() == [f"w{i:05d}" for i in range(7)]
    scores = first["score"].to_numpy()
    assert first["call"].to_pylist() == [s >= heads[0].threshold[f] for s, f in zip(scores, fold, strict=False)]
    assert (scores == score_of(odds[0])).all()
