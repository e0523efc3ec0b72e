"""The viral share of a sample. Truth: log-odds of clusters that are drawn again for the model's figures and for the sample."""

import numpy as np
import pytest

from mixtures import held_out, sample
from virshort.calls.prevalence import (
    SampleRates,
    detection_limit,
    expected_precision,
    interval,
    pooled,
    rogan_gladen,
    saerens,
)
from virshort.inference import held_out_rates
from virshort.inference.estimates import jackknife
from virshort.inference.held_out_rates import Rate, at_threshold, measure, rates_for


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001, 0.0])
def test_the_interval_covers_the_truth(share: float) -> None:
    """200 clusters of each label, 10,000 reads, calls at about 1 % false positives."""
    rng, repeats, covered = np.random.default_rng(int(share * 1000)), 40, 0
    for _ in range(repeats):
        rates = pooled([at_threshold(measure(*held_out(rng), np.linspace(-8, 8, 65)), 2.0)], [1])
        called = int((sample(rng, 10_000, share) >= 2.0).sum())
        ends = interval(called, 10_000, rates)
        assert ends is not None
        covered += ends[0] <= share <= ends[1]
    assert covered >= 0.9 * repeats


def test_rates_are_those_of_the_jackknife(monkeypatch: pytest.MonkeyPatch) -> None:
    label, cluster, odds = held_out(np.random.default_rng(0), 30, 20)
    allowed = measure(label, cluster, odds, [-1.0, 0.0, 2.0])
    monkeypatch.setattr(held_out_rates, "ENOUGH", 10_000)  # no cluster is known well enough to be unusual
    found = measure(label, cluster, odds, [-1.0, 0.0, 2.0])
    for name in ("viral", "nonviral"):
        assert (np.array(allowed[name]["variance"]) > found[name]["variance"]).all()  # type: ignore[literal-required]
    for y, curve in enumerate((found["nonviral"], found["viral"])):
        windows = np.bincount(cluster[label == y], minlength=60)
        for i, threshold in enumerate(found["log_odds"]):
            called = np.bincount(cluster[label == y], odds[label == y] >= threshold, 60)
            plain = jackknife(called[None], windows[None], [1])
            assert curve["rate"][i] == pytest.approx(plain.value) and curve["variance"][i] == pytest.approx(plain.variance)
    true, false = at_threshold(found, 1.0)
    assert true.value == pytest.approx(np.mean(found["viral"]["rate"][1:])) and false.value < true.value


def test_a_rate_of_none_still_has_a_variance() -> None:
    label, cluster, odds = held_out(np.random.default_rng(0), 30, 20)
    _, false = at_threshold(measure(label, cluster, odds, [100.0]), 100.0)
    assert false.value == 0 and false.variance == pytest.approx(1 / (label == 0).sum() ** 2)


def test_rates_of_all_lengths_stand_in_for_those_of_a_bin() -> None:
    label, cluster, odds = held_out(np.random.default_rng(0), 12, 5)
    known = [measure(label, cluster, odds, [0.0], lengths, "single") for lengths in (None, [0, 200])]
    assert rates_for(known, "single", (0, 200)) is known[1] and rates_for(known, "single", (200, 500)) is known[0]
    assert rates_for(known, "both", (0, 200)) is None


RATES = SampleRates(Rate(0.6, 0.0004, 100, 100), Rate(0.01, 0.000004, 80, 80))


def test_shares_follow_from_calls() -> None:
    assert rogan_gladen(690, 10_000, RATES) == pytest.approx(0.1)
    assert rogan_gladen(50, 10_000, RATES) == 0 and rogan_gladen(9000, 10_000, RATES) == 1
    assert rogan_gladen(0, 0, RATES) is None
    assert expected_precision(0.1, RATES) == pytest.approx(0.06 / 0.069)
    useless = SampleRates(Rate(0.01, 0.0001, 50, 50), Rate(0.01, 0.0001, 50, 50))
    assert (
        rogan_gladen(10, 100, useless) is None and interval(10, 100, useless) is None and detection_limit(100, useless) is None
    )


def test_intervals_hold_the_estimate_and_shrink_with_reads() -> None:
    for called in (0, 100, 690, 3000):
        share, ends = rogan_gladen(called, 10_000, RATES), interval(called, 10_000, RATES)
        assert share is not None and ends is not None and 0 <= ends[0] <= share <= ends[1] <= 1
    few, many = interval(7, 100, RATES), interval(69_000, 1_000_000, RATES)
    assert few and many and few[1] - few[0] > many[1] - many[0] > 0.01, "clusters limit what many reads can say"


def test_more_calls_than_any_share_explains_give_no_interval() -> None:
    assert interval(9960, 10_000, RATES) is None
    assert interval(6100, 10_000, RATES) is not None
    assert interval(1, 10_000, RATES) == (0, 0)


def test_what_is_below_the_detection_limit_looks_like_none() -> None:
    limit = detection_limit(10_000, RATES)
    assert limit is not None and 0.005 < limit < 0.05
    assert (interval(100, 10_000, RATES) or (1, 1))[0] == 0
    called = round(10_000 * (3 * limit * 0.6 + 0.01))
    assert (interval(called, 10_000, RATES) or (0, 0))[0] > 0
    fewer = detection_limit(100, RATES)
    assert fewer is None or fewer > limit


def test_expectation_maximization_finds_the_share() -> None:
    """Log-odds that are calibrated for half viral reads: two normal distributions one unit apart on either side."""
    rng = np.random.default_rng(3)
    for share in (0.5, 0.1, 0.02):
        label = rng.random(20_000) < share
        x = rng.normal(np.where(label, 1.0, -1.0), 1.0)
        found = saerens(2 * x, np.ones(len(x)), 0.5)
        assert found == pytest.approx(share, abs=0.015)
        shifted = saerens(2 * x + np.log(0.8 / 0.2), np.ones(len(x)), 0.8)
        assert shifted == pytest.approx(found, abs=1e-6)
    assert saerens(np.zeros(1), np.zeros(1), 0.5) is None


def test_classes_add_up_by_standard_deviation() -> None:
    both = pooled([(RATES.found, RATES.false), (Rate(0.8, 0.0001, 20, 20), Rate(0.03, 0.000001, 30, 30))], [3, 1])
    assert both.found.value == pytest.approx(0.65) and both.found.variance == pytest.approx((0.75 * 0.02 + 0.25 * 0.01) ** 2)
    assert both.found.effective == 20 and both.false.effective == 30


def test_few_unusual_clusters_leave_few_degrees_of_freedom() -> None:
    """Of 50 clusters, one or all are called in part: the variance of one is known much worse."""
    cluster = np.repeat(np.arange(100), 40)
    label = (cluster >= 50).astype(int)
    one = np.where((cluster == 0) & (np.arange(4000) % 2 == 0), 1.0, -1.0)
    rng = np.random.default_rng(0)
    each = np.where(rng.random(4000) < rng.normal(0.5, 0.1, 100)[cluster], 1.0, -1.0)
    (_, alone), (_, many) = (at_threshold(measure(label, cluster, odds, [0.0]), 0.0) for odds in (one, each))
    assert alone.df == pytest.approx(2, abs=0.2) and many.df > 20
