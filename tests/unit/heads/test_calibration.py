"""Temperature, bias and thresholds: fitted on validation windows, in total and for each bin of lengths with enough of them."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from virshort.heads import calibration


@pytest.mark.parametrize(("factor", "shift"), [(4.0, 0.7), (0.5, -1.0)])
def test_scaling_finds_temperature_and_bias(factor: float, shift: float) -> None:
    rng = np.random.default_rng(3)
    odds = rng.normal(0, 2, 50_000)
    label = (rng.random(50_000) < 1 / (1 + np.exp(-(odds / factor + shift)))).astype(int)
    assert calibration.scale(label, odds) == pytest.approx((factor, shift), rel=0.1)


def test_scores_that_rank_the_wrong_way_are_flattened() -> None:
    label = np.arange(100) % 2
    temperature, bias = calibration.scale(label, 10.0 * (1 - 2 * label))
    assert temperature == pytest.approx(20) and np.isfinite(bias)


@pytest.mark.parametrize("label", [np.zeros(50, int), np.ones(50, int), (np.arange(50) == 0).astype(int)])
@pytest.mark.parametrize("odds", [np.zeros(50, np.float32), np.linspace(-9, 9, 50, dtype=np.float32)])
def test_one_label_or_equal_scores_give_finite_numbers(label: np.ndarray, odds: np.ndarray) -> None:
    (found,) = calibration.fit(label, odds, np.full(50, 150), np.arange(50))
    json.dumps(found, allow_nan=False)
    assert found["thresholds"]["balanced"] is not None and found["thresholds"]["fpr_1e-2"] is None
    assert np.isfinite(calibration.calibrated([found], odds, np.full(50, 150))).all()


def test_unbalanced_labels_shift_the_bias_and_keep_the_share_of_viral_windows() -> None:
    rng = np.random.default_rng(6)
    label = (np.arange(20_000) % 20 == 0).astype(int)
    odds = rng.normal(label, 1)  # as if both labels were equally frequent
    temperature, bias = calibration.scale(label, odds)
    assert bias < -2
    assert np.mean(1 / (1 + np.exp(-(odds / temperature + bias)))) == pytest.approx(0.05, abs=0.002)


def test_a_bin_of_lengths_has_values_of_its_own_only_with_enough_windows_and_clusters() -> None:
    rng = np.random.default_rng(4)
    label, length = rng.integers(0, 2, 9000), np.repeat([150, 300, 2000], 3000)
    odds = (rng.normal(0, 1, 9000) + label).astype(np.float32)
    cluster = np.where(length == 300, 0, rng.integers(0, 50, 9000))
    found = calibration.fit(label, odds, length, cluster)
    assert [e["lengths"] for e in found] == [None, [0, 200], [1000, None]]
    assert calibration.for_bin(found, (200, 500)) is found[0] and calibration.for_bin(found, (0, 200)) is found[1]
    assert found[0]["thresholds"]["fpr_1e-2"] is not None and found[1]["thresholds"]["fpr_1e-3"] is None
    assert json.loads(json.dumps(found)) == found
    scaled = calibration.calibrated(found, odds, length)
    assert scaled[0] == pytest.approx(odds[0] / found[1]["temperature"] + found[1]["bias"])
    assert scaled[3000] == pytest.approx(odds[3000] / found[0]["temperature"] + found[0]["bias"])


@settings(max_examples=30)
@given(some.lists(some.floats(-5, 5, width=16), min_size=1, max_size=30), some.integers(0, 99))
def test_thresholds_keep_their_rate_on_validation(scores: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    odds, label = rng.choice(np.array(scores, np.float32), 12_000), rng.integers(0, 2, 12_000)
    found = calibration.thresholds(label, odds)
    for name, rate in calibration.RATES.items():
        assert np.mean(odds[label == 0] >= np.float32(found[name])) <= rate
    assert found["fpr_1e-2"] <= found["fpr_1e-3"]
