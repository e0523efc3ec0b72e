"""Linear layers with their weights laid out beforehand for the CPU's matrix kernels, and what follows them fused in.

oneDNN otherwise rearranges a layer's weights on every call, which costs about a tenth of the time at the batch sizes
whose activations stay in the cache. This is what torch.compile's `freezing` brings there, without a compiler, a cache
of compiled code or a limit on the number of shapes.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LinearGelu(nn.Linear):
    """A linear layer and gelu (by erf): one module, so that both can be packed into one."""

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(super().forward(x))


class PackedLinear(nn.Module):
    """A bf16 linear layer, or one with gelu, for evaluation on the CPU. Its numbers are those of the layer it stands for up
    to rounding."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())
        self._bias = linear.bias
        self._after = ("gelu", [], "none") if isinstance(linear, LinearGelu) else ("none", [], "")

    def forward(self, x: Tensor) -> Tensor:
        """x: [..., inputs] bf16. Returns [..., outputs]."""
        return torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, *self._after)


def pack(model: nn.Module) -> bool:
    """Replace a model's bf16 linear layers on the CPU, in place. Returns whether this torch and CPU can."""
    if not can_pack():
        return False
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear) and child.weight.dtype == torch.bfloat16 and not child.weight.is_cuda:
                setattr(parent, name, PackedLinear(child))
    return True


def can_pack() -> bool:
    """Does torch have oneDNN's bf16 kernels here, under the names used above?"""
    names = ("_is_mkldnn_bf16_supported", "_reorder_linear_weight", "_linear_pointwise")
    return (
        torch.backends.mkldnn.is_available()
        and all(hasattr(torch.ops.mkldnn, n) for n in names)
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
