"""The classifier head: Linear(inputs, 512), BatchNorm1d, ReLU, Dropout, Linear(512, 2)."""

import torch
from torch import nn

HIDDEN = 512
CLASSES = 2


class Head(nn.Module):
    """Its parts have the names of VirNucPro's MLPClassifier, so that each program reads the other's weights."""

    def __init__(self, inputs: int):
        super().__init__()
        self.hidden_layer = nn.Linear(inputs, HIDDEN)
        self.bn1 = nn.BatchNorm1d(HIDDEN)
        self.output_layer = nn.Linear(HIDDEN, CLASSES)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """x: [n, inputs] float32; mask: the dropout mask [n, HIDDEN], in training only. Returns logits [n, 2]."""
        hidden = torch.relu(self.bn1(self.hidden_layer(x)))
        return self.output_layer(hidden if mask is None else hidden * mask)
