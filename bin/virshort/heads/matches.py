"""What the best matches of a homology search say about windows.

The features of the modality `homology` hold, for every fold and label, the bit score and the identity of the best match among
the sources of that fold and label. A split uses the folds that it trains on.
"""

from collections.abc import Sequence

import numpy as np

from virshort.heads.metrics import of_calls
from virshort.labels import LABELS

VALUES = 2
"""Numbers of a fold and label: bit score, and identity from 0 to 1."""
CUTS = range(20, 121)
"""Bits that may be the least that a match needs."""
BAND, TELLING, ENOUGH = 5, 0.9, 20
"""A match tells from so many bits on that, of at least 20 windows of each label with up to five bits more, 90 % are right."""
STEPS = (0.0, 25.0, 30.0, 35.0, 45.0, 60.0, 100.0)
"""Bits between which the evidence of a match may rise at a slope of its own."""


def best_bits(matches: np.ndarray, used: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
    """The bit score of the best nonviral and the best viral match of each window among the sources of some folds.

    matches: [n, folds * labels * 2], for each fold and label bits and identity, 0 where there is no match; used: those folds,
    None for all.
    Returns [n, 2] float32 in the order of the labels."""
    each = matches.reshape(len(matches), -1, len(LABELS), VALUES)[..., 0]
    return (each if used is None else each[:, np.asarray(used)]).max(axis=1).astype(np.float32)


def called_by_rule(bits: np.ndarray, cut: float, otherwise: int) -> np.ndarray:
    """The label of the better match of each window if it has at least `cut` bits, else `otherwise`. bits: [n, 2]. Returns [n]
    0 or 1; nonviral where both labels match equally well."""
    return np.where(bits.max(axis=1) >= cut, bits[:, 1] > bits[:, 0], otherwise)


def best_cut(bits: np.ndarray, label: np.ndarray) -> float:
    """The bits from which matches are believed, so that `called_by_rule` has the highest Matthews correlation; of several, the
    fewest. Windows without such a match get their more frequent label. bits: [n, 2]; label: [n] 0 or 1, both present."""
    best, found = -np.inf, float(CUTS[0])
    for cut in CUTS:
        without = bits.max(axis=1) < cut
        call = called_by_rule(bits, cut, int(2 * label[without].sum() > without.sum()))
        mcc = of_calls(label, call.astype(np.int64))["mcc"]
        if mcc is not None and mcc > best:
            best, found = mcc, float(cut)
    return found


def telling_bits(label: np.ndarray, bits: np.ndarray) -> float | None:
    """The fewest bits from which the better match of windows, viral or nonviral, nearly always has their own label, and so is
    no work of chance; None where no number of bits is enough. label: [n] 0 or 1; bits: [n, 2].

    Each number of bits is judged by the windows whose better match has so many bits or up to BAND more."""
    most, right = bits.max(axis=1), (bits[:, 1] > bits[:, 0]) == label
    for cut in CUTS:
        near = (most >= cut) & (most < cut + BAND)
        of_label = [right[near & (label == y)] for y in range(len(LABELS))]
        if min(map(len, of_label)) >= ENOUGH and min(r.mean() for r in of_label) >= TELLING:
            return float(cut)
    return None


def evidence(bits: np.ndarray) -> np.ndarray:
    """How far the bits of both labels have come in each step, 0 to 1: a sum of these with coefficients of one sign is a
    monotone, piecewise linear function of the bits.

    bits: [n, 2]. Returns [n, 2 * steps], first the steps of nonviral matches."""
    low, high = np.array(STEPS[:-1]), np.array(STEPS[1:])
    return np.clip((bits[:, :, None].astype(np.float64) - low) / (high - low), 0, 1).reshape(len(bits), -1)


SIGNS = np.repeat([-1, 1], len(STEPS) - 1)
"""A nonviral match may only lower the log-odds of viral, and a viral match may only raise them."""
