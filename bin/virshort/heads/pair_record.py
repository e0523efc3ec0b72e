"""What pair_rule.json says of how a model reads the two mates of a fragment together."""

from typing import TypedDict

from virshort.heads.model_record import Calibration


class PairRule(TypedDict):
    """The rule of one model (virshort.heads.pairing), fitted on pairs of the fold that validates its split.

    temperature, bias: bring the log-odds of a mate to the scale of probabilities; factor: how many single mates two mates
    without overlap are worth; threshold: on the score of a pair; calibration: of the log-odds of pairs, with thresholds for
    false positive rates, as that of windows; pairs: how many all this was fitted on; overlapping: the share of them whose
    mates overlap."""

    fold: int
    replicate: int
    temperature: float
    bias: float
    factor: float
    threshold: float
    calibration: list[Calibration]
    pairs: int
    overlapping: float
