"""Logistic regression with few coefficients, whose signs may be fixed, and its predictions for windows that it has not seen."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize

PRIOR_SD = 3.0
"""Standard deviation of the normal prior of the coefficients of inputs scaled to at most 1. It matters only where few windows
say something."""
PARTS = 5
"""Parts into which clusters are divided to predict windows that a fit has not seen."""


@dataclass(frozen=True)
class Logistic:
    """log-odds = inputs @ coefficients + intercept. coefficients: [inputs] float64."""

    coefficients: np.ndarray
    intercept: float

    def log_odds(self, inputs: np.ndarray) -> np.ndarray:
        """inputs: [n, inputs]. Returns [n] float64."""
        return inputs @ self.coefficients + self.intercept


def fit_logistic(inputs: np.ndarray, label: np.ndarray, signs: np.ndarray) -> Logistic:
    """The regression with the lowest log loss and squared coefficients.

    inputs: [n, k]; label: [n] 0 or 1; signs: [k], 1 or -1 where a coefficient must not be negative or not be positive, 0 where
    it is free. The problem is convex, and L-BFGS-B begins at zero, so that the result is always the same."""
    side = np.where(label == 1, 1.0, -1.0)
    scale = np.maximum(np.abs(inputs).max(axis=0, initial=0), 1e-12)
    x = inputs / scale
    ridge = 1 / (PRIOR_SD**2 * len(label))

    def loss(p: np.ndarray) -> tuple[float, np.ndarray]:
        margin = side * (x @ p[:-1] + p[-1])
        slope = -side / (1 + np.exp(np.clip(margin, -500, 500))) / len(side)
        value = np.logaddexp(0, -margin).mean() + ridge / 2 * (p[:-1] @ p[:-1])
        return float(value), np.append(slope @ x + ridge * p[:-1], slope.sum())

    bounds = [{-1: (None, 0), 0: (None, None), 1: (0, None)}[int(s)] for s in signs]
    found = optimize.minimize(
        loss,
        np.zeros(x.shape[1] + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[*bounds, (None, None)],
        options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-8},
    )
    return Logistic(found.x[:-1] / scale, float(found.x[-1]))


Fit = Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]]
"""Takes the numbers of windows to fit on, and returns what gives log-odds for the numbers of other windows."""


def held_out(fit: Fit, label: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """The log-odds of every window by a fit on the windows of other clusters.

    label: [n] 0 or 1; cluster: [n] codes. Returns [n]."""
    part = cluster_parts(label, cluster)
    odds = np.empty(len(label))
    for p in np.unique(part):
        odds[part == p] = fit(np.flatnonzero(part != p))(np.flatnonzero(part == p))
    return odds


def cluster_parts(label: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """The part of each window: clusters of each label go to the parts in turns, from the largest to the smallest. [n]."""
    names, code, size = np.unique(cluster, return_inverse=True, return_counts=True)
    viral = np.bincount(code, label, len(names)) > size / 2
    part = np.empty(len(names), np.int64)
    for y in (False, True):
        these = np.flatnonzero(viral == y)
        part[these[np.argsort(-size[these], kind="stable")]] = np.arange(len(these)) % PARTS
    return part[code]
