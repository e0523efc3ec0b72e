"""The replicates of an arm as one: windows are judged by the mean of their log-odds.

The replicates of a split have seen the same windows, so nothing leaks. Models of different splits are not averaged, since each
has seen windows that another is tested on. A mean is less spread out than what it is made of, so it has a threshold and a
calibration of its own, from the same validation windows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from virshort.heads import calibration
from virshort.heads.metrics import judge
from virshort.heads.model_record import EnsembleRecord
from virshort.heads.scoring import mean_of_replicates


@dataclass(frozen=True)
class ValidationOdds:
    """What one model says of its validation windows. label: [n] 0 or 1; odds: [n] log-odds; length: [n] bp; cluster: [n]
    codes."""

    label: np.ndarray
    odds: np.ndarray
    length: np.ndarray
    cluster: np.ndarray


def fit_ensemble(replicates: Sequence[ValidationOdds]) -> EnsembleRecord:
    """The threshold and the calibration of the mean log-odds. replicates: of one split, all on the same windows."""
    first = replicates[0]
    odds = mean_of_replicates(np.stack([r.odds for r in replicates]))
    _, threshold = judge(first.label, odds)
    fitted = calibration.fit(first.label, odds, first.length, first.cluster)
    return {"replicates": len(replicates), "threshold": threshold, "calibration": fitted}
