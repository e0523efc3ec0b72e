"""What metrics.json says of an arm on a test set.

A value that is not known is None. A share comes with a 95 % interval that counts clusters, if there are enough of them.
"""

from typing import NotRequired, TypedDict

from virshort.heads.model_record import CallMetrics, Lengths
from virshort.heads.pair_record import PairRule

Interval = list[float]


class RankMetrics(TypedDict):
    """AUROC and average precision of scores; None with one label."""

    auroc: float | None
    auprc: float | None


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

    own: whether every head has a threshold of its own for these lengths, and not only that of all lengths; accuracy: of calls
    at this threshold."""

    lengths: Lengths
    threshold: str
    windows: int
    own: bool
    true_positive_rate: Share | None
    false_positive_rate: Share | None
    precision_at_prevalence: list[ExpectedPrecision]
    accuracy: Share | None


class Ensemble(PooledMetrics):
    """The replicates judged by the mean of their log-odds. share: its accuracy with its interval."""

    share: Share
    thresholds: list[ThresholdRates]


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
    """What metrics.json holds besides metrics. without_match: for an arm that believes matches, the share of each label's
    windows that has none above the cut.

    Curves, groups and worst sources are there for `short` and `full`, voting for `short`."""

    calibration: Calibrated
    thresholds: list[ThresholdRates]
    curves: NotRequired[Curves | None]
    groups: NotRequired[dict[str, list[GroupErrors]]]
    worst_sources: NotRequired[list[WorstSource]]
    voting: NotRequired[Voting]
    ensemble: NotRequired[Ensemble]
    without_match: NotRequired[dict[str, Share]]


class Metrics(FoldAndPooledMetrics, Description):
    """metrics.json. pair_rules: of the test set `pair`, whose windows are pairs."""

    arm: str
    test_set: str
    replicates: int
    windows: int
    clusters: int
    frame_rows: dict[str, int] | None
    pair_rules: NotRequired[list[PairRule]]
