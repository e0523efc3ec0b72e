"""What pair_rule.json and pooled_rule.json say of how the two mates of a fragment are read together."""

from typing import TypedDict

from virshort.heads.model_record import Calibration

POOLED_RULE = "pooled_rule.json"
"""The rule of an exported model, fitted on the validation pairs of all splits."""


class MateRule(TypedDict):
    """How two mates are read together (virshort.heads.pairing), fitted on pairs of folds that validate.

    temperature, bias: bring the log-odds of a mate to the scale of probabilities; factor: how many single mates two mates
    without overlap are worth; threshold: on the score of a pair; calibration: of the log-odds of pairs, with thresholds for
    false positive rates, as that of windows; pairs: how many all this was fitted on; overlapping: the share of them whose
    mates overlap."""

    temperature: float
    bias: float
    factor: float
    threshold: float
    calibration: list[Calibration]
    pairs: int
    overlapping: float


class PairRule(MateRule):
    """The rule of the model that tests one fold."""

    fold: int
    replicate: int
