"""From counts by cluster to metrics with intervals, for one arm or for a pair of arms.

Accuracy, recall, AUROC, AUPRC and the differences between arms: delete-one-cluster jackknife with a t interval. Precision,
F1, MCC and precision at a prevalence: percentile bootstrap over clusters at fixed shares of the labels. The values
themselves are the means over replicates that metrics.json holds. A value that cannot be given is None, and a sentence says
why.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from virshort.inference.cluster_counts import ArmCounts, TestClusters
from virshort.inference.estimates import (
    MINIMUM_EFFECTIVE,
    Estimate,
    effective_clusters,
    jackknife,
    precision_at,
    rates_to_metrics,
    with_training_noise,
)
from virshort.inference.resampling import bootstrap_weights, exact_product, percentile_interval
from virshort.labels import LABELS

METRICS = ("accuracy", "precision", "recall", "f1", "mcc", "auroc", "auprc")
PREVALENCES = (0.5, 0.1, 0.01, 0.001)
ONE_SIDED = "It calls every window"
"""How the note begins on an arm that gives all windows of a test set the same label."""
Rates = tuple[np.ndarray, np.ndarray]
"""True and false positive rates, float64 [draws, S] each."""


class MetricEstimate(TypedDict):
    """A metric: its mean and standard deviation over replicates, and the 95 % interval of the mean."""

    mean: float | None
    sd: float | None
    ci95: list[float] | None


class PrecisionAtPrevalence(TypedDict):
    """The precision to expect where a share `prevalence` of the windows is viral."""

    prevalence: float
    precision: float
    ci95: list[float] | None


class ArmMetrics(TypedDict):
    """All metrics of one arm on one test set; `confusion` counts windows, as means over replicates."""

    metrics: dict[str, MetricEstimate]
    precision_at_prevalence: list[PrecisionAtPrevalence]
    false_positive_rate: float | None
    confusion: dict[str, float]
    notes: list[str]


def resampled_rates(test: TestClusters, arms: Sequence[ArmCounts], draws: int, rng: np.random.Generator) -> list[Rates]:
    """The cluster bootstrap of a test set, with the same draws for all arms: their true and false positive rates.

    Clusters are drawn among those that have the same label for most of their windows.
    """
    weights = bootstrap_weights(test.strata, test.units, draws, rng)
    counts = [test.windows, *(arm.called.reshape(-1, len(test.names)) for arm in arms)]
    drawn = exact_product(weights, _by_unit(test, np.concatenate(counts)).T).astype(float)
    out, first = [], 2
    for arm in arms:
        called = drawn[:, first : first + 2 * len(arm.replicates)].reshape(draws, -1, 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            out.append((called[..., 1] / drawn[:, 1:2], called[..., 0] / drawn[:, 0:1]))
        first += 2 * len(arm.replicates)
    return out


def effective_by_label(test: TestClusters) -> dict[str, float]:
    """The effective number of clusters of each label, rounded to a tenth."""
    return {LABELS[y]: round(effective_clusters(test.windows[y]), 1) for y in (1, 0)}


def fewest_effective(test: TestClusters, labels: Sequence[int] = (0, 1)) -> float:
    """The smaller effective number of clusters among the labels that have windows; 0 without windows."""
    counts = [effective_clusters(test.windows[y]) for y in labels if test.windows[y].sum()]
    return min(counts, default=0.0)


def arm_metrics(test: TestClusters, arm: ArmCounts, pooled: Sequence[Mapping[str, Any]], resampled: Rates) -> ArmMetrics:
    """Every metric of one arm on one test set, with its interval.

    `pooled`: one mapping per replicate, in the order of `arm.replicates`, of metrics over all folds. `resampled`: the rates of
    this arm from `resampled_rates`.
    """
    values = {m: [None if p.get(m) is None else float(p[m]) for p in pooled] for m in METRICS}
    viral, nonviral = (bool(test.windows[y].sum()) for y in (1, 0))
    both = viral and nonviral
    enough = fewest_effective(test) >= MINIMUM_EFFECTIVE
    estimates = {"accuracy": _ratio(test, arm.right(test), test.shares)}
    if viral:
        estimates["recall"] = _ratio(test, arm.right(test), (0.0, 1.0))
    if both:
        estimates["auroc"] = _over_folds(test, arm.placed.mean(axis=0))
    intervals: dict[str, tuple[float, float] | None] = {}
    for name, estimate in estimates.items():
        sufficient = fewest_effective(test, (1,)) >= MINIMUM_EFFECTIVE if name == "recall" else enough
        whole = with_training_noise(estimate, values[name])
        # Where clusters do not differ at all (every call correct), the replicates alone are no measure of the error.
        intervals[name] = whole.interval(low=0.0, high=1.0) if sufficient and estimate.known else None
    fpr, prevalence = None, list[PrecisionAtPrevalence]()
    if both:
        tpr, fpr = _rates(test, arm)
        resampled_tpr, resampled_fpr = resampled
        clusters = int(min((test.windows[y] > 0).sum() for y in (0, 1)))
        drawn = rates_to_metrics(resampled_tpr, resampled_fpr, float(test.shares[1]))
        observed = rates_to_metrics(tpr, fpr, float(test.shares[1]))
        for name in ("precision", "f1", "mcc"):
            low = -1.0 if name == "mcc" else 0.0
            intervals[name] = (
                percentile_interval(drawn[name].mean(axis=1), float(observed[name].mean()), observed[name], clusters, low)
                if enough
                else None
            )
        if enough and (precision := _mean(values["auprc"])) is not None:
            estimate = average_precision(test, arm, precision)
            intervals["auprc"] = with_training_noise(estimate, values["auprc"]).interval(low=0.0, high=1.0)
        for share in PREVALENCES:
            at, spread = precision_at(tpr, fpr, share), precision_at(resampled_tpr, resampled_fpr, share)
            ci = percentile_interval(spread.mean(axis=1), float(at.mean()), at, clusters) if enough else None
            prevalence.append({"prevalence": share, "precision": float(at.mean()), "ci95": _as_list(ci)})
    right = arm.right(test).sum(axis=2).mean(axis=0)
    total = test.windows.sum(axis=1)
    return {
        "metrics": {m: {"mean": _mean(values[m]), "sd": _sd(values[m]), "ci95": _as_list(intervals.get(m))} for m in METRICS},
        "precision_at_prevalence": prevalence,
        "false_positive_rate": float(fpr.mean()) if fpr is not None else None,
        "confusion": {
            "tp": float(right[1]),
            "fn": float(total[1] - right[1]),
            "tn": float(right[0]),
            "fp": float(total[0] - right[0]),
        },
        "notes": _notes(test, arm, estimates, enough),
    }


def accuracy_difference(test: TestClusters, arm: ArmCounts, other: ArmCounts) -> Estimate:
    """Accuracy of `arm` minus that of `other`, paired by window, with the variance over clusters and over replicates."""
    a, b = arm.right(test), other.right(test)
    sums = len(b) * a.sum(axis=0) - len(a) * b.sum(axis=0)
    estimate = jackknife(sums, test.windows * (len(a) * len(b)), test.shares)
    total = test.windows.sum()
    return _with_noise_of_both(estimate, arm, other, a.sum(axis=(1, 2)) / total, b.sum(axis=(1, 2)) / total)


def auroc_difference(test: TestClusters, arm: ArmCounts, other: ArmCounts) -> Estimate | None:
    """AUROC of `arm` minus that of `other`; None if a label has no windows."""
    if not (test.windows.sum(axis=1) > 0).all():
        return None
    estimate = _over_folds(test, arm.placed.mean(axis=0) - other.placed.mean(axis=0))
    a, b = (np.array([_over_folds(test, placed).value for placed in counts.placed]) for counts in (arm, other))
    return _with_noise_of_both(estimate, arm, other, a, b)


def cluster_differences(test: TestClusters, arm: ArmCounts, other: ArmCounts) -> np.ndarray:
    """Correct calls of `arm` minus those of `other` by cluster, times the numbers of replicates so that they are whole.

    Returns int64 [G].
    """
    a, b = arm.right(test), other.right(test)
    return len(b) * a.sum(axis=(0, 1)) - len(a) * b.sum(axis=(0, 1))


def auroc_with_model_noise(test: TestClusters, arm: ArmCounts, models: Sequence[float]) -> Estimate:
    """AUROC with the noise of training between replicates or between single models (folds x replicates), if that is larger.

    For a control trained on permuted labels. Each model had its own permutation, and a permutation can by chance resemble the
    truth or its opposite. So there are no more degrees of freedom than permutations minus one: with few of them the interval
    is wide, and with a single one there is none.
    """
    estimate = _over_folds(test, arm.placed.mean(axis=0))
    replicates = [_over_folds(test, placed).value for placed in arm.placed]
    noisy = max((with_training_noise(estimate, v) for v in (replicates, models)), key=lambda e: e.variance)
    return Estimate(noisy.value, noisy.variance, min(noisy.df, len(models) - 1))


def average_precision(test: TestClusters, arm: ArmCounts, value: float) -> Estimate:
    """Average precision, a mean over folds (weighted by windows) and replicates, with its jackknife variance.

    `value`: as metrics.json has it. The shares of the labels are those of each fold and stay fixed, as for other metrics.
    """
    spread = _over_folds(test, arm.pulled.mean(axis=0))
    return Estimate(value, spread.variance, spread.df)


def _ratio(test: TestClusters, right: np.ndarray, shares: Sequence[float] | np.ndarray) -> Estimate:
    return jackknife(right.sum(axis=0), test.windows * len(right), shares)


def _over_folds(test: TestClusters, placed: np.ndarray) -> Estimate:
    """AUROC as the mean over folds weighted by windows, from sums of placement values [2, G] (or differences of them).

    The mean placement value of the positives and that of the negatives are the same number; deleting a cluster of either
    label gives that label's part of the variance. Folds with a single label have no AUROC and are left out.
    """
    count = len(test.folds)
    totals = np.stack([np.bincount(test.fold, weights=test.windows[y], minlength=count) for y in (0, 1)])
    defined = (totals > 0).all(axis=0)
    weight = np.where(defined, totals.sum(axis=0), 0.0)
    if not weight.sum():
        return Estimate(float("nan"), float("nan"), float("nan"))
    weight /= weight.sum()
    per_window = np.divide(weight, totals, out=np.zeros_like(totals), where=defined)[:, test.fold]
    both = jackknife(placed * per_window, test.windows * per_window, (1.0, 1.0))
    return Estimate(both.value / 2, both.variance, both.df)


def _with_noise_of_both(e: Estimate, arm: ArmCounts, other: ArmCounts, a: np.ndarray, b: np.ndarray) -> Estimate:
    """Add the noise of training of two arms: of their paired differences where they have the same replicates."""
    if not e.known:
        return e
    if arm.replicates == other.replicates:
        return with_training_noise(e, a - b)
    return with_training_noise(with_training_noise(e, a), b)


def _rates(test: TestClusters, arm: ArmCounts) -> Rates:
    called, total = arm.called.sum(axis=2), test.windows.sum(axis=1)
    return called[:, 1] / total[1], called[:, 0] / total[0]


def _by_unit(test: TestClusters, counts: np.ndarray) -> np.ndarray:
    """Sum counts [rows, G] by resampling unit: int64 [rows, units]."""
    if test.units == counts.shape[1]:
        out = np.empty_like(counts)
        out[:, test.unit] = counts
        return out
    return np.stack([np.bincount(test.unit, row, test.units) for row in counts]).astype(np.int64)


def _notes(test: TestClusters, arm: ArmCounts, estimates: Mapping[str, Estimate], enough: bool) -> list[str]:
    """Sentences that say which values are missing, and why."""
    notes = []
    missing = [LABELS[y] for y in (1, 0) if not test.windows[y].sum()]
    if missing:
        notes.append(
            f"The test set has no {missing[0]} windows, so AUROC, AUPRC, MCC and precision at a prevalence are not defined."
        )
    if not enough:
        counts = " and ".join(f"{n:.1f} {label}" for label, n in effective_by_label(test).items() if n)
        notes.append(
            f"No interval is given: it takes at least {MINIMUM_EFFECTIVE:.0f} effective clusters of each label, and this test "
            f"set has {counts}."
        )
    called = arm.called.sum(axis=(0, 2))
    total = test.windows.sum(axis=1) * len(arm.replicates)
    if called.sum() in (0, total.sum()):
        label = LABELS[1] if called.sum() else LABELS[0]
        notes.append(f"{ONE_SIDED} {label}, so its accuracy is the share of that label.")
    elif called[1] == total[1] and called[0] == 0:
        notes.append("Every call is correct in every cluster, so there is no spread from which to compute an interval.")
    elif enough and not estimates["accuracy"].known:
        notes.append("Accuracy is the same in every cluster, so there is no spread from which to compute an interval.")
    if len(arm.replicates) == 1:
        notes.append("There is a single replicate, so the interval does not include the noise of training.")
    return notes


def _known(values: Sequence[float | None]) -> list[float]:
    return [v for v in values if v is not None and np.isfinite(v)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = _known(values)
    return float(np.mean(known)) if known else None


def _sd(values: Sequence[float | None]) -> float | None:
    known = _known(values)
    return float(np.std(known, ddof=1)) if len(known) > 1 else None


def _as_list(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [float(interval[0]), float(interval[1])]
