"""How long the scores of a run's reads will take, and what they cost, from how long a few of its reads take."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

FIRST, STEP = 250, 4
"""Fragments that are timed first, and the factor by which they grow."""
ENOUGH = 3.0
"""Seconds from which on a measurement is good."""
FEWEST = 5_000
"""Reads of a run for which a forecast is made: fewer take about as long as the forecast."""
TASK = 1.0
"""Seconds that Nextflow and the shell need for a task."""
COLLECTED = 340_000
"""Reads a second that COLLECT turns into calls and tables (docs/benchmarks.md)."""
REPORT = 8.0
"""Seconds of the report."""


@dataclass(frozen=True)
class Speed:
    """start: seconds until a task has opened the model; each: seconds per read; batch: seconds for a batch of reads, however
    many it has, such as one pass over the databases of a search; timed: reads that this was measured on."""

    start: float
    each: float
    batch: float
    timed: int


@dataclass(frozen=True)
class Amount:
    """The reads of one sample: their number and their bases, and the chunks into which they are cut."""

    reads: int
    bases: int
    chunks: int


class Forecast(TypedDict):
    """forecast.json. reads_per_second: of one task; tasks_at_a_time: of PREDICT; seconds: from the first chunk to the end of a
    run; core_hours: of all tasks in this time; None where there are too few reads for a forecast."""

    reads: int
    chunks: int
    reads_per_second: float | None
    tasks_at_a_time: int
    seconds: float | None
    core_hours: float | None
    sentence: str


def measure(score: Callable[[int], int], seconds: Callable[[], float], available: int, start: float) -> Speed:
    """Time growing numbers of fragments until one takes long enough, or there are no more.

    score: scores so many fragments, and returns how many reads they have; seconds: a clock; available: fragments that there
    are; start: as in Speed. What a batch costs is what remains for no reads on the line through the last two measurements."""
    score(1)  # what is loaded with the first read
    sizes, took = [0], [0.0]
    n = min(FIRST, available)
    while True:
        began = seconds()
        sizes.append(score(n))
        took.append(seconds() - began)
        if n == available or (took[-1] >= ENOUGH and len(sizes) > 2):
            break
        n = min(STEP * n, available)
    each = max(0.0, (took[-1] - took[-2]) / max(1, sizes[-1] - sizes[-2]))
    return Speed(start, each, max(0.0, took[-1] - each * sizes[-1]), sizes[-1])


def forecast(amounts: Sequence[Amount], speed: Speed | None, bases_per_batch: int, cpus: int, tasks: int) -> Forecast:
    """What is said before the first chunk. amounts: of all samples; speed: None where it was not measured; bases_per_batch: of
    the reads of a batch; cpus: of a task; tasks: how many can run at a time."""
    reads, chunks = sum(a.reads for a in amounts), sum(a.chunks for a in amounts)
    at_a_time = max(1, min(tasks, chunks))
    what = f"{reads:,} reads in {chunks:,} {'chunk' if chunks == 1 else 'chunks'}"
    found: Forecast = {
        "reads": reads,
        "chunks": chunks,
        "reads_per_second": None,
        "tasks_at_a_time": at_a_time,
        "seconds": None,
        "core_hours": None,
        "sentence": f"{what} are too few for a forecast.",
    }
    if speed is None:
        return found
    busy = sum(_seconds_of(a, speed, bases_per_batch) for a in amounts)
    collected = [a.reads / COLLECTED + TASK for a in amounts]
    seconds = busy / at_a_time + max(collected) + REPORT
    hours = (busy * cpus + sum(collected) + REPORT) / 3600
    side = f"{at_a_time} tasks of {cpus} cores" if at_a_time > 1 else f"one task of {cpus} {'core' if cpus == 1 else 'cores'}"
    sentence = (
        f"{what} take about {in_words(seconds)} from here on and {hours:.2g} core hours, with {side} at a time "
        f"({reads / busy:,.0f} reads a second each, measured on {speed.timed:,})."
    )
    return found | {"reads_per_second": reads / busy, "seconds": seconds, "core_hours": hours, "sentence": sentence}


def _seconds_of(amount: Amount, speed: Speed, bases_per_batch: int) -> float:
    """Of all tasks of a sample, one after the other. The last chunk of a sample is as large as the others here."""
    batches = math.ceil(amount.bases / max(1, amount.chunks) / bases_per_batch)
    return amount.chunks * (TASK + speed.start + batches * speed.batch) + amount.reads * speed.each


def in_words(seconds: float) -> str:
    """A duration with two figures: 40 s, 12 min, 3.5 h."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            value = seconds / size
            return f"{value:.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return f"{seconds:.0f} s"
