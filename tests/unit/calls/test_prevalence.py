"""The viral share of a sample. Truth: log-odds of clusters that are drawn again for the model's figures and for the sample."""

import numpy as np
import pytest

from mixtures import KNOWN, held_out, held_out_with_matches, sample, sample_with_matches
from virshort.calls.prevalence import (
    SampleRates,
    Stratum,
    added_detection_limit,
    added_interval,
    added_up,
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


@pytest.mark.parametrize("viruses", KNOWN)
def test_the_interval_covers_the_truth_of_known_and_of_new_viruses(viruses: str) -> None:
    """Known viruses match more often than held-out ones, and are found more often without a match, too; new ones never match.
    Without strata, their shares are far off."""
    rng, repeats = np.random.default_rng(len(viruses)), 10
    for share in (0.5, 0.01, 0.0):
        covered, alone = 0, 0
        for _ in range(repeats):
            label, cluster, odds, matched = held_out_with_matches(rng)
            reads, of_read = sample_with_matches(rng, 10_000, share, viruses)

            def stratum(held: np.ndarray, mine: np.ndarray, threshold: float, at_least: bool) -> Stratum:
                rates = measure(label[held], cluster[held], odds[held], np.linspace(-8, 8, 65))  # noqa: B023
                called = int((mine >= threshold).sum())
                return Stratum(called, len(mine), pooled([at_threshold(rates, threshold)], [1]), at_least)

            strata = [stratum(matched == w, reads[of_read == w], 2.0 * w, True) for w in (False, True)]
            ends = added_interval(strata)
            assert ends is not None
            covered += ends[0] <= share <= ends[1]
            together = stratum(np.ones(len(label), bool), reads, 2.0, False).interval()
            alone += together is not None and together[0] <= share <= together[1]
        assert covered >= 0.9 * repeats
        if share == 0.5 and viruses != "all":
            assert alone <= 0.2 * repeats


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
    known.append(measure(label, cluster, odds, [0.0], [0, 200], "single", True))
    assert rates_for(known, "single", (0, 200), True) is known[2] and rates_for(known, "single", (0, 200)) is known[1]
    assert rates_for(known, "single", (0, 200), False) is None


RATES = SampleRates(Rate(0.6, 0.0004, 100, 100), Rate(0.01, 0.000004, 80, 80))


def test_shares_follow_from_calls() -> None:
    assert rogan_gladen(690, 10_000, RATES) == pytest.approx(0.1)
    assert rogan_gladen(50, 10_000, RATES) == 0 and rogan_gladen(9000, 10_000, RATES) == 1
    assert rogan_gladen(0, 0, RATES) is None
    assert expected_precision([0.1], [50], [RATES]) == pytest.approx(0.06 / 0.069)
    assert expected_precision([0.1, 0.0], [50, 150], [RATES, RATES]) == pytest.approx(0.06 / (0.069 + 0.03))
    assert expected_precision([0.0], [50], [SampleRates(RATES.found, Rate(0.0, 0.0, 1, 80))]) is None
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


def test_known_viruses_may_be_found_more_often_than_held_out_ones() -> None:
    """The lower end is that of finding all; more calls than the rate explains leave the upper end open."""
    plain, at_least = Stratum(3000, 10_000, RATES), Stratum(3000, 10_000, RATES, at_least=True)
    own, open_above = plain.interval(), at_least.interval()
    assert own and open_above and open_above[1] == own[1] and 0.27 < open_above[0] < 0.29 < own[0]
    assert plain.share == at_least.share == pytest.approx(0.29 / 0.59)
    assert Stratum(9960, 10_000, RATES).interval() is None
    low, high = Stratum(9960, 10_000, RATES, at_least=True).interval() or (0, 0)
    assert 0.98 < low < 0.9961 and high == 1
    assert (Stratum(0, 100, RATES, at_least=True).interval() or (1, 1))[0] == 0
    useless = SampleRates(Rate(0.01, 0.0001, 50, 50), Rate(0.01, 0.0001, 50, 50))
    assert Stratum(1, 100, useless, at_least=True).interval() is None


def test_strata_add_up_by_their_reads() -> None:
    strata = [Stratum(690, 10_000, RATES), Stratum(300, 30_000, RATES)]
    assert added_up([s.share for s in strata], strata) == pytest.approx(0.1 / 4)
    assert added_up([0.1, None], strata) is None
    ends = [s.interval(0.975) or (0, 0) for s in strata]
    found = added_interval(strata)
    assert found == pytest.approx([(a + 3 * b) / 4 for a, b in zip(*ends, strict=True)])
    assert added_interval(strata[:1]) == strata[0].interval()
    assert added_interval([strata[0], Stratum(9960, 10_000, RATES)]) is None


def test_a_share_is_told_from_none_where_its_reads_fall() -> None:
    strata = [Stratum(0, 10_000, RATES), Stratum(0, 30_000, RATES)]
    one, other = (detection_limit(s.reads, s.rates) or 0 for s in strata)
    assert added_detection_limit(strata, [1.0, 0.0]) == pytest.approx(one / 4)
    assert added_detection_limit(strata, [0.5, 0.5]) == pytest.approx(min(one / 4 / 0.5, other * 3 / 4 / 0.5))
    assert added_detection_limit(strata, [0.0, 0.0]) is None


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
