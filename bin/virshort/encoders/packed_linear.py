"""Linear layers whose weights are packed once for the CPU's matrix kernels, with the activation that follows fused in.

Without packing, oneDNN rearranges the weights of a layer in every call, which takes about a tenth of the time at the batch
sizes whose activations stay in the cache. torch.compile's `freezing` would gain the same, but needs a compiler and a cache of
compiled code, and limits the number of shapes.
"""

import torch
from torch import Tensor, nn

from virshort.encoders.fused import linear_gelu


class LinearGelu(nn.Linear):
    """A linear layer followed by gelu as one module so that both can be packed into one kernel."""

    def forward(self, x: Tensor) -> Tensor:
        return linear_gelu(x, self.weight, self.bias)


class PackedLinear(nn.Module):
    """A bf16 linear layer, with or without gelu, for evaluation on the CPU. Its results are those of the layer it replaces, up
    to rounding."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())
        self._bias = linear.bias
        self._activation: tuple[str, list[float], str] = (
            ("gelu", [], "none") if isinstance(linear, LinearGelu) else ("none", [], "")
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [..., inputs] bf16. Returns [..., outputs]."""
        return torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, *self._activation)


def pack(model: nn.Module) -> bool:
    """Replace the bf16 linear layers of a model on the CPU, in place. Returns whether this torch and this CPU can do that."""
    if not can_pack():
        return False
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear) and child.weight.dtype == torch.bfloat16 and not child.weight.is_cuda:
                setattr(parent, name, PackedLinear(child))
    return True


def can_pack() -> bool:
    """Whether torch has oneDNN's bf16 kernels here, under the names used above."""
    names = ("_is_mkldnn_bf16_supported", "_reorder_linear_weight", "_linear_pointwise")
    return (
        torch.backends.mkldnn.is_available()
        and all(hasattr(torch.ops.mkldnn, n) for n in names)
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
