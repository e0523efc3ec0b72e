"""The shape of a head, as its tensors show it.

By default there is one hidden layer of 512 units, whose tensors have the names of VirNucPro's MLPClassifier, so that each
program reads the other's weights. Further layers are named after them: hidden_layer2, bn2, and so on.
"""

from collections.abc import Mapping, Sequence

import numpy as np

HIDDEN = (512,)
CLASSES = 2
CLIPPED = 8.0
"""Standardized inputs lie between minus this and this."""
MEAN, SD = "input_mean", "input_sd"
"""The tensors by which a head standardizes its inputs; absent if it does not."""


def layer_names(number: int) -> tuple[str, str]:
    """The names of the linear part and of the BatchNorm of a hidden layer. Layers are counted from 1."""
    return f"hidden_layer{number if number > 1 else ''}", f"bn{number}"


def hidden_widths(weights: Mapping[str, np.ndarray]) -> list[int]:
    """Units of each hidden layer of a head, from its tensors by name."""
    widths: list[int] = []
    while (name := f"{layer_names(len(widths) + 1)[0]}.weight") in weights:
        widths.append(len(weights[name]))
    return widths


def layer_sizes(inputs: int, hidden: Sequence[int]) -> list[tuple[int, int]]:
    """Numbers that go into and come out of each hidden layer."""
    return list(zip([inputs, *hidden], hidden, strict=False))
