"""Low-rank adapters (LoRA, Hu et al. 2021): a linear layer computes W x + (alpha / rank) B A x, of which only A and B are
trained.

The library peft does the same, and adapters are kept in its layout (virshort.finetuning.files). It is not used itself: it adds
B A x to what a layer returns, which for a layer that computes gelu with its product is too late, and importing it takes three
times as long as importing PyTorch. Once trained, adapters are added to the weights, so that a fine-tuned model is as fast as a
plain one.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from virshort.encoders.packed_linear import LinearGelu
from virshort.errors import InputError, nearest

A, B = "lora_A", "lora_B"


class LowRank(nn.Module):
    """A linear layer with an adapter beside its weights, which stay as they are. The first output is that of the layer alone,
    since B begins as 0."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float):
        super().__init__()
        self.base, self.scale = base, alpha / rank
        weight = base.weight
        self.lora_A = nn.Parameter(torch.empty(rank, weight.shape[1], device=weight.device))
        self.lora_B = nn.Parameter(torch.zeros(weight.shape[0], rank, device=weight.device))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))  # as in peft

    def forward(self, x: Tensor) -> Tensor:
        """x: [..., inputs]. Returns [..., outputs]."""
        added = F.linear(F.linear(x, self.lora_A), self.lora_B) * self.scale
        total = F.linear(x, self.base.weight, self.base.bias) + added
        return F.gelu(total) if isinstance(self.base, LinearGelu) else total


def attach(model: nn.Module, targets: Sequence[str], rank: int, alpha: float) -> None:
    """Put an adapter beside each linear layer that has the name of a target, in place; beside all where there are no targets.
    Raises InputError for a target that no linear layer has."""
    for path in linear_layers(model, targets):
        parent, _, name = path.rpartition(".")
        setattr(model.get_submodule(parent), name, LowRank(_linear(model, path), rank, alpha))


def linear_layers(model: nn.Module, targets: Sequence[str]) -> list[str]:
    """The paths of the linear layers whose last name is among the targets; of all linear layers where there are no targets.
    Raises InputError for a target that none has."""
    paths = [path for path, module in model.named_modules() if isinstance(module, nn.Linear)]
    names = {path.rpartition(".")[2] for path in paths}
    if not names:
        raise InputError("adapters: this encoder has no linear layers: set adapters: none")
    for target in targets:
        if target not in names:
            raise InputError(f"targets: this encoder has no linear layer {target}: {nearest(target, sorted(names))}")
    return [path for path in paths if path.rpartition(".")[2] in (targets or names)]


def adapter_tensors(model: nn.Module) -> dict[str, Tensor]:
    """The adapters of a model: <path of the layer>.lora_A [rank, inputs] and .lora_B [outputs, rank]."""
    return {
        f"{path}.{kind}": getattr(module, kind).detach()
        for path, module in model.named_modules()
        if isinstance(module, LowRank)
        for kind in (A, B)
    }


@torch.no_grad()
def merge(model: nn.Module, tensors: Mapping[str, Tensor], scale: float) -> None:
    """Add adapters to the weights of a model, in place; the sum is rounded once to the type of the weights.

    tensors: as from `adapter_tensors`; scale: alpha / rank."""
    for name, a in tensors.items():
        path, _, kind = name.rpartition(".")
        if kind == A:
            weight = _linear(model, path).weight
            change = tensors[f"{path}.{B}"].float() @ a.float() * scale
            weight.copy_(weight.float() + change.to(weight.device))


def _linear(model: nn.Module, path: str) -> nn.Linear:
    layer = model.get_submodule(path)
    assert isinstance(layer, nn.Linear)
    return layer
