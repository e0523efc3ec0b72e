"""From counts by cluster to metrics with intervals, one arm or a pair of arms at a time.

Accuracy, recall, AUROC and AUPRC, and the differences between arms: delete-one-cluster jackknife with t. Precision, F1,
MCC and precision at a prevalence: percentile bootstrap over clusters, the shares of the labels kept. The point values
are the means over replicates of metrics.json. Values that cannot be given are None, with a sentence that says why.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from virshort.inference import estimates as st
from virshort.inference.cluster_counts import ArmCounts, TestClusters

METRICS = ("accuracy", "precision", "recall", "f1", "mcc", "auroc", "auprc")
PREVALENCES = (0.5, 0.1, 0.01, 0.001)
Interval = tuple[float, float] | None


Rates = tuple[np.ndarray, np.ndarray]


def resampled_rates(groups: TestClusters, tallies: Sequence[ArmCounts], draws: int, rng: np.random.Generator) -> list[Rates]:
    """The cluster bootstrap of a test set, the same draws for all arms: true and false positive rates, [draws, S] each.

    Clusters are drawn within the label that most of their windows have.
    """
    weights = st.bootstrap_weights(groups.strata, groups.units, draws, rng)
    counts = [groups.windows, *(t.called.reshape(-1, len(groups.clusters)) for t in tallies)]
    drawn = st.exact_product(weights, _by_unit(groups, np.concatenate(counts)).T).astype(float)
    out, first = [], 2
    for t in tallies:
        called = drawn[:, first : first + 2 * len(t.replicates)].reshape(draws, -1, 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            out.append((called[..., 1] / drawn[:, 1:2], called[..., 0] / drawn[:, 0:1]))
        first += 2 * len(t.replicates)
    return out


def effective(groups: TestClusters) -> dict[str, float]:
    """Effective number of clusters by label, rounded to a tenth."""
    return {name: round(st.effective_clusters(groups.windows[y]), 1) for y, name in ((1, "viral"), (0, "nonviral"))}


def weakest(groups: TestClusters, labels: Sequence[int] = (0, 1)) -> float:
    """The smaller effective number of clusters among the labels that have windows; 0 without windows."""
    counts = [st.effective_clusters(groups.windows[y]) for y in labels if groups.windows[y].sum()]
    return min(counts, default=0.0)


def arm_metrics(
    groups: TestClusters, tally: ArmCounts, pooled: Sequence[Mapping[str, Any]], resampled: Rates
) -> dict[str, Any]:
    """Every metric of one arm on one test set: metrics, confusion, false_positive_rate, precision_at_prevalence, notes.

    `pooled`: a mapping a replicate, in the order of `tally.replicates`, metrics over all folds. `resampled`: of this arm.
    """
    values = {m: [None if p.get(m) is None else float(p[m]) for p in pooled] for m in METRICS}
    viral, nonviral = (bool(groups.windows[y].sum()) for y in (1, 0))
    both = viral and nonviral
    enough = weakest(groups) >= st.MINIMUM_EFFECTIVE
    estimates = {"accuracy": _ratio(groups, tally.right(groups), groups.shares)}
    if viral:
        estimates["recall"] = _ratio(groups, tally.right(groups), (0.0, 1.0))
    if both:
        estimates["auroc"] = _over_folds(groups, tally.placed.mean(axis=0))
    intervals: dict[str, Interval] = {}
    for name, estimate in estimates.items():
        sufficient = weakest(groups, (1,)) >= st.MINIMUM_EFFECTIVE if name == "recall" else enough
        whole = st.with_training_noise(estimate, values[name])
        # Where the clusters do not differ at all (every call right), the replicates alone are no measure of the error.
        intervals[name] = whole.interval(low=0.0, high=1.0) if sufficient and estimate.known else None
    tpr, fpr, prevalence = None, None, []
    if both:
        tpr, fpr = _rates(groups, tally)
        resampled_tpr, resampled_fpr = resampled
        clusters = int(min((groups.windows[y] > 0).sum() for y in (0, 1)))
        drawn = st.rates_to_metrics(resampled_tpr, resampled_fpr, float(groups.shares[1]))
        plain = st.rates_to_metrics(tpr, fpr, float(groups.shares[1]))
        for name in ("precision", "f1", "mcc"):
            low = -1.0 if name == "mcc" else 0.0
            intervals[name] = (
                st.percentile_interval(drawn[name].mean(axis=1), float(plain[name].mean()), plain[name], clusters, low)
                if enough
                else None
            )
        if enough and (precision := _mean(values["auprc"])) is not None:
            estimate = average_precision(groups, tally, precision)
            intervals["auprc"] = st.with_training_noise(estimate, values["auprc"]).interval(low=0.0, high=1.0)
        for share in PREVALENCES:
            at, spread = st.precision_at(tpr, fpr, share), st.precision_at(resampled_tpr, resampled_fpr, share)
            ci = st.percentile_interval(spread.mean(axis=1), float(at.mean()), at, clusters) if enough else None
            prevalence.append({"prevalence": share, "precision": float(at.mean()), "ci95": _pair(ci)})
    right = tally.right(groups).sum(axis=2).mean(axis=0)
    total = groups.windows.sum(axis=1)
    return {
        "metrics": {m: {"mean": _mean(values[m]), "sd": _sd(values[m]), "ci95": _pair(intervals.get(m))} for m in METRICS},
        "precision_at_prevalence": prevalence,
        "false_positive_rate": float(fpr.mean()) if fpr is not None else None,
        "confusion": {
            "tp": float(right[1]),
            "fn": float(total[1] - right[1]),
            "tn": float(right[0]),
            "fp": float(total[0] - right[0]),
        },
        "notes": _notes(groups, tally, estimates, enough),
    }


def accuracy_difference(groups: TestClusters, arm: ArmCounts, other: ArmCounts) -> st.Estimate:
    """Accuracy of `arm` less that of `other`, paired by window: variance over clusters and over replicates."""
    a, b = arm.right(groups), other.right(groups)
    sums = len(b) * a.sum(axis=0) - len(a) * b.sum(axis=0)
    estimate = st.jackknife(sums, groups.windows * (len(a) * len(b)), groups.shares)
    total = groups.windows.sum()
    return _pair_noise(estimate, arm, other, a.sum(axis=(1, 2)) / total, b.sum(axis=(1, 2)) / total)


def auroc_difference(groups: TestClusters, arm: ArmCounts, other: ArmCounts) -> st.Estimate | None:
    """AUROC of `arm` less that of `other`; None where a label has no windows."""
    if not (groups.windows.sum(axis=1) > 0).all():
        return None
    estimate = _over_folds(groups, arm.placed.mean(axis=0) - other.placed.mean(axis=0))
    each = [np.array([_over_folds(groups, placed).value for placed in t.placed]) for t in (arm, other)]
    return _pair_noise(estimate, arm, other, *each)


def cluster_differences(groups: TestClusters, arm: ArmCounts, other: ArmCounts) -> np.ndarray:
    """Right calls of `arm` less those of `other` by cluster, as whole numbers (times the replicates): int64 [G]."""
    a, b = arm.right(groups), other.right(groups)
    return len(b) * a.sum(axis=(0, 1)) - len(a) * b.sum(axis=(0, 1))


def auroc_with_model_noise(groups: TestClusters, tally: ArmCounts, models: Sequence[float]) -> st.Estimate:
    """AUROC whose training noise is that of replicates or of all single models (folds x replicates), the larger.

    For a control trained on permuted labels: each model had its own permutation, and a permutation can by luck resemble the
    truth or its opposite. So there are no more degrees of freedom than permutations less one: few of them, wide interval.
    A single one has none.
    """
    estimate = _over_folds(groups, tally.placed.mean(axis=0))
    each = [_over_folds(groups, placed).value for placed in tally.placed]
    noisy = max((st.with_training_noise(estimate, v) for v in (each, models)), key=lambda e: e.variance)
    return st.Estimate(noisy.value, noisy.variance, min(noisy.df, len(models) - 1))


def average_precision(groups: TestClusters, tally: ArmCounts, value: float) -> st.Estimate:
    """Average precision, mean over folds (by windows) and replicates, with its jackknife; `value` is that of metrics.json.

    The shares of the labels are those of each fold and are kept, as for the other metrics.
    """
    spread = _over_folds(groups, tally.pulled.mean(axis=0))
    return st.Estimate(value, spread.variance, spread.df)


def _ratio(groups: TestClusters, right: np.ndarray, shares: Sequence[float]) -> st.Estimate:
    return st.jackknife(right.sum(axis=0), groups.windows * len(right), shares)


def _over_folds(groups: TestClusters, placed: np.ndarray) -> st.Estimate:
    """AUROC, the mean over folds weighted by windows, from placement sums [2, G] (or their difference between arms).

    The mean placement of the positives and that of the negatives are the same number; deleting a cluster of either
    label gives that label's part of the variance. Folds with one label have no AUROC and are left out.
    """
    count = len(groups.folds)
    totals = np.stack([np.bincount(groups.fold, weights=groups.windows[y], minlength=count) for y in (0, 1)])
    defined = (totals > 0).all(axis=0)
    weight = np.where(defined, totals.sum(axis=0), 0.0)
    if not weight.sum():
        return st.Estimate(float("nan"), float("nan"), float("nan"))
    weight /= weight.sum()
    per_window = np.divide(weight, totals, out=np.zeros_like(totals), where=defined)[:, groups.fold]
    both = st.jackknife(placed * per_window, groups.windows * per_window, (1.0, 1.0))
    return st.Estimate(both.value / 2, both.variance, both.df)


def _pair_noise(e: st.Estimate, arm: ArmCounts, other: ArmCounts, a: np.ndarray, b: np.ndarray) -> st.Estimate:
    if not e.known:
        return e
    if arm.replicates == other.replicates:
        return st.with_training_noise(e, a - b)
    return st.with_training_noise(st.with_training_noise(e, a), b)


def _rates(groups: TestClusters, tally: ArmCounts) -> tuple[np.ndarray, np.ndarray]:
    called, total = tally.called.sum(axis=2), groups.windows.sum(axis=1)
    return called[:, 1] / total[1], called[:, 0] / total[0]


def _by_unit(groups: TestClusters, counts: np.ndarray) -> np.ndarray:
    """Sum counts [rows, G] by resampling unit: int64 [rows, units]."""
    if groups.units == counts.shape[1]:
        out = np.empty_like(counts)
        out[:, groups.unit] = counts
        return out
    return np.stack([np.bincount(groups.unit, row, groups.units) for row in counts]).astype(np.int64)


def _notes(groups: TestClusters, tally: ArmCounts, estimates: Mapping[str, st.Estimate], enough: bool) -> list[str]:
    notes = []
    missing = [name for y, name in ((1, "viral"), (0, "nonviral")) if not groups.windows[y].sum()]
    if missing:
        notes.append(
            f"The test set has no {missing[0]} windows: AUROC, AUPRC, MCC and precision at a prevalence have no meaning here."
        )
    if not enough:
        counts = " and ".join(f"{n:.1f} {label}" for label, n in effective(groups).items() if n)
        notes.append(f"No interval: it takes {st.MINIMUM_EFFECTIVE:.0f} effective clusters a label, here there are {counts}.")
    called = tally.called.sum(axis=(0, 2))
    total = groups.windows.sum(axis=1) * len(tally.replicates)
    if called.sum() in (0, total.sum()):
        notes.append(
            f"It calls every window {'viral' if called.sum() else 'nonviral'}: its accuracy is the share of that label."
        )
    elif called[1] == total[1] and called[0] == 0:
        notes.append("Every call is right, in every cluster: the clusters show no spread from which an interval could be made.")
    elif enough and not estimates["accuracy"].known:
        notes.append("Accuracy is the same in every cluster: there is no spread from which an interval could be made.")
    if len(tally.replicates) == 1:
        notes.append("A single replicate: the noise of training is not in the interval.")
    return notes


def _known(values: Sequence[float | None]) -> list[float]:
    return [v for v in values if v is not None and np.isfinite(v)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = _known(values)
    return float(np.mean(known)) if known else None


def _sd(values: Sequence[float | None]) -> float | None:
    known = _known(values)
    return float(np.std(known, ddof=1)) if len(known) > 1 else None


def _pair(interval: Interval) -> list[float] | None:
    return None if interval is None else [float(interval[0]), float(interval[1])]
