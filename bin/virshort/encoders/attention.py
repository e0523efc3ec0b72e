"""Scaled dot-product attention, computed in whichever way is fastest here."""

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

_TOKENS = 768
"""Up to this many tokens, two plain matrix products are about twice as fast as PyTorch's fused kernel in bf16 on a CPU (for
sequences of 30 tokens or more), because that kernel converts bf16 block by block. With more tokens the scores no longer fit in
the cache."""
_FEW = 128
"""Up to this many tokens, the memory-efficient kernel is the fastest on a GPU (docs/gpu.md)."""
_SHORT = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]
_LONG = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"""Kernels on a GPU, in the order in which they are tried; the flash kernel takes no bias. PyTorch's own first choice, cuDNN, is
left out, because it is slower for short sequences and makes a new plan for every shape, of which a task has dozens."""


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """softmax(q k' / sqrt(size) + bias) v (Vaswani et al. 2017). q, k, v: [n, heads, tokens, size]; bias: can be broadcast to
    [n, heads, tokens, tokens]. Returns [n, tokens, heads * size]."""
    if q.dtype == torch.bfloat16 and q.device.type == "cpu" and q.shape[2] <= _TOKENS:
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        attention = (scores if bias is None else scores.add_(bias)).softmax(-1) @ v
    elif q.is_cuda:
        attention = attend_on_gpu(q, k, v, bias)
    else:
        attention = F.scaled_dot_product_attention(q, k, v, bias)
    return attention.transpose(1, 2).flatten(2)


def attend_on_gpu(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    """The same with PyTorch's kernels for GPUs. Returns [n, heads, tokens, size]."""
    with sdpa_kernel(_SHORT if q.shape[2] <= _FEW else _LONG, set_priority=True):
        return F.scaled_dot_product_attention(q, k, v, bias)
