"""Numbers, names and lists as they stand in a sentence."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from virshort.inference.intervals import MetricEstimate

SIMULATED = (
    "The genomes of this run are simulated: its figures show how the pipeline works, and say nothing about real viruses."
)


def percent(value: float | None, digits: int = 1) -> str:
    """A share as "73.2 %"."""
    return "unknown" if value is None else f"{100 * value:.{digits}f} %"


def number(value: float | None) -> str:
    """A value between 0 and 1 as "0.732"."""
    return "unknown" if value is None else f"{value:.3f}"


def interval_in_words(interval: Sequence[float], scale: float = 1.0, digits: int = 1) -> str:
    """An interval as "16.0 to 20.6"."""
    return f"{scale * interval[0]:.{digits}f} to {scale * interval[1]:.{digits}f}"


def with_interval(value: str, interval: Sequence[float] | None, scale: float = 1.0, digits: int = 1) -> str:
    """A value with its interval, as "73.2 % (95 % interval 70.1 to 76.3)"."""
    if interval is None:
        return f"{value} (no interval can be given)"
    return f"{value} (95 % interval {interval_in_words(interval, scale, digits)})"


def points_in_words(difference: Mapping[str, Any]) -> str:
    """A difference {points, ci95} as "+18.3 points (95 % interval 16.0 to 20.6)"."""
    points = round(difference["points"], 1) + 0.0  # -0.0 becomes 0.0
    return with_interval(f"{points:+.1f} points", difference["ci95"])


def percent_in_words(metric: MetricEstimate) -> str:
    """A metric as "73.2 % (95 % interval 70.1 to 76.3)"."""
    return with_interval(percent(metric["mean"]), metric["ci95"], 100)


def counted(count: int, noun: str) -> str:
    """A number of things as "1 window" or "5 windows"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def quoted(name: str) -> str:
    """The name of an arm or a test set in quotes, because a name such as `both` or `full` is a word of its own."""
    return f"'{name}'"


def listed(words: Sequence[str]) -> str:
    """Words as "a, b and c"; nothing where there are none."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def names_in_words(names: Iterable[str]) -> str:
    """Names of arms or test sets as "'a', 'b' and 'c'"."""
    return listed([quoted(name) for name in names])
