"""The fields of comparison.json.

Differences and their intervals are in percentage points; metrics and theirs are between 0 and 1; a value that is not known
is None. An interval is a list of its two ends, at a level of 95 % unless the field says otherwise.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

from virshort.inference.intervals import MetricEstimate, PrecisionAtPrevalence
from virshort.inference.novelty_rates import NoveltyRate

Interval = list[float]


class Difference(TypedDict):
    """How an arm differs from the baseline on one test set."""

    points: float
    ci95: Interval | None
    interval_at_level: Interval | None
    level: float  # corrected for the number of arms
    p: float | None  # None without an interval
    p_holm: float | None  # None for a control, too
    band: str
    certain: bool  # the whole interval at `level` lies in `band`
    auroc: float | None
    auroc_ci95: Interval | None


class ArmRow(TypedDict):
    """One arm on one test set."""

    arm: str
    test_set: str
    role: str
    replicates: int
    windows: int
    clusters: int
    clusters_with_both_labels: int
    frame_rows: Mapping[str, int] | None
    shares: dict[str, float | None]
    effective_clusters: dict[str, float]
    metrics: dict[str, MetricEstimate]
    precision_at_prevalence: list[PrecisionAtPrevalence]
    false_positive_rate: float | None
    confusion: dict[str, float] | None
    notes: list[str]
    difference_to_baseline: Difference | None


class Contrast(TypedDict):
    """Accuracy of `arm` minus that of `against`."""

    arm: str
    against: str
    test_set: str
    points: float
    ci95: Interval | None


class Gain(TypedDict):
    """The difference between two results on the same windows. points, ci95: of accuracy; auroc: None with one label."""

    points: float
    ci95: Interval | None
    auroc: float | None
    auroc_ci95: Interval | None


class PairGain(Gain):
    """Two mates of a fragment (test set `pair`) compared with one of them (`mate`), on the same fragments."""

    arm: str


class CurvePoint(TypedDict):
    """An arm that learned from so many training folds, tested on short windows.

    clusters: in these folds, viral, nonviral and all, as a mean over splits; training_windows: of its heads, likewise; gain:
    over the point before it, None for the first."""

    arm: str
    training_folds: int
    clusters: dict[str, float]
    training_windows: float | None
    accuracy: MetricEstimate
    auroc: MetricEstimate
    gain: Gain | None


class LearningCurve(TypedDict):
    """Whether more genomes would help. arm: the one that was asked for; points: its own, from few genomes to all, and then
    those of the arms that it begins with; sentence: what the last step brought."""

    arm: str
    points: list[CurvePoint]
    sentence: str


class ArmNovelty(NoveltyRate):
    """How often an arm calls the short windows of a group viral, of equally new windows of one label."""

    arm: str


class Novelty(TypedDict):
    """Results by how new windows are. sentence: of the best arm; None where no novelty is known."""

    rows: list[ArmNovelty]
    sentence: str | None


class Verdict(TypedDict):
    """`finetune` compared with `baseline` on short windows; all but the sentences is None where one of them is missing."""

    verdict: str | None  # the band of the estimate
    difference_points: float | None
    ci95: Interval | None
    certain: bool
    baseline_accuracy: float | None
    finetuned_accuracy: float | None
    best_arm: str | None
    bands: list[str]  # all that the interval at `level` reaches into
    level: float | None
    interval_at_level: Interval | None
    p: float | None
    effective_clusters: dict[str, float] | None
    viral_share: float | None
    balanced: bool | None  # False: one label is so frequent that bands in points of accuracy do not hold
    length: str
    headline: str
    reason: str


class Pretrained(TypedDict):
    """A baseline that was not trained in this run."""

    file: str
    form: str
    sha256: str
    metadata: Mapping[str, Any]
    sentence: str


class Candidate(TypedDict):
    arm: str
    validation_accuracy: float


class BestArm(TypedDict):
    arm: str | None
    chosen_by: str
    candidates: list[Candidate]


class TrainingSummary(TypedDict):
    """One arm's models: means over folds and replicates."""

    arm: str
    role: str
    windows: str | None  # the window set
    start: str | None
    combine: list[str]  # the arms that it combines
    pretrained: Mapping[str, Any] | None
    models: int
    training_accuracy: float | None  # at the epoch whose weights were kept
    last_training_accuracy: float | None
    selection: dict[str, float | None] | None
    best_epoch: float | None
    epochs_run: float | None
    training_windows: float | None
    validation_windows: float | None
    trained_parameters: float | None
    dropout: float | None


class Criterion(TypedDict):
    name: str
    target: str
    minimum: float
    value: float | None
    ci95: Interval | None
    met: bool | None  # None: the value is not known
    note: str


class Scenario(TypedDict):
    name: str  # confirmed, partial, rejected or undecided
    title: str
    certain: bool
    next_steps: list[str]


class Overfitting(TypedDict):
    arm: str
    training_accuracy: float
    test_accuracy: float
    balanced_accuracy: float
    chance: float
    remedies: list[str]
    sentence: str


class Cost(TypedDict):
    """What an arm gains or loses on full-length windows."""

    arm: str
    points: float
    ci95: Interval | None
    accuracy: float | None
    sentence: str


class GcControl(TypedDict):
    accuracy: float | None
    auroc: float | None
    sentence: str


class ShuffledAuroc(TypedDict):
    auroc: float | None
    ci95: Interval | None


class ShuffledControl(ShuffledAuroc):
    holds_chance: bool | None
    sentence: str


class UntranslatedControl(TypedDict):
    sentence: str


class Controls(TypedDict):
    gc: GcControl | None
    shuffled_labels: ShuffledControl | None
    untranslated: UntranslatedControl | None


class ArmLeakage(TypedDict):
    arm: str
    train_sets: list[str]
    share: float | None


class LeakageSummary(TypedDict):
    ok: bool | None
    limit: float | None
    worst: Mapping[str, Any] | None
    by_arm: list[ArmLeakage]
    sentence: str


class Comparison(TypedDict):
    """comparison.json as a whole."""

    format: int
    seed: int
    draws: int
    window_length: int  # 0: not known, because ready features were given
    parts: dict[str, str]  # digests of the files that this was computed from (virshort.verdict.parts)
    verdict: Verdict
    answer: str
    pretrained: Pretrained | None
    best_arm: BestArm
    recommendation: str
    criteria: dict[str, list[Criterion]]
    scenario: Scenario | None
    overfitting: list[Overfitting]
    cost: Cost | None
    controls: Controls
    leakage: LeakageSummary
    warnings: list[str]
    contrasts: list[Contrast]
    by_length: list[str]  # what an input adds at each length
    votes: str | None
    novelty: Novelty
    pair_gains: list[PairGain]  # none where the test set `pair` was not drawn
    pairs: str | None
    learning_curve: LearningCurve | None  # None where it was not asked for
    training: list[TrainingSummary]
    arms: list[ArmRow]
    details: dict[str, dict[str, dict[str, Any]]]  # arm: test set: what EVALUATE wrote beyond metrics
