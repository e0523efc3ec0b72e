"""The comparison of all arms: the rows of each test set, and everything that is said about them.

These are pure functions from what EVALUATE and TRAIN wrote to the content of comparison.json (virshort.verdict.schema).
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from virshort.errors import InputError
from virshort.inference.cluster_counts import ArmCounts, TestClusters
from virshort.inference.intervals import METRICS, arm_metrics, effective_by_label, resampled_rates
from virshort.verdict.advice import cost_of, recommend, scenario_of
from virshort.verdict.criteria import Criteria, judge
from virshort.verdict.differences import TwoArms, add_differences, contrast, shuffled_auroc
from virshort.verdict.findings import inputs_by_length, votes_in_words
from virshort.verdict.novelty import novelty_in_words
from virshort.verdict.pair_gains import pairs_in_words
from virshort.verdict.rows import is_length, row_of
from virshort.verdict.schema import (
    ArmNovelty,
    ArmRow,
    BestArm,
    Comparison,
    Contrast,
    LearningCurve,
    PairGain,
    ShuffledAuroc,
    TrainingSummary,
)
from virshort.verdict.training import pretrained_baseline
from virshort.verdict.trust import find_overfitting, summarize_controls, summarize_leakage, warn
from virshort.verdict.verdict import answer, give_verdict

DETAILS = (
    *("calibration", "thresholds", "curves", "groups", "worst_sources", "voting"),
    *("ensemble", "without_match", "pair_rules"),
)
"""The keys of metrics.json that are passed on as they are."""


@dataclass(frozen=True)
class Options:
    """How to compare."""

    seed: int = 42
    draws: int = 2000  # bootstrap resamples
    window_length: int = 150  # of the short windows, in bp; 0: not known, because ready features were given
    criteria: Criteria = field(default_factory=Criteria)

    @property
    def short_windows(self) -> str:
        """What the short windows are called in sentences, such as "150 bp"."""
        return f"{self.window_length} bp" if self.window_length else "the given"


@dataclass(frozen=True)
class Evaluation:
    """What EVALUATE found for one arm on one test set."""

    counts: ArmCounts
    metrics: Mapping[str, Any]  # metrics.json
    place: str  # where it was read, for errors


@dataclass
class SetComparison:
    """One test set: its rows, the differences between arms, and the AUROC of the shuffled control, if it was run."""

    rows: list[ArmRow]
    contrasts: list[Contrast]
    shuffled: ShuffledAuroc | None = None


def order_of_test_set(name: str) -> tuple[int, int, str]:
    """A key that sorts test sets: `short`, `full`, the length sweep from short to long, `mate`, `pair`, then any other."""
    if is_length(name):
        return 2, int(name[7:]), name
    return {"short": 0, "full": 1, "mate": 3, "pair": 4}.get(name, 5), 0, name


def compare_arms(
    test_set: str,
    test: TestClusters,
    evaluations: Mapping[str, Evaluation],
    roles: Mapping[str, str],
    contrasted: Sequence[TwoArms],
    options: Options,
) -> SetComparison:
    """Compare all arms on one test set that has windows. `evaluations`, `roles`: by arm; `contrasted`: some, two by two.

    Raises InputError if the metrics and the predictions of an arm disagree.
    """
    rng = np.random.default_rng(np.random.SeedSequence([options.seed, zlib.crc32(test_set.encode())]))
    counts = {name: e.counts for name, e in evaluations.items()}
    resampled = resampled_rates(test, list(counts.values()), options.draws, rng)
    rows: list[ArmRow] = []
    for (name, e), rates in zip(evaluations.items(), resampled, strict=True):
        rows.append(
            {
                "arm": name,
                "test_set": test_set,
                "role": roles[name],
                "replicates": len(e.counts.replicates),
                "windows": int(test.windows.sum()),
                "clusters": len(test.names),
                "clusters_with_both_labels": test.with_both_labels,
                "frame_rows": e.metrics.get("frame_rows"),
                "shares": {"viral": float(test.shares[1]), "nonviral": float(test.shares[0])},
                "effective_clusters": effective_by_label(test),
                **arm_metrics(test, e.counts, pooled_metrics(e, test), rates),
                "difference_to_baseline": None,
            }
        )
    add_differences(rows, test, counts, rng)
    shuffled = None
    if test_set == "short" and "shuffled_labels" in evaluations:
        control = evaluations["shuffled_labels"]
        shuffled = shuffled_auroc(test, control.counts, control.metrics)
    return SetComparison(rows, contrast(test, counts, contrasted, test_set), shuffled)


def pooled_metrics(e: Evaluation, test: TestClusters) -> list[Mapping[str, Any]]:
    """The metrics over all folds, one mapping per replicate in the order of the predictions.

    Raises InputError if they disagree with the predictions beside them.
    """
    by_replicate = {int(p["replicate"]): p for p in e.metrics["pooled"]}
    if sorted(by_replicate) != e.counts.replicates:
        raise InputError(
            f"{e.place}/metrics.json: has replicates {sorted(by_replicate)}, but the predictions have {e.counts.replicates}: "
            "run EVALUATE again"
        )
    ordered = [by_replicate[r] for r in e.counts.replicates]
    counted = e.counts.right(test).sum(axis=(1, 2)) / test.windows.sum()
    for p, accuracy in zip(ordered, counted, strict=True):
        if p.get("accuracy") is None or abs(p["accuracy"] - accuracy) > 1e-6:
            raise InputError(
                f"{e.place}/metrics.json: gives an accuracy of {p.get('accuracy')} for replicate {p['replicate']}, but the "
                f"predictions give {accuracy:.6f}: run EVALUATE again"
            )
    return ordered


def empty_row(arm: str, test_set: str, role: str) -> ArmRow:
    """The row of an arm on a test set without windows."""
    return {
        "arm": arm,
        "test_set": test_set,
        "role": role,
        "replicates": 0,
        "windows": 0,
        "clusters": 0,
        "clusters_with_both_labels": 0,
        "frame_rows": None,
        "shares": {"viral": None, "nonviral": None},
        "effective_clusters": {"viral": 0.0, "nonviral": 0.0},
        "metrics": {m: {"mean": None, "sd": None, "ci95": None} for m in METRICS},
        "precision_at_prevalence": [],
        "false_positive_rate": None,
        "confusion": None,
        "notes": ["The test set has no windows."],
        "difference_to_baseline": None,
    }


def conclude(
    results: Sequence[SetComparison],
    gains: list[PairGain],
    curve: LearningCurve | None,
    novelty: list[ArmNovelty],
    details: dict[str, dict[str, dict[str, Any]]],
    training: list[TrainingSummary],
    best: BestArm,
    twins: Sequence[tuple[str, str, str]],
    leakage: Mapping[str, Any] | None,
    notes: Sequence[str],
    parts: dict[str, str],
    options: Options,
) -> Comparison:
    """Everything that is said about the numbers, together with the numbers.

    `gains`: what the second mate of a fragment adds. `curve`: the learning curve over genomes, if there is one. `novelty`:
    rates of short windows that are equally new. `details`: what EVALUATE found beyond metrics, by arm and test set.
    `twins`: from virshort.arms.untranslated_twins. `leakage`: leakage.json, if there is one. `notes`: sentences from arms.json
    that belong among the warnings. `parts`: from virshort.verdict.parts.digest_parts.
    """
    rows = [row for result in results for row in result.rows]
    contrasts = [c for result in results for c in result.contrasts]
    shuffled = next((result.shuffled for result in results if result.shuffled), None)
    name = best["arm"]
    verdict = give_verdict(rows, name, options.short_windows)
    pretrained = pretrained_baseline(training)
    controls = summarize_controls(rows, name, shuffled, contrasts, twins)
    audit = summarize_leakage(leakage, training, pretrained)
    learned = {t["arm"]: t["training_accuracy"] for t in training}
    judged = [a for a in dict.fromkeys(["finetune", name]) if a and row_of(rows, a, "short")]
    return {
        "format": 1,
        "seed": options.seed,
        "draws": options.draws,
        "window_length": options.window_length,
        "parts": parts,
        "verdict": verdict,
        "answer": answer(verdict, rows, name, options.criteria.accuracy, pretrained),
        "pretrained": pretrained,
        "best_arm": best,
        "recommendation": recommend(rows, name),
        "criteria": {a: judge(row_of(rows, a, "short"), learned.get(a), options.criteria) for a in judged},
        "scenario": scenario_of(verdict, rows, name, training, contrasts, options.criteria),
        "overfitting": find_overfitting(rows, training),
        "cost": cost_of(rows, name),
        "controls": controls,
        "leakage": audit,
        "warnings": warn(rows, audit, controls, pretrained) + list(dict.fromkeys(notes)),
        "contrasts": contrasts,
        "by_length": inputs_by_length(contrasts),
        "votes": votes_in_words(details, rows, name),
        "novelty": {"rows": novelty, "sentence": novelty_in_words(novelty, name)},
        "pair_gains": gains,
        "pairs": pairs_in_words(gains, rows, name),
        "learning_curve": curve,
        "training": training,
        "arms": rows,
        "details": details,
    }
