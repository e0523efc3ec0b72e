"""What model.json and history.json say of each head. A value that is not known is None."""

from typing import Any, TypedDict

from virshort.modalities import EncoderRecord

Lengths = list[int | None]
"""A bin of window lengths in bp, [low, high); the last bin has no upper end."""


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


class EnsembleRecord(TypedDict):
    """ensemble.json of a split: how to judge by the mean log-odds of its replicates. threshold: on the score."""

    replicates: int
    threshold: float
    calibration: list[Calibration]


class Origin(TypedDict):
    """Where a pretrained head comes from. form: virshort, or which kind of VirNucPro's files; metadata: what the file says."""

    file: str
    sha256: str
    form: str
    metadata: dict[str, Any]


class Architecture(TypedDict):
    """hidden: units of each hidden layer; standardized: whether inputs are standardized."""

    inputs: int
    hidden: list[int]
    classes: int
    dropout: float
    standardized: bool


class Provenance(TypedDict):
    """torch: its version; None for a model that is fitted without it."""

    virshort: str
    seed: int
    torch: str | None


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
    it is has no best epoch and no metrics of training and validation. An arm that is fitted on validation windows has no
    architecture. combine: the arms that it combines; cut: the bits that a match needs, of an arm that believes matches."""

    arm: str
    fold: int
    replicate: int
    architecture: Architecture | None
    modalities: list[str]
    calibration: list[Calibration]
    start: str
    frozen: bool
    labels: str
    window_set: str | None
    hyperparameters: dict[str, int | float | str]
    combine: list[str]
    cut: float | None
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
