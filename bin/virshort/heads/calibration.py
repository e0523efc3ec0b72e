"""What a log-odds means: temperature scaling and decision thresholds, all from validation windows, by length of window.

Source of temperature scaling: Guo et al. 2017, with an intercept, as the head may also lean to one label.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import optimize

from virshort.heads.metrics import threshold_of_best_mcc

LENGTHS = ((0, 200), (200, 500), (500, 1000), (1000, None))
"""Bins of window length in bp, the upper end not included."""
RATES = {"fpr_1e-2": 0.01, "fpr_1e-3": 0.001}
"""False positive rates that thresholds are chosen for."""
THRESHOLDS = ("balanced", *RATES)
WINDOWS, CLUSTERS = 1000, 10  # of each label, for a bin to have its own values
PER_RATE = 5  # nonviral windows expected above a threshold of a rate, for that rate to be asked for


def inside(length: np.ndarray, lengths: Sequence[int | None] | None) -> np.ndarray:
    """Whether windows are of a bin [low, high); None is every length. length: [n]. Returns [n] bool."""
    low, high = lengths or (0, None)
    return (length >= low) & (length < (np.inf if high is None else high))


def fit(label: np.ndarray, odds: np.ndarray, length: np.ndarray, cluster: np.ndarray) -> list[dict[str, Any]]:
    """Temperature, bias and thresholds on validation windows: for all lengths together, then for each bin with enough.

    label: [n] 0 or 1; odds: [n] log-odds; length: [n] bp; cluster: [n] codes. Each entry: lengths [low, high) or null for
    all, windows, temperature, bias (sigmoid(odds / temperature + bias) is the probability), thresholds by name, in
    log-odds; null where there are too few nonviral windows for the rate."""
    found = []
    for lengths in (None, *LENGTHS):
        rows = inside(length, lengths)
        of_label = [rows & (label == y) for y in (0, 1)]
        if lengths and any(r.sum() < WINDOWS or len(np.unique(cluster[r])) < CLUSTERS for r in of_label):
            continue
        temperature, bias = scale(label[rows], odds[rows])
        found.append(
            {
                "lengths": lengths and list(lengths),
                "windows": int(rows.sum()),
                "temperature": temperature,
                "bias": bias,
                "thresholds": thresholds(label[rows], odds[rows]),
            }
        )
    return found


def scale(label: np.ndarray, odds: np.ndarray) -> tuple[float, float]:
    """Temperature and bias with the least log loss. label: [n] 0 or 1; odds: [n].

    The temperature is kept within 0.05 and 20: scores that rank the wrong way round end at the flattest."""
    side = np.where(label == 1, 1.0, -1.0)
    odds = odds.astype(float)

    def loss(p: np.ndarray) -> tuple[float, np.ndarray]:
        margin = side * (odds * np.exp(p[0]) + p[1])
        pull = -side / (1 + np.exp(np.clip(margin, -500, 500))) / len(odds)
        return float(np.logaddexp(0, -margin).mean()), np.array([(pull * odds).sum() * np.exp(p[0]), pull.sum()])

    found = optimize.minimize(loss, [0.0, 0.0], jac=True, method="L-BFGS-B", bounds=[(-np.log(20), np.log(20)), (-20, 20)])
    return float(np.exp(-found.x[0])), float(found.x[1])


def thresholds(label: np.ndarray, odds: np.ndarray) -> dict[str, float | None]:
    """Log-odds at and above which to call viral: `balanced` (best MCC), and those that keep a false positive rate."""
    score = 1 / (1 + np.exp(-odds.astype(float)))
    balanced = float(np.clip(threshold_of_best_mcc(label, score), 1e-12, 1 - 1e-12))
    out: dict[str, float | None] = {"balanced": float(np.log(balanced / (1 - balanced)))}
    falling = np.sort(odds[label == 0].astype(np.float32))[::-1]
    for name, rate in RATES.items():
        most = int(rate * len(falling))
        # Just above the first nonviral window that must not be called.
        out[name] = float(np.nextafter(falling[most], np.float32(np.inf))) if rate * len(falling) >= PER_RATE else None
    return out


def entry(fitted: Sequence[Mapping[str, Any]], lengths: Sequence[int | None]) -> Mapping[str, Any]:
    """What a head uses for a bin of lengths: its own values there, else those of all lengths together."""
    return next((e for e in fitted if e["lengths"] == list(lengths)), fitted[0])


def calibrated(fitted: Sequence[Mapping[str, Any]], odds: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Log-odds on the scale of probabilities, by the values of each window's length. odds, length: [n]. Returns [n]."""
    out = np.empty(len(odds), np.float64)
    for lengths in LENGTHS:
        rows = inside(length, lengths)
        e = entry(fitted, lengths)
        out[rows] = odds[rows] / e["temperature"] + e["bias"]
    return out
