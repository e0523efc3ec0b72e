"""compare.py on synthetic results, single rows of a comparison, and the degenerate cases that its readers must survive."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import compare
from synthetic_results import Arm, write_results
from virshort.inference.intervals import METRICS
from virshort.verdict.schema import ArmRow, Contrast
from virshort.verdict.verdict import band, bands_touched


def compared(folder: Path, *options: object) -> dict[str, Any]:
    """Run compare.py on a results folder. Returns comparison.json, in which nothing may be NaN."""
    out = folder / "comparison.json"
    before = sys.argv
    sys.argv = ["compare.py", str(folder), "--out", str(out), "--tsv", str(folder / "comparison.tsv"), "--draws", "200"]
    sys.argv += ["--novelty-tsv", str(folder / "novelty.tsv")]
    sys.argv += [str(o) for o in options]
    try:
        compare.main()
    finally:
        sys.argv = before
    return json.loads(out.read_text(), parse_constant=lambda name: pytest.fail(f"{name} in comparison.json"))


def plain(*names: str, **options: Any) -> list[Arm]:
    """Arms with these names, all with the same options."""
    return [Arm(n, role="baseline" if n == "baseline" else "remedy", **options) for n in names]


DEGENERATE: dict[str, tuple[dict[str, Any], str]] = {
    "one cluster per label": ({"clusters": 2, "folds": 1}, "effective clusters"),
    "few clusters": ({"clusters": 12}, "effective clusters"),
    "one viral cluster": ({"clusters": 40, "viral_clusters": 1}, "effective clusters"),
    "no viral windows": ({"clusters": 60, "viral_clusters": 0}, "no viral windows"),
    "no nonviral windows": ({"clusters": 60, "viral_clusters": 60}, "no nonviral windows"),
    "perfect": ({"arms": [*plain("baseline"), *plain("finetune", perfect=True)]}, "Every call is correct"),
    "both perfect": ({"arms": plain("baseline", "finetune", perfect=True)}, "Every call is correct"),
    "one class": ({"arms": [*plain("baseline"), *plain("finetune", constant=3.0)]}, "It calls every window viral"),
    "single replicate": ({"replicates": 1}, "a single replicate"),
    "no windows": ({"sets": {"short": 0, "full": 500}}, "The test set has no windows"),
    "only controls": ({"arms": [Arm("gc", role="control"), Arm("shuffled_labels", 0.5, role="control")]}, ""),
    "no baseline": ({"arms": plain("finetune", "scratch")}, ""),
    "no finetune": ({"arms": plain("baseline", "scratch")}, ""),
    "no validation": ({"arms": plain("baseline", "finetune", selection=None)}, ""),
    "given baseline": ({"arms": [*plain("baseline", replicates=1), *plain("finetune")]}, "a single replicate"),
    "windows of mixed clusters": ({"clusters": 60, "mixed": 60}, ""),
    "mostly nonviral windows": ({"viral_share": 0.05}, ""),
    "one fold": ({"folds": 1}, ""),
}
"""Options of `write_results` by case, and what a note of some arm then says."""


def write_degenerate(folder: Path, case: str) -> dict[str, Any]:
    """Write the results of a degenerate case into a folder and compare them. Returns comparison.json."""
    options: dict[str, Any] = {"arms": plain("baseline", "finetune"), "sets": {"short": 900}, "folds": 2, "replicates": 2}
    write_results(folder, **options | DEGENERATE[case][0])
    return compared(folder)


def arm_row(
    arm: str,
    accuracy: float = 0.7,
    points: float | None = None,
    interval: tuple[float, float] | None = None,
    test_set: str = "short",
    viral: float = 0.5,
    effective: float = 100.0,
    rates: tuple[float, float] = (0.7, 0.3),
    with_interval: bool = True,
) -> ArmRow:
    """A row of comparison.json. `points`, `interval`: its difference to the baseline; `rates`: of true and false positives."""
    values = dict.fromkeys(METRICS, accuracy) | {"recall": rates[0]}
    return {
        "arm": arm,
        "test_set": test_set,
        "role": "baseline" if arm == "baseline" else "control" if arm in ("gc", "shuffled_labels") else "remedy",
        "replicates": 3,
        "windows": 1000,
        "clusters": 200,
        "clusters_with_both_labels": 0,
        "frame_rows": None,
        "shares": {"viral": viral, "nonviral": 1 - viral},
        "effective_clusters": {"viral": effective, "nonviral": effective},
        "metrics": {
            m: {"mean": v, "sd": 0.01, "ci95": [v - 0.05, v + 0.05] if with_interval else None} for m, v in values.items()
        },
        "precision_at_prevalence": [],
        "false_positive_rate": rates[1],
        "confusion": None,
        "notes": [],
        "difference_to_baseline": None
        if points is None
        else {
            "points": points,
            "ci95": list(interval) if interval else None,
            "interval_at_level": list(interval) if interval else None,
            "level": 0.99,
            "p": 0.01,
            "p_holm": 0.01,
            "band": band(points),
            "certain": interval is not None and bands_touched(*interval) == [band(points)],
            "auroc": 0.05,
            "auroc_ci95": [0.01, 0.09] if interval else None,
        },
    }


def between(arm: str, against: str, points: float, interval: tuple[float, float] | None, test_set: str = "short") -> Contrast:
    """A contrast of comparison.json."""
    ci = list(interval) if interval else None
    return {"arm": arm, "against": against, "test_set": test_set, "points": points, "ci95": ci}
