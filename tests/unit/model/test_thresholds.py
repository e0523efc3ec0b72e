"""The thresholds of a model, and its log-odds of pairs."""

from collections.abc import Callable

import numpy as np
import pytest

from virshort.errors import InputError
from virshort.heads.calibration import calibrated
from virshort.model.thresholds import check_threshold, pair_log_odds, thresholds_for


def test_a_threshold_is_the_mean_of_the_folds_on_the_scale_of_probabilities(make_model: Callable) -> None:
    record = make_model(["codon"]).record
    short, long = (0.5 / 1 + 0.1 + 2.5 / 3 + 0.1) / 2, (0.5 / 2 + 0.1 + 2.5 / 4 + 0.1) / 2
    found = thresholds_for(record, np.array([150, 199, 200, 5000]), "balanced")
    assert found.dtype == np.float32 and found == pytest.approx([short, short, long, long])
    assert [row["own"] for row in record["thresholds"]] == [True, False, False, False]


def test_a_read_at_every_folds_threshold_is_at_the_models(make_model: Callable) -> None:
    record = make_model(["codon"]).record
    length = np.array([100, 300])
    folds = [calibrated(record["calibration"][str(f)], np.full(2, cut), length) for f, cut in ((0, 0.5), (2, 2.5))]
    assert np.mean(folds, axis=0) == pytest.approx(thresholds_for(record, length, "balanced"))


def test_what_is_unknown_is_an_error_that_says_what_there_is(make_model: Callable) -> None:
    record = make_model(["codon"]).record
    with pytest.raises(
        InputError, match=r"fpr_1e-3: the model of made has none for reads of 200 bp.* choose balanced or fpr_1e-2"
    ):
        thresholds_for(record, np.array([150, 250]), "fpr_1e-3")
    assert len(thresholds_for(record, np.array([150]), "fpr_1e-3")) == 1  # another length than that of the gap
    check_threshold(record, "fpr_1e-3")  # known for some lengths
    for row in record["thresholds"]:
        row["thresholds"]["fpr_1e-3"] = None
    with pytest.raises(InputError, match=r"fpr_1e-3: the model of made has none for reads of 0 bp and more.* choose balanced"):
        check_threshold(record, "fpr_1e-3")
    with pytest.raises(InputError, match="threshold strict: is not one of balanced, fpr_1e-2, fpr_1e-3"):
        thresholds_for(record, np.array([150]), "strict")


def test_pairs_are_read_by_the_pooled_rule(make_model: Callable) -> None:
    record = make_model(["codon"]).record
    mates = np.array([[1.5, 4.5], [1.5, 4.5], [-3.0, -3.0]], np.float32)
    overlap, length = np.array([0.0, 1.0, 0.5]), np.full(3, 150)
    found = pair_log_odds(record, mates, overlap, length)
    mean = np.array([2.25, 2.25, -1.75])  # of mate / 1.5 + 0.25
    assert found.dtype == np.float32 and found == pytest.approx(mean * [1.5, 1.0, 1.25] / 2 + 0.5)
    assert thresholds_for(record, length, "balanced", pairs=True) == pytest.approx([1.0 / 2 + 0.5] * 3)
    # Validation had too few pairs for this rate, so the threshold for single reads stands in.
    single = thresholds_for(record, length, "fpr_1e-3")
    assert np.array_equal(thresholds_for(record, length, "fpr_1e-3", pairs=True), single)


def test_a_model_without_pairs_says_so(make_model: Callable) -> None:
    record = make_model(["codon"], pairs=None).record
    with pytest.raises(InputError, match="cannot read two mates together"):
        pair_log_odds(record, np.zeros((1, 2)), np.zeros(1), np.array([150]))
