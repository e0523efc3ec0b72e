"""Dropout masks: their rate and mean, and that a seed always gives the same masks."""

import numpy as np
import pytest

from virshort.heads.dropout import Dropout


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.2, 0.5, 0.9])
def test_the_dropped_share_is_the_rate_and_the_mean_is_kept(rate):
    mask = Dropout(rate, 512, 1)(4000).numpy()
    n = mask.size
    noise = 5 * np.sqrt(rate * (1 - rate) / n)
    assert np.mean(mask == 0) == pytest.approx(rate, abs=noise + 1e-5)
    assert np.unique(mask[mask > 0]) == pytest.approx(1 / (1 - rate), rel=1e-4)
    assert mask.mean() == pytest.approx(1, abs=noise / (1 - rate) + 1e-5)
    assert mask.shape == (4000, 512) and mask.dtype == np.float32


def test_rows_and_units_are_dropped_independently():
    dropped = Dropout(0.5, 64, 1)(4096).numpy() == 0
    between = np.corrcoef(dropped.T)[~np.eye(64, dtype=bool)]
    assert np.abs(between).max() < 6 / np.sqrt(4096)
    assert np.corrcoef(dropped[:-1].ravel(), dropped[1:].ravel())[0, 1] == pytest.approx(0, abs=6 / np.sqrt(dropped.size))


def test_a_seed_gives_the_same_masks_however_rows_are_batched():
    one, other = Dropout(0.3, 512, 7), Dropout(0.3, 512, 7)
    assert (one(5).numpy() == np.concatenate([other(2).numpy(), other(3).numpy()])).all()
    assert (Dropout(0.3, 512, 8)(5).numpy() != Dropout(0.3, 512, 7)(5).numpy()).any()
