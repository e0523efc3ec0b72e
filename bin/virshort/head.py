"""The classifier head: Linear(in, 512), BatchNorm1d, ReLU, Dropout, Linear(512, 2)."""

import torch
from torch import nn

HIDDEN = 512
CLASSES = 2


class Head(nn.Module):
    """Names and order of the parts are those of VirNucPro's MLPClassifier, so that either reads the other's weights."""

    def __init__(self, inputs: int, dropout: float = 0.1):
        super().__init__()
        self.hidden_layer = nn.Linear(inputs, HIDDEN)
        self.bn1 = nn.BatchNorm1d(HIDDEN)
        self.dropout = nn.Dropout(dropout)
        self.output_layer = nn.Linear(HIDDEN, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: [n, inputs] float32. Returns logits [n, 2]."""
        return self.output_layer(self.dropout(torch.relu(self.bn1(self.hidden_layer(x)))))

