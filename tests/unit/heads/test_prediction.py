"""Scores and calls without torch: each window by the head and threshold of its own fold."""

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from random_heads import random_head
from virshort.heads import prediction
from virshort.heads.held_out import calibrated_by_unseen
from virshort.heads.prediction import PREDICTIONS, Heads, described, prediction_tables, score_windows, write_predictions
from virshort.heads.scoring import log_odds, score_of


@given(st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_raising_a_threshold_never_adds_a_call(odds, a, b):
    low, high = sorted((a, b))
    score, fold = score_of(np.array(odds, np.float32)), np.zeros(len(odds), int)
    assert not (Heads({}, {0: high}).calls(score, fold) & ~Heads({}, {0: low}).calls(score, fold)).any()


def test_each_window_is_called_by_the_threshold_of_its_own_fold():
    heads = Heads({}, {1: 0.9, 3: 0.1})
    assert heads.calls(np.full(3, 0.5, np.float32), np.array([1, 3, 1])).tolist() == [False, True, False]


def test_windows_are_scored_block_by_block_by_the_head_of_their_fold(window_features, monkeypatch, tmp_path):
    monkeypatch.setattr(prediction, "_BLOCK", 7)
    fold = np.arange(30) % 3
    windows = window_features(np.arange(30) % 2, np.arange(30), fold)
    weights = {f: random_head(8, f) for f in range(3)}
    heads = [Heads(weights, {0: 0.2, 1: 0.5, 2: 0.8}), Heads(weights, {0: 0.9, 1: 0.9, 2: 0.9})]
    odds = score_windows(windows, ["dna", "protein"], heads)
    x = windows.rows(np.arange(30), ["dna", "protein"])
    wanted = [log_odds(weights[f], x[[i]])[0] for i, f in enumerate(fold)]
    np.testing.assert_allclose(odds, [wanted, wanted], rtol=1e-4, atol=1e-4)

    blocks = list(described(windows))
    assert [block.num_rows for block in blocks] == [7, 7, 7, 7, 2]
    first, second = prediction_tables(blocks[0], odds[:, :7], heads)
    assert (
        first.schema == PREDICTIONS and first["replicate"].to_pylist() == [0] * 7 and second["replicate"].to_pylist() == [1] * 7
    )
    assert first["window"].to_pylist() == [f"w{i:05d}" for i in range(7)]
    scores = first["score"].to_numpy()
    assert first["call"].to_pylist() == [s >= heads[0].threshold[f] for s, f in zip(scores, fold, strict=False)]
    assert (scores == score_of(odds[0, :7])).all()
    write_predictions(tmp_path / "predictions.parquet", blocks, odds, heads)
    written = pq.read_table(tmp_path / "predictions.parquet")
    for r in (0, 1):
        of = written.filter(pc.field("replicate") == r)
        assert of["window"].to_pylist() == [f"w{i:05d}" for i in range(30)] and (of["log_odds"].to_numpy() == odds[r]).all()


def test_heads_judge_the_fold_that_they_validate_on(window_features):
    """Of four folds, 0 and 3 are tested, so 1 and 0 are validated on, and nothing judges windows of fold 2."""
    fold = np.arange(20) % 4
    windows = window_features(np.arange(20) % 2, np.arange(20), fold)
    scale = [{"lengths": None, "temperature": 2.0, "bias": 1.0}]
    heads = Heads({f: random_head(8, f) for f in (0, 3)}, {0: 0.2, 3: 0.5}, {0: scale, 3: scale})
    tested, validated = score_windows(windows, ["dna", "protein"], [heads, heads.by_validation_fold(4)])
    x = windows.rows(np.arange(20), ["dna", "protein"])
    for odds, judges in ((tested, {0: 0, 3: 3}), (validated, {1: 0, 0: 3})):
        for f in range(4):
            if f in judges:
                wanted = log_odds(heads.weights[judges[f]], x[fold == f])
                np.testing.assert_allclose(odds[fold == f], wanted, rtol=1e-4, atol=1e-4)
            else:
                assert np.isnan(odds[fold == f]).all()
    found = calibrated_by_unseen(heads, 4, np.stack([tested, validated]), fold, np.full(20, 150))
    np.testing.assert_allclose(found, np.stack([tested, validated]) / 2 + 1, rtol=1e-6)
