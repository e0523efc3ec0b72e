"""A forecast is right where time grows as it is assumed to, whatever the fixed costs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from virshort.reads.forecast import COLLECTED, ENOUGH, FIRST, REPORT, TASK, Amount, Speed, forecast, in_words, measure


class Clock:
    """Time that passes only while reads are scored: `batch` seconds for each call and `each` for a read of two mates."""

    def __init__(self, batch: float, each: float):
        self.now, self.batch, self.each = 100.0, batch, each
        self.sizes: list[int] = []

    def score(self, fragments: int) -> int:
        self.sizes.append(fragments)
        self.now += self.batch + 2 * fragments * self.each
        return 2 * fragments

    def seconds(self) -> float:
        return self.now


@given(st.floats(0, 20), st.floats(1e-6, 0.1), st.integers(2 * FIRST, 200_000))
def test_the_costs_of_a_read_and_of_a_batch_are_told_apart(batch: float, each: float, available: int) -> None:
    clock = Clock(batch, each)
    speed = measure(clock.score, clock.seconds, available, 2.5)
    assert speed.each == pytest.approx(each, rel=1e-3, abs=1e-9) and speed.batch == pytest.approx(batch, rel=1e-3, abs=1e-3)
    assert speed.start == 2.5 and speed.timed == 2 * clock.sizes[-1]
    assert clock.sizes[-1] == available or batch + each * speed.timed >= ENOUGH
    assert len(clock.sizes) <= 3 or batch + 2 * each * clock.sizes[-2] < ENOUGH


def test_a_sample_with_few_reads_is_timed_whole() -> None:
    clock = Clock(0, 0.001)
    assert measure(clock.score, clock.seconds, 10, 0).timed == 20 and clock.sizes == [1, 10]


def test_chunks_are_added_up_and_shared_out() -> None:
    speed = Speed(start=2.0, each=1e-4, batch=3.0, timed=999)
    amounts = [Amount(1_000_000, 150_000_000, 5), Amount(10, 1500, 1), Amount(0, 0, 1)]
    # a chunk of 30 Mb is searched in eight batches of 4 Mb
    busy = 7 * (TASK + 2.0) + (5 * 8 + 1) * 3.0 + 1_000_010 * 1e-4
    one = forecast(amounts, speed, 4_000_000, 2, 1)
    assert one["seconds"] == pytest.approx(busy + 1_000_000 / COLLECTED + TASK + REPORT)
    assert one["reads_per_second"] == pytest.approx(1_000_010 / busy) and one["chunks"] == 7
    many = forecast(amounts, speed, 4_000_000, 2, 1000)
    assert many["tasks_at_a_time"] == 7 and many["core_hours"] == one["core_hours"]
    assert many["seconds"] == pytest.approx(busy / 7 + 1_000_000 / COLLECTED + TASK + REPORT)
    assert "1,000,010 reads in 7 chunks take about" in one["sentence"] and "one task of 2 cores at a time" in one["sentence"]


def test_too_few_reads_have_no_forecast() -> None:
    found = forecast([Amount(0, 0, 1)], None, 10, 1, 4)
    assert found["seconds"] is None and found["sentence"] == "0 reads in 1 chunk are too few for a forecast."


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.6, "1 s"), (89, "89 s"), (90, "1.5 min"), (1800, "30 min"), (5400, "1.5 h"), (360_000, "100 h")]
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
