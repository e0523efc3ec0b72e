"""Numbers and intervals as the report, the summary and the methods write them."""

from collections.abc import Mapping, Sequence
from typing import Any

from virshort.verdict.schema import Difference
from virshort.verdict.wording import interval_in_words


def scaled(value: float | None, scale: float = 100, digits: int = 1) -> str:
    """A share in percent, or another number at another scale; empty where it is not known."""
    return "" if value is None else f"{scale * value:.{digits}f}"


def interval(bounds: Sequence[float], scale: float = 100, digits: int = 1) -> str:
    """An interval as "16.0 to 20.6", in percent unless another scale is given."""
    return interval_in_words(bounds, scale, digits)


def signed(points: float) -> str:
    """A difference in points with its sign; none of nearly zero has a minus sign."""
    return f"{round(points, 1) + 0.0:+.1f}"


def count(value: float | None) -> str:
    """A whole number with commas; empty where it is not known."""
    return "" if value is None else f"{value:,.0f}"


def p_value(difference: Difference | None, role: str) -> str:
    """The p of a row's difference to the baseline: corrected for remedies, as it is for controls; empty if unknown."""
    if not difference:
        return ""
    p = difference["p"] if role == "control" else difference["p_holm"]
    return "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def plain(value: Any) -> str:
    """A value of a JSON file in words: lists and mappings by commas, null as nothing."""
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {plain(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(v) for v in value)
    return "" if value is None else str(value)
