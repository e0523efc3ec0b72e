"""Finding things in comparison.json: rows, details, and the arms that a table or plot shows."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def find_row(c: Json, arm: str | None, test_set: str) -> Json | None:
    """The row of an arm on a test set, if it was evaluated there on any window."""
    return next((r for r in c["arms"] if r["arm"] == arm and r["test_set"] == test_set and r["windows"]), None)


def short_row(c: Json) -> Json | None:
    """The first row on short windows, for what all arms share there: windows, clusters, replicates."""
    return next((r for r in c["arms"] if r["test_set"] == "short" and r["windows"]), None)


def remedies(c: Json) -> list[str]:
    """All arms but the controls, in the order of arms.json."""
    return list(dict.fromkeys(r["arm"] for r in c["arms"] if r["role"] != "control"))


def arms_of_interest(c: Json) -> list[str]:
    """The arms that a table with one column per arm has room for: the baseline, finetune, and the best on validation."""
    known = {r["arm"] for r in c["arms"]}
    return [a for a in dict.fromkeys(["baseline", "finetune", c["best_arm"]["arm"]]) if a in known]


def detail(c: Json, arm: str | None, test_set: str, name: str) -> Any:
    """What EVALUATE found for an arm on a test set besides the metrics (curves, groups, ...); None where it did not."""
    return c.get("details", {}).get(arm, {}).get(test_set, {}).get(name)


def by_length(c: Json, arm: str, metric: str) -> list[tuple[int, Json]]:
    """An arm's metric {mean, ci95} at each length of the sweep, in ascending order."""
    rows = [r for r in c["arms"] if r["arm"] == arm and r["test_set"].startswith("length_") and r["test_set"][7:].isdigit()]
    found = [(int(r["test_set"][7:]), r["metrics"][metric]) for r in rows if r["metrics"][metric]["mean"] is not None]
    return sorted(found, key=lambda pair: pair[0])


def precision_at(row: Json | None, prevalence: float) -> Json | None:
    """The precision {prevalence, precision, ci95} expected where this share of the reads is viral."""
    return next((p for p in row["precision_at_prevalence"] if p["prevalence"] == prevalence), None) if row else None
