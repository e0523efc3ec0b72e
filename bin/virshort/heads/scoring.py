"""Log-odds of models from their tensors, without torch, which takes seconds to import."""

from collections.abc import Mapping

import numpy as np

from virshort.heads.architecture import CLIPPED, MEAN, SD, hidden_widths, layer_names

_EPSILON = 1e-5  # torch's BatchNorm adds it to the variance


def log_odds(weights: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Log-odds of viral, z1 - z0, by one head in evaluation mode: the same numbers as virshort.heads.head.

    weights: the head's tensors by name; x: [n, inputs]. Returns [n] float32."""
    x = x.astype(np.float32, copy=False)
    if MEAN in weights:
        x = np.clip((x - weights[MEAN]) / weights[SD], -CLIPPED, CLIPPED)
    for number in range(1, len(hidden_widths(weights)) + 1):
        linear, norm = layer_names(number)
        x = x @ weights[f"{linear}.weight"].T + weights[f"{linear}.bias"]
        scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + _EPSILON)
        x = np.maximum((x - weights[f"{norm}.running_mean"]) * scale + weights[f"{norm}.bias"], 0)
    out = weights["output_layer.weight"][1] - weights["output_layer.weight"][0]
    bias = weights["output_layer.bias"][1] - weights["output_layer.bias"][0]
    return x @ out + bias


def score_of(odds: np.ndarray) -> np.ndarray:
    """The probability of viral, float32, from log-odds [n]."""
    return (1 / (1 + np.exp(-odds.astype(np.float64)))).astype(np.float32)
