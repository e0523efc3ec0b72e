"""From counts to sentences."""

import numpy as np
import pytest

from virshort.calls.counts import LOG_ODDS, SampleCounts, length_bin, nearest_log_odds
from virshort.calls.summary import in_words, percent, unlike


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1e-6, "less than 0.001 %"), (0.000123, "0.012 %"), (0.0123, "1.2 %"), (0.1234, "12.3 %"), (1, "100.0 %")],
)
def test_shares_have_two_digits_that_count(share: float, text: str) -> None:
    assert percent(share) == text


def test_bins_of_lengths_have_names() -> None:
    assert [in_words(b) for b in ((0, 200), (200, 500), (1000, None))] == ["under 200 bp", "200 to 499 bp", "1000 bp and more"]
    assert length_bin(np.array([0, 199, 200, 999, 1000, 5000])).tolist() == [0, 0, 1, 2, 3, 3]


def test_log_odds_are_counted_where_they_are_nearest() -> None:
    odds = np.array([-np.inf, -1e9, -0.02, 0.03, 19.99, 1e9, np.inf])
    found = LOG_ODDS[nearest_log_odds(odds)]
    assert found.tolist() == pytest.approx([-20, -20, 0, 0.05, 20, 20, 20])


def test_reads_like_the_training_windows_are_not_mentioned() -> None:
    counts = SampleCounts(1)
    counts.lengths[150], counts.gc[50], counts.evidence[0, 0] = 1000, 1000, 300
    counts.evidence[1, 0] = 700
    assert (
        unlike(counts, {"short": [150, 150]}, {"rates": [], "gc": [0.3, 0.6], "match_bits": None, "without_match": [0.3, 0.2]})
        == []
    )
    assert unlike(SampleCounts(1), {"short": [150, 150]}, None) == []


def test_each_difference_is_a_sentence() -> None:
    counts = SampleCounts(2)
    counts.lengths[[100, 300]], counts.gc[[20, 50]], counts.evidence[[0, 2], 0] = 500, 500, [900, 100]
    found = unlike(
        counts, {"short": [150, 150]}, {"rates": [], "gc": [0.3, 0.6], "match_bits": None, "without_match": [0.3, 0.2]}
    )
    assert [s.split(" of the scored reads ")[0] for s in found] == ["50.0 %", "50.0 %", "50.0 %", "90.0 %"]
    assert "much shorter than any window of training (150 bp)" in found[0] and "longer" in found[1]
    assert "(30 to 60 %)" in found[2] and "at most 30.0 % of a label" in found[3]
    assert len(unlike(counts, {"mixed": [100, 3000]}, None)) == 0
