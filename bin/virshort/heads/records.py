"""The records of an arm: model.json and history.json of each head, and metrics.json of each test set.

A value that is not known is None. A share comes with a 95 % interval that counts clusters, wherever there are enough of them.
"""

from typing import Any, NotRequired, TypedDict

from virshort.modalities import EncoderRecord

Interval = list[float]
Lengths = list[int | None]
"""A bin of window lengths in bp, [low, high); the last bin has no upper end."""


# The metrics of a set of windows


class EpochMetrics(TypedDict):
    """Mean cross-entropy, and accuracy and F1 at log-odds 0."""

    loss: float
    accuracy: float
    f1: float


class CallMetrics(TypedDict):
    """Metrics of calls at a threshold and the confusion matrix; None where a metric is 0 / 0."""

    accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    mcc: float | None
    tp: int
    fp: int
    tn: int
    fn: int


class ValidationMetrics(CallMetrics):
    """Metrics of calls on validation windows, with the mean cross-entropy."""

    loss: float


class RankMetrics(TypedDict):
    """AUROC and average precision of scores; None with one label."""

    auroc: float | None
    auprc: float | None


# models/<arm>/fold_<f>/replicate_<r>/


class Epoch(TypedDict):
    """One entry of history.json."""

    epoch: int
    train: EpochMetrics
    validation: EpochMetrics


class Calibration(TypedDict):
    """How to read log-odds of windows of some lengths (None: of all lengths).

    sigmoid(odds / temperature + bias) is the probability of viral. thresholds: the log-odds from which a window is called
    viral, by name (virshort.heads.calibration.THRESHOLDS); None where validation has too few nonviral windows for a rate."""

    lengths: Lengths | None
    windows: int
    temperature: float
    bias: float
    thresholds: dict[str, float | None]


class Origin(TypedDict):
    """Where a pretrained head comes from. form: virshort, or which kind of VirNucPro's files; metadata: what the file says."""

    file: str
    sha256: str
    form: str
    metadata: dict[str, Any]


class Architecture(TypedDict):
    inputs: int
    hidden: int
    classes: int
    dropout: float


class Provenance(TypedDict):
    virshort: str
    seed: int
    torch: str


class StartModel(TypedDict):
    """What training reads of the model.json that an arm starts from; all there is for a pretrained head.

    encoders: None where they are not known; pretrained: None for a head that was trained here."""

    threshold: float
    encoders: list[EncoderRecord] | None
    pretrained: Origin | None


class Model(StartModel):
    """model.json.

    threshold: on the score, chosen on validation; training: metrics of the best epoch; validation: metrics on the arm's own
    validation windows; selection: metrics on those of `short`, by which arms are compared. A pretrained head that is kept as
    it is has no best epoch and no metrics of training and validation."""

    arm: str
    fold: int
    replicate: int
    architecture: Architecture
    modalities: list[str]
    calibration: list[Calibration]
    start: str
    frozen: bool
    labels: str
    window_set: str | None
    hyperparameters: dict[str, int | float]
    best_epoch: int | None
    epochs_run: int
    trained_parameters: int
    training_windows: int
    validation_windows: int
    frame_rows: dict[str, int] | None
    training: EpochMetrics | None
    validation: ValidationMetrics | None
    selection: ValidationMetrics
    provenance: Provenance


# evaluation/<arm>/<test set>/metrics.json


class FoldMetrics(CallMetrics, RankMetrics):
    fold: int
    replicate: int
    windows: int


class PooledMetrics(CallMetrics, RankMetrics):
    """Metrics of one replicate over all folds."""

    replicate: int
    windows: int


class FoldAndPooledMetrics(TypedDict):
    rows: list[FoldMetrics]
    pooled: list[PooledMetrics]


class Share(TypedDict):
    """A share of windows. effective: how many clusters of equal size would carry the same evidence."""

    share: float
    ci95: Interval | None
    windows: int
    clusters: int
    effective: float


class Reliability(TypedDict):
    """How well scores are probabilities. ece: the expected calibration error, and what it would be for perfect scores;
    curve: [[mean probability, share of viral windows, windows]]."""

    brier: float
    log_loss: float
    ece: float
    ece_if_perfect: float
    curve: NotRequired[list[tuple[float, float, int]]]


class Calibrated(TypedDict):
    """Reliability before and after temperature scaling."""

    before: Reliability
    after: Reliability


class ExpectedPrecision(TypedDict):
    prevalence: float
    precision: float | None


class ThresholdRates(TypedDict):
    """What a threshold from validation reaches on test windows of some lengths.

    own: whether every head has a threshold of its own for these lengths, and not only that of all lengths."""

    lengths: Lengths
    threshold: str
    windows: int
    own: bool
    true_positive_rate: Share | None
    false_positive_rate: Share | None
    precision_at_prevalence: list[ExpectedPrecision]


class Curves(TypedDict):
    """roc: [[false positive rate, true positive rate]]; precision_recall: [[recall, precision]]."""

    roc: list[list[float]]
    precision_recall: list[list[float]]


class GroupErrors(TypedDict):
    """Windows of one group and label. wrong: the share of them that is called wrongly."""

    group: str
    label: str
    wrong: float
    ci95: Interval | None
    windows: int
    clusters: int
    effective: float


class WorstSource(TypedDict):
    """A source with many wrong calls. wrong: the share of its windows, mean over replicates."""

    source: str
    windows: int
    wrong: float
    cluster: str
    label: str
    kingdom: NotRequired[str]
    family: NotRequired[str]


class Vote(TypedDict):
    """Accuracy where so many windows of a source vote."""

    windows: int
    accuracy: float
    ci95: Interval | None


class Voting(TypedDict):
    sources: int
    clusters: int
    effective: float
    votes: list[Vote]


class Description(TypedDict):
    """What metrics.json holds besides metrics.

    Curves, groups and worst sources are there for `short` and `full`, voting for `short`."""

    calibration: Calibrated
    thresholds: list[ThresholdRates]
    curves: NotRequired[Curves | None]
    groups: NotRequired[dict[str, list[GroupErrors]]]
    worst_sources: NotRequired[list[WorstSource]]
    voting: NotRequired[Voting]


class Metrics(FoldAndPooledMetrics, Description):
    """metrics.json."""

    arm: str
    test_set: str
    replicates: int
    windows: int
    clusters: int
    frame_rows: dict[str, int] | None
