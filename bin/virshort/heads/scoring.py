"""Log-odds of models from their tensors, without torch, which takes seconds to import.

A model is a head or a stack. A stack is a logistic regression over what its parts say of a window: a head says its log-odds,
and the matches of a homology search their evidence (virshort.heads.matches). A part without tensors of its own reads log-odds,
those of an encoder that was trained end to end. All that a stack needs is among its tensors.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from virshort.heads.architecture import CLIPPED, MEAN, SD, hidden_widths, layer_names
from virshort.heads.matches import best_bits, evidence
from virshort.heads.metrics import probability_of

COEFFICIENTS, INTERCEPT = "stack.coefficients", "stack.intercept"
COLUMNS, FOLDS, CUT = "columns", "folds", "cut"
"""Of a part: which columns of a row it reads, and of matches the folds that they may be from and the bits from which a match is
believed by itself."""
EPSILON = 1e-5  # torch's BatchNorm adds it to the variance


def log_odds(weights: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Log-odds of viral by one model. weights: its tensors by name; x: [n, inputs]. Returns [n] float32."""
    if COEFFICIENTS in weights:
        odds = stack_inputs(parts_of(weights), x) @ weights[COEFFICIENTS] + weights[INTERCEPT]
        return odds.astype(np.float32)
    return _head_log_odds(weights, x)


def _head_log_odds(weights: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """z1 - z0 of a head in evaluation mode: the same numbers as virshort.heads.head."""
    x = x.astype(np.float32, copy=False)
    if MEAN in weights:
        x = np.clip((x - weights[MEAN]) / weights[SD], -CLIPPED, CLIPPED)
    for number in range(1, len(hidden_widths(weights)) + 1):
        linear, norm = layer_names(number)
        x = x @ weights[f"{linear}.weight"].T + weights[f"{linear}.bias"]
        scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + EPSILON)
        x = np.maximum((x - weights[f"{norm}.running_mean"]) * scale + weights[f"{norm}.bias"], 0)
    out = weights["output_layer.weight"][1] - weights["output_layer.weight"][0]
    bias = weights["output_layer.bias"][1] - weights["output_layer.bias"][0]
    return x @ out + bias


def stack_inputs(parts: Sequence[Mapping[str, np.ndarray]], x: np.ndarray) -> np.ndarray:
    """What the parts of a stack say of each row, side by side: [n, inputs of the regression] float64.

    parts: the tensors of each, by name; x: [n, inputs]."""
    return np.hstack([part_of_stack(part, lambda head: partial(_head_log_odds, head))(x) for part in parts])


Says = Callable[[np.ndarray], np.ndarray]
"""From rows to what is said of them."""


def part_of_stack(part: Mapping[str, np.ndarray], head_of: Callable[[Mapping[str, np.ndarray]], Says]) -> Says:
    """What a part of a stack says, as a function of rows [n, inputs] that returns [n, inputs of the regression] float64.

    head_of: from the tensors of a head to its log-odds [n] of rows."""
    columns = part[COLUMNS]
    if FOLDS in part:
        return lambda x: evidence(best_bits(x[:, columns], part[FOLDS]))
    if len(part) == 1:  # log-odds, as they are
        return lambda x: x[:, columns].astype(np.float64)
    head = head_of(part)
    return lambda x: head(x[:, columns])[:, None].astype(np.float64)


def matched(part: Mapping[str, np.ndarray], matches: np.ndarray) -> np.ndarray:
    """Whether each window has a match of at least as many bits as the cut. matches: [n, values]. Returns [n] bool."""
    return best_bits(matches, part[FOLDS]).max(axis=1) >= part[CUT]


def parts_of(weights: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """The tensors of each part of a stack, by their names within the part."""
    parts: list[dict[str, np.ndarray]] = []
    while f"part{len(parts)}.{COLUMNS}" in weights:
        prefix = f"part{len(parts)}."
        parts.append({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
    return parts


def stack_tensors(parts: list[dict[str, np.ndarray]], coefficients: np.ndarray, intercept: float) -> dict[str, np.ndarray]:
    """The tensors of a stack."""
    named = {f"part{i}.{k}": v for i, part in enumerate(parts) for k, v in part.items()}
    return named | {COEFFICIENTS: coefficients, INTERCEPT: np.array(intercept)}


def mean_of_replicates(odds: np.ndarray) -> np.ndarray:
    """The log-odds of an arm's replicates as one, float32 [...], from those of each [replicates, ...]."""
    return odds.mean(axis=0, dtype=np.float64).astype(np.float32)


def score_of(odds: np.ndarray) -> np.ndarray:
    """The probability of viral, float32, from log-odds [n]."""
    return probability_of(odds).astype(np.float32)
