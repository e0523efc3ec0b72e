"""Windows that a head is trained on or judged on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LabelledWindows:
    """Windows with their labels, whose features are read from disk when they are needed.

    read: from row numbers [k] to features [k, inputs]; rows: [m] int64, the rows of all windows, window by window; label:
    [n] int8, 0 or 1; first: [n], where in `rows` each window's rows begin (None: each window has one row). In training every
    row is an example of its own; in validation a window has the largest log-odds of its rows."""

    read: Callable[[np.ndarray], np.ndarray]
    rows: np.ndarray
    label: np.ndarray
    first: np.ndarray | None = None
