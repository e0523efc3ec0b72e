"""Finding things in comparison.json: rows, details, and the arms that a table or plot shows."""

from collections.abc import Mapping
from typing import Any

from virshort.inference.intervals import MetricEstimate, PrecisionAtPrevalence
from virshort.verdict.rows import is_length
from virshort.verdict.schema import ArmRow, Comparison

Json = Mapping[str, Any]


def short_row(c: Comparison) -> ArmRow | None:
    """The first row on short windows, for what all arms share there: windows, clusters, replicates."""
    return next((r for r in c["arms"] if r["test_set"] == "short" and r["windows"]), None)


def remedies(c: Comparison) -> list[str]:
    """All arms but the controls, in the order of arms.json."""
    return list(dict.fromkeys(r["arm"] for r in c["arms"] if r["role"] != "control"))


def arms_of_interest(c: Comparison) -> list[str]:
    """The arms that a table with one column per arm has room for: the baseline, finetune, and the best on validation."""
    known = {r["arm"] for r in c["arms"]}
    return [a for a in dict.fromkeys(["baseline", "finetune", c["best_arm"]["arm"]]) if a in known]


def detail(c: Comparison, arm: str | None, test_set: str, name: str) -> Any:
    """What EVALUATE found for an arm on a test set besides the metrics (curves, groups, ...); None where it did not."""
    return c["details"].get(arm or "", {}).get(test_set, {}).get(name)


def by_length(c: Comparison, arm: str, metric: str) -> list[tuple[int, MetricEstimate]]:
    """An arm's metric at each length of the sweep, in ascending order of length."""
    rows = [r for r in c["arms"] if r["arm"] == arm and is_length(r["test_set"])]
    found = [(int(r["test_set"][7:]), r["metrics"][metric]) for r in rows if r["metrics"][metric]["mean"] is not None]
    return sorted(found, key=lambda pair: pair[0])


def precision_at(row: ArmRow | None, prevalence: float) -> PrecisionAtPrevalence | None:
    """The precision to expect where this share of the reads is viral."""
    return next((p for p in row["precision_at_prevalence"] if p["prevalence"] == prevalence), None) if row else None
