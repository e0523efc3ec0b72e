"""comparison.tsv: one row per arm and test set, without nesting; an empty cell is not known."""

from typing import Any

from virshort.inference.intervals import METRICS
from virshort.verdict.schema import ArmRow, Comparison, Interval, PairGain

HEADER = [
    *("arm", "test_set", "role", "replicates", "windows", "clusters", "effective_viral", "effective_nonviral"),
    *(column for m in METRICS for column in (m, f"{m}_sd", f"{m}_low", f"{m}_high")),
    *("points", "points_low", "points_high", "p", "p_holm", "band", "certain", "precision_at_1_percent"),
    *("tp", "fp", "tn", "fn"),
    *("points_to_one_mate", "points_to_one_mate_low", "points_to_one_mate_high"),
]


def comparison_table(comparison: Comparison) -> list[list[str]]:
    """The header and the rows, as text."""
    gains = {("pair", g["arm"]): g for g in comparison["pair_gains"]}
    rows = comparison["arms"]
    return [HEADER, *([_cell(value) for value in _values(row, gains.get((row["test_set"], row["arm"])))] for row in rows)]


def _values(row: ArmRow, gain: PairGain | None) -> list[Any]:
    values = [row["arm"], row["test_set"], row["role"], row["replicates"], row["windows"], row["clusters"]]
    values += row["effective_clusters"].values()
    for m in METRICS:
        metric = row["metrics"][m]
        values += [metric["mean"], metric["sd"], *_ends(metric["ci95"])]
    d = row["difference_to_baseline"]
    values += [d["points"], *_ends(d["ci95"]), d["p"], d["p_holm"], d["band"], d["certain"]] if d else [None] * 7
    values.append(next((p["precision"] for p in row["precision_at_prevalence"] if p["prevalence"] == 0.01), None))
    confusion = row["confusion"] or {}
    values += [confusion.get(k) for k in ("tp", "fp", "tn", "fn")]
    return values + ([gain["points"], *_ends(gain["ci95"])] if gain else [None] * 3)


def _ends(interval: Interval | None) -> list[float] | list[None]:
    return interval or [None, None]


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
