"""The files of heads: what is written is read, and a missing head is named."""

import numpy as np
import pytest

from virshort.errors import InputError
from virshort.heads.model_files import folder_of, read_head, write_head
from virshort.heads.prediction import read_heads


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "mine"
    for fold in (1, 4):
        for replicate in (0, 1, 10):
            weights = {"x": np.full(3, 100 * fold + replicate, np.float32)}
            record = {"fold": fold, "replicate": replicate, "threshold": fold / 10, "calibration": [], "encoders": None}
            write_head(folder / folder_of(fold, replicate), weights, record)
    return folder


def test_heads_are_read_by_replicate_and_fold(models):
    heads, first = read_heads(models, [1, 4])
    assert [[h.weights[f]["x"][0] for f in (1, 4)] for h in heads] == [[100, 400], [101, 401], [110, 410]]
    assert heads[0].threshold == {1: 0.1, 4: 0.4} and first["fold"] == 1
    weights, record = read_head(models / folder_of(4, 10))
    assert weights["x"].tolist() == [410] * 3 and record["threshold"] == 0.4


def test_a_missing_head_is_named(models):
    (models / folder_of(4, 1) / "model.json").unlink()
    with pytest.raises(InputError, match="mine: no model in fold_4/replicate_1: resume the run"):
        read_heads(models, [1, 4])
    with pytest.raises(InputError, match="mine: has no models of fold 7"):
        read_heads(models, [7])
