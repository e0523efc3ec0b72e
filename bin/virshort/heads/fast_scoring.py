"""The log-odds of virshort.heads.scoring for many rows, faster and equal to rounding.

In evaluation mode the normalization of a layer is a factor and a sum for each of its units, which are made part of the layer
once. What remains are matrix products, and a pass over each of their results in place.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from virshort.heads.architecture import CLIPPED, MEAN, SD, hidden_widths, layer_names
from virshort.heads.scoring import COEFFICIENTS, EPSILON, INTERCEPT, part_of_stack, parts_of

ROWS = 512
"""Rows that a head reads at a time, always so many: a matrix product of another size may round a row differently."""


def prepared(weights: Mapping[str, np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """The log-odds of viral by one model, as a function of rows [n, inputs] that returns [n] float32. weights: its tensors by
    name."""
    if COEFFICIENTS not in weights:
        return FoldedHead(weights)
    parts = [part_of_stack(part, FoldedHead) for part in parts_of(weights)]

    def stacked(x: np.ndarray) -> np.ndarray:
        odds = np.hstack([says(x) for says in parts]) @ weights[COEFFICIENTS] + weights[INTERCEPT]
        return odds.astype(np.float32)

    return stacked


class FoldedHead:
    """A head whose normalizations are part of its layers. weights: its tensors by name."""

    def __init__(self, weights: Mapping[str, np.ndarray]):
        self._scale = (weights[MEAN], 1 / weights[SD]) if MEAN in weights else None
        self._layers = [_folded_layer(weights, number) for number in range(1, len(hidden_widths(weights)) + 1)]
        self._out = weights["output_layer.weight"][1] - weights["output_layer.weight"][0]
        self._bias = weights["output_layer.bias"][1] - weights["output_layer.bias"][0]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Log-odds [n] float32 of rows [n, inputs]."""
        out = np.empty(len(x), np.float32)
        results = [np.empty((ROWS, len(bias)), np.float32) for _, bias in self._layers]
        for begin, tile in _tiles(x):
            if self._scale:
                tile = np.subtract(tile, self._scale[0], dtype=np.float32)
                tile *= self._scale[1]
                np.clip(tile, -CLIPPED, CLIPPED, out=tile)
            for (weight, bias), result in zip(self._layers, results, strict=True):
                np.matmul(tile, weight, out=result)
                result += bias
                tile = np.maximum(result, 0, out=result)
            out[begin : begin + ROWS] = (tile @ self._out + self._bias)[: len(x) - begin]
        return out


def _folded_layer(weights: Mapping[str, np.ndarray], number: int) -> tuple[np.ndarray, np.ndarray]:
    """The weights [inputs, units] and the bias [units] of a hidden layer together with its BatchNorm, float32."""
    linear, norm = layer_names(number)
    factor = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"].astype(np.float64) + EPSILON)
    bias = (weights[f"{linear}.bias"] - weights[f"{norm}.running_mean"]) * factor + weights[f"{norm}.bias"]
    return np.ascontiguousarray((weights[f"{linear}.weight"].T * factor).astype(np.float32)), bias.astype(np.float32)


def _tiles(x: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks of ROWS rows in float32, and where they begin; the last one is filled up with zeros."""
    x = x.astype(np.float32, copy=False)
    for begin in range(0, len(x), ROWS):
        tile = x[begin : begin + ROWS]
        yield begin, tile if len(tile) == ROWS else np.pad(tile, ((0, ROWS - len(tile)), (0, 0)))
