"""The classifier head: for each hidden layer Linear, BatchNorm1d, ReLU and Dropout, and then Linear to two logits."""

from collections.abc import Sequence

import torch
from torch import nn

from virshort.heads.architecture import CLASSES, CLIPPED, HIDDEN, MEAN, SD, layer_names, layer_sizes


class Head(nn.Module):
    """inputs: numbers per row; hidden: units of each hidden layer; scale: the mean and the standard deviation of each input,
    both [inputs] float32, if inputs are standardized (the head keeps them beside its weights)."""

    def __init__(self, inputs: int, hidden: Sequence[int] = HIDDEN, scale: tuple[torch.Tensor, torch.Tensor] | None = None):
        super().__init__()
        self.standardizes = scale is not None
        if scale is not None:
            self.register_buffer(MEAN, scale[0])
            self.register_buffer(SD, scale[1])
        self.layers: list[tuple[nn.Linear, nn.BatchNorm1d]] = []
        for number, (before, units) in enumerate(layer_sizes(inputs, hidden), 1):
            linear, norm = nn.Linear(before, units), nn.BatchNorm1d(units)
            for name, part in zip(layer_names(number), (linear, norm), strict=True):
                self.add_module(name, part)
            self.layers.append((linear, norm))
        self.output_layer = nn.Linear(hidden[-1], CLASSES)

    def forward(self, x: torch.Tensor, masks: Sequence[torch.Tensor] | None = None) -> torch.Tensor:
        """x: [n, inputs] float32; masks: a dropout mask [n, units] for each hidden layer, in training only. Returns logits
        [n, 2]."""
        if self.standardizes:
            x = ((x - self.get_buffer(MEAN)) / self.get_buffer(SD)).clamp(-CLIPPED, CLIPPED)
        for i, (linear, norm) in enumerate(self.layers):
            x = torch.relu(norm(linear(x)))
            x = x if masks is None else x * masks[i]
        return self.output_layer(x)
