"""How arms differ on one test set: from the baseline, and from each other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from virshort.inference.cluster_counts import ArmCounts, TestClusters
from virshort.inference.estimates import MINIMUM_EFFECTIVE, holm
from virshort.inference.intervals import (
    accuracy_difference,
    auroc_difference,
    auroc_with_model_noise,
    cluster_differences,
    fewest_effective,
)
from virshort.inference.resampling import sign_flip_p
from virshort.verdict.schema import ArmRow, Contrast, Gain, Interval, ShuffledAuroc
from virshort.verdict.verdict import band, bands_touched

TwoArms = tuple[str, str]
"""An arm, and the arm whose accuracy is subtracted."""


def add_differences(
    rows: Sequence[ArmRow], test: TestClusters, counts: Mapping[str, ArmCounts], rng: np.random.Generator
) -> None:
    """Fill in `difference_to_baseline` of the rows of one test set, if the baseline is among them.

    The p value is the larger of that of the sign-flip test over clusters and that of the t test that belongs to the interval.
    Where the clusters are too few for an interval there is none, because the t test needs as many.
    Holm's correction and the level of the verdict's interval count the arms that are not controls.
    """
    others = [r for r in rows if r["arm"] != "baseline"]
    if "baseline" not in counts or not others:
        return
    base = counts["baseline"]
    family = [r for r in others if r["role"] != "control"]
    level = 1 - 0.05 / max(1, len(family))
    flips = sign_flip_p(np.stack([cluster_differences(test, counts[r["arm"]], base) for r in others]), rng)
    enough = fewest_effective(test) >= MINIMUM_EFFECTIVE
    p_values: dict[str, float] = {}
    for row, flip in zip(others, flips, strict=True):
        estimate = accuracy_difference(test, counts[row["arm"]], base)
        auroc = auroc_difference(test, counts[row["arm"]], base)
        ci, wide = (estimate.interval(at) if enough else None for at in (0.95, level))
        points, at_level = 100 * estimate.value, _in_points(wide)
        auroc_ci = auroc.interval() if auroc and enough else None
        # The sign flips know the clusters only, the t test the noise of training as well: the larger p holds for both.
        if ci:
            p_values[row["arm"]] = float(max(flip, estimate.p_value() or 0.0))
        row["difference_to_baseline"] = {
            "points": points,
            "ci95": _in_points(ci),
            "interval_at_level": at_level,
            "level": level,
            "p": p_values.get(row["arm"]),
            "p_holm": None,
            "band": band(points),
            "certain": at_level is not None and bands_touched(*at_level) == [band(points)],
            "auroc": auroc.value if auroc and np.isfinite(auroc.value) else None,
            "auroc_ci95": list(auroc_ci) if auroc_ci else None,
        }
    tested = [r for r in family if r["arm"] in p_values]
    for row, p in zip(tested, holm([p_values[r["arm"]] for r in tested]), strict=True):
        if row["difference_to_baseline"]:
            row["difference_to_baseline"]["p_holm"] = p


def arms_to_contrast(best: str | None, test_set: str, combined: Mapping[str, Sequence[str]]) -> list[TwoArms]:
    """The arms to compare with an arm other than the baseline.

    What a modality contributes is measured by arms that differ in nothing else: that of the protein and of the length at every
    length, the others on `short`. An arm that combines others is compared with each of them; combined: these arms, by the name
    of the combination.
    """
    chosen: list[TwoArms] = [("both", "dna_only"), ("length_aware", "multilength")]
    if test_set == "short":
        chosen.append(("both", "protein_only"))
        chosen += [(best, "kmer")] if best else []
        chosen += [("scratch", "finetune"), ("codon", "scratch")]
        chosen += [(best, "gc")] if best else []
        chosen += [(arm, part) for arm, parts in combined.items() for part in parts if (arm, part) not in chosen]
    return chosen


def contrast(
    test: TestClusters, counts: Mapping[str, ArmCounts], contrasted: Sequence[TwoArms], test_set: str
) -> list[Contrast]:
    """The difference in accuracy between two arms, where both were run."""
    enough = fewest_effective(test) >= MINIMUM_EFFECTIVE
    found: list[Contrast] = []
    for arm, against in contrasted:
        if arm in counts and against in counts and arm != against:
            estimate = accuracy_difference(test, counts[arm], counts[against])
            ci = _in_points(estimate.interval()) if enough else None
            found.append({"arm": arm, "against": against, "test_set": test_set, "points": 100 * estimate.value, "ci95": ci})
    return found


def gain(test: TestClusters, more: ArmCounts, less: ArmCounts) -> Gain:
    """Accuracy and AUROC of one result minus those of another, paired by window, with intervals over clusters."""
    accuracy, auroc = accuracy_difference(test, more, less), auroc_difference(test, more, less)
    enough = fewest_effective(test) >= MINIMUM_EFFECTIVE
    auroc_ci = auroc.interval() if auroc and enough else None
    return {
        "points": 100 * accuracy.value,
        "ci95": _in_points(accuracy.interval() if enough else None),
        "auroc": auroc.value if auroc and np.isfinite(auroc.value) else None,
        "auroc_ci95": list(auroc_ci) if auroc_ci else None,
    }


def shuffled_auroc(test: TestClusters, counts: ArmCounts, metrics: Mapping[str, Any]) -> ShuffledAuroc:
    """AUROC of the control with shuffled labels, in an interval with the noise of all its models. `metrics`: metrics.json."""
    models = [r["auroc"] for r in metrics.get("rows", []) if r.get("auroc") is not None]
    estimate = auroc_with_model_noise(test, counts, models)
    ci = estimate.interval(low=0.0, high=1.0) if fewest_effective(test) >= MINIMUM_EFFECTIVE else None
    return {"auroc": estimate.value if np.isfinite(estimate.value) else None, "ci95": list(ci) if ci else None}


def _in_points(interval: tuple[float, float] | None) -> Interval | None:
    return None if interval is None else [100 * interval[0], 100 * interval[1]]
