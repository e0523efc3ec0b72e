"""What log-odds mean: temperature scaling and decision thresholds, fitted on validation windows for each bin of lengths.

Temperature scaling is that of Guo et al. 2017 with an added intercept, since a head may also lean towards one label.
"""

from collections.abc import Sequence

import numpy as np

from virshort.heads.metrics import probability_of, threshold_of_best_mcc
from virshort.heads.model_record import Calibration

LENGTHS: tuple[tuple[int, int | None], ...] = ((0, 200), (200, 500), (500, 1000), (1000, None))
"""Bins of window length in bp, without their upper end."""
RATES = {"fpr_1e-2": 0.01, "fpr_1e-3": 0.001}
"""False positive rates for which thresholds are chosen."""
THRESHOLDS = ("balanced", *RATES)
WINDOWS, CLUSTERS = 1000, 10  # of each label that a bin needs for values of its own
PER_RATE = 5  # nonviral windows that must be expected above the threshold of a rate


def in_bin(length: np.ndarray, lengths: Sequence[int | None] | None) -> np.ndarray:
    """Which windows have a length in the bin [low, high), or in any bin if None. length: [n] bp. Returns [n] bool."""
    low, high = lengths or (0, None)
    return (length >= (low or 0)) & (length < (np.inf if high is None else high))


def fit(label: np.ndarray, odds: np.ndarray, length: np.ndarray, cluster: np.ndarray) -> list[Calibration]:
    """Calibration on validation windows: first for all lengths together, then for each bin with enough windows and clusters.

    label: [n] 0 or 1; odds: [n] log-odds; length: [n] bp; cluster: [n] codes."""
    fitted: list[Calibration] = []
    for lengths in (None, *LENGTHS):
        rows = in_bin(length, lengths)
        by_label = [rows & (label == y) for y in (0, 1)]
        if lengths and any(r.sum() < WINDOWS or len(np.unique(cluster[r])) < CLUSTERS for r in by_label):
            continue
        temperature, bias = scale(label[rows], odds[rows])
        fitted.append(
            {
                "lengths": list(lengths) if lengths else None,
                "windows": int(rows.sum()),
                "temperature": temperature,
                "bias": bias,
                "thresholds": thresholds(label[rows], odds[rows]),
            }
        )
    return fitted


def scale(label: np.ndarray, odds: np.ndarray) -> tuple[float, float]:
    """The temperature and bias with the lowest log loss. label: [n] 0 or 1; odds: [n].

    The temperature is bounded by 0.05 and 20, so that scores which rank the labels the wrong way round are flattened."""
    from scipy import optimize  # only here, because it takes a second to import, and evaluation does not fit anything

    side = np.where(label == 1, 1.0, -1.0)
    odds = odds.astype(float)

    def loss(p: np.ndarray) -> tuple[float, np.ndarray]:
        margin = side * (odds * np.exp(p[0]) + p[1])
        gradient = -side / (1 + np.exp(np.clip(margin, -500, 500))) / len(odds)
        return float(np.logaddexp(0, -margin).mean()), np.array([(gradient * odds).sum() * np.exp(p[0]), gradient.sum()])

    found = optimize.minimize(loss, [0.0, 0.0], jac=True, method="L-BFGS-B", bounds=[(-np.log(20), np.log(20)), (-20, 20)])
    return float(np.exp(-found.x[0])), float(found.x[1])


def thresholds(label: np.ndarray, odds: np.ndarray) -> dict[str, float | None]:
    """The log-odds from which to call viral: `balanced` has the best Matthews correlation, the others keep a false positive
    rate. label: [n] 0 or 1; odds: [n]."""
    balanced = float(np.clip(threshold_of_best_mcc(label, probability_of(odds)), 1e-12, 1 - 1e-12))
    found: dict[str, float | None] = {"balanced": float(np.log(balanced / (1 - balanced)))}
    falling = np.sort(odds[label == 0].astype(np.float32))[::-1]
    for name, rate in RATES.items():
        allowed = int(rate * len(falling))
        # Just above the first nonviral window that must not be called viral.
        found[name] = float(np.nextafter(falling[allowed], np.float32(np.inf))) if rate * len(falling) >= PER_RATE else None
    return found


def for_bin(fitted: Sequence[Calibration], lengths: Sequence[int | None]) -> Calibration:
    """The calibration that a head uses for a bin of lengths: that of the bin if there is one, else that of all lengths."""
    return next((c for c in fitted if c["lengths"] == list(lengths)), fitted[0])


def calibrated(fitted: Sequence[Calibration], odds: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Log-odds on the scale of probabilities, by the calibration for each window's length. odds, length: [n]. Returns [n]."""
    out = np.empty(len(odds), np.float64)
    for lengths in LENGTHS:
        rows = in_bin(length, lengths)
        used = for_bin(fitted, lengths)
        out[rows] = odds[rows] / used["temperature"] + used["bias"]
    return out
