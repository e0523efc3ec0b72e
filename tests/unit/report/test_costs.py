"""What a run cost, read from a trace as Nextflow writes it."""

import pytest

from virshort.report.costs import costs, seconds, size

DURATIONS = {"850ms": 0.85, "3.1s": 3.1, "1m 3s": 63, "2h 5m 10s": 7510, "1d 1h": 90000, "-": 0}


@pytest.mark.parametrize(("text", "value"), DURATIONS.items())
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize(("text", "value"), [("45.5 MB", 45.5 * 2**20), ("0", 0), ("1 GB", 2**30), ("12 B", 12), ("-", 0)])
def test_amounts(text: str, value: float) -> None:
    assert size(text) == value


def test_costs_by_process_and_for_ten_times_the_windows() -> None:
    trace = [
        {"name": "EMBEDDING:EMBED (a train/short 1)", "status": "COMPLETED", "realtime": "10s", "peak_rss": "100 MB"},
        {"name": "EMBEDDING:EMBED (a test/short 2)", "status": "CACHED", "realtime": "8s", "peak_rss": "200 MB"},
        {"name": "EMBEDDING:EMBED_KMERS (b+c test/short 1)", "status": "COMPLETED", "realtime": "2s", "peak_rss": "100 MB"},
        {"name": "ARMS:TRAIN (finetune)", "status": "COMPLETED", "realtime": "1m", "peak_rss": "1 GB"},
        {"name": "ARMS:TRAIN (kmer)", "status": "FAILED", "realtime": "9m", "peak_rss": "1 GB"},
        {"name": "WINDOWS:CLUSTER", "status": "COMPLETED", "realtime": "5s", "peak_rss": "-"},
    ]
    found = costs(trace, {"train/short": 1000, "test/short": 3000})
    assert [(r.process, r.tasks, r.cached, r.seconds) for r in found.processes] == [
        ("TRAIN", 1, 0, 60),
        ("EMBED", 2, 1, 18),
        ("CLUSTER", 1, 0, 5),
        ("EMBED_KMERS", 1, 0, 2),
    ]
    assert found.processes[1].peak_mb == pytest.approx(200 * 2**20 / 1e6)
    assert (found.seconds, found.seconds_for_more) == (85, 5 + 800)
    assert found.training == {"finetune": 60} and found.windows_per_second == 200
    assert found.speeds == {"a": pytest.approx(4000 / 18), "b": 1500, "c": 1500}
    assert costs([], {}).windows_per_second is None
