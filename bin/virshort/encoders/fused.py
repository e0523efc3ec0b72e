"""Parts of a layer that PyTorch computes in several passes over memory, each in one pass on a GPU.

Between its matrix products, a layer is limited by memory. torch.compile would fuse its parts too, but needs a C compiler in
the container, and the better part of a minute in every task. The kernels here are compiled in a fraction of a second by NVRTC,
which every PyTorch for CUDA contains. They compute in fp32 and round once, for bf16 only. In other number formats, on a CPU, or
where this PyTorch cannot compile them, the same functions are plain PyTorch.
"""

import os
import sys
from collections.abc import Callable
from functools import cache
from string import Template

import torch
from torch import Tensor, nn
from torch.nn import functional as F

enabled = True
"""benchmarks/gpu.py switches the kernels off, to compare them with plain PyTorch (docs/gpu.md)."""

_VECTOR = 8
"""Numbers that a thread reads at once: 16 bytes of bf16."""
_WARP, _ROWS, _BLOCK = 32, 8, 256
"""Threads that share a row of a norm, rows of a block, and threads of a block."""

_COMMON = r"""
typedef unsigned int u32;
struct __align__(16) Eight { u32 pair[4]; };
__device__ __forceinline__ float low(u32 pair) { return __uint_as_float(pair << 16); }
__device__ __forceinline__ float high(u32 pair) { return __uint_as_float(pair & 0xffff0000u); }
__device__ __forceinline__ u32 both(float low, float high) {
    u32 pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}
__device__ __forceinline__ void widen(const Eight &from, float *to) {
    #pragma unroll
    for (int i = 0; i < 4; i++) { to[2 * i] = low(from.pair[i]); to[2 * i + 1] = high(from.pair[i]); }
}
__device__ __forceinline__ Eight narrow(const float *from) {
    Eight to;
    #pragma unroll
    for (int i = 0; i < 4; i++) to.pair[i] = both(from[2 * i], from[2 * i + 1]);
    return to;
}
"""

_ADD_NORM = Template(
    _COMMON
    + r"""
#define EACH (($width / 8 + 31) / 32)
__device__ __forceinline__ float sum_of_warp(float x) {
    #pragma unroll
    for (int step = 16; step; step /= 2) x += __shfl_xor_sync(0xffffffffu, x, step);
    return x;
}
extern "C" __global__ void add_norm(const Eight *x, const Eight *y, const Eight *weight, const Eight *bias,
                                    Eight *sums, Eight *normed, int rows) {
    int row = blockIdx.x * blockDim.y + threadIdx.y, lane = threadIdx.x;
    if (row >= rows) return;
    long long start = (long long)row * ($width / 8);
    float held[EACH][8], sum = 0;
    #pragma unroll
    for (int i = 0; i < EACH; i++) {
        int at = lane + 32 * i;
        if (at < $width / 8) {
            float other[8];
            widen(x[start + at], held[i]);
            widen(y[start + at], other);
            #pragma unroll
            for (int j = 0; j < 8; j++) { held[i][j] += other[j]; sum += held[i][j]; }
            if ($keep) sums[start + at] = narrow(held[i]);
        }
    }
    float mean = sum_of_warp(sum) / $width, squares = 0;
    #pragma unroll
    for (int i = 0; i < EACH; i++)
        if (lane + 32 * i < $width / 8)
            #pragma unroll
            for (int j = 0; j < 8; j++) { float d = held[i][j] - mean; squares += d * d; }
    float scale = rsqrtf(sum_of_warp(squares) / $width + ${epsilon}f);
    #pragma unroll
    for (int i = 0; i < EACH; i++) {
        int at = lane + 32 * i;
        if (at < $width / 8) {
            float w[8], b[8];
            widen(weight[at], w);
            widen(bias[at], b);
            #pragma unroll
            for (int j = 0; j < 8; j++) w[j] = (held[i][j] - mean) * scale * w[j] + b[j];
            normed[start + at] = narrow(w);
        }
    }
}
"""
)

_GATED_GELU = (
    _COMMON
    + r"""
extern "C" __global__ void gated_gelu(const Eight *gate, const Eight *up, Eight *out, int n) {
    int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= n) return;
    float g[8], u[8];
    widen(gate[at], g);
    widen(up[at], u);
    #pragma unroll
    for (int j = 0; j < 8; j++) g[j] = 0.5f * g[j] * (1.0f + erff(g[j] * 0.70710678f)) * u[j];
    out[at] = narrow(g);
}
"""
)

_ROTATE = Template(
    _COMMON
    + r"""
// A thread rotates two neighbouring planes of one head of one query or key.
#define PLANES ($size / 4)
extern "C" __global__ void rotate(u32 *qkv, const float2 *cosine, const float2 *sine, int tokens, int n) {
    int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= n) return;
    int plane = at % PLANES, head = at / PLANES % (2 * $heads), row = at / (PLANES * 2 * $heads);
    u32 *first = qkv + ((long long)row * 3 * $heads + head) * ($size / 2) + plane, *second = first + PLANES;
    float2 c = cosine[row % tokens * PLANES + plane], s = sine[row % tokens * PLANES + plane];
    float a0 = low(*first), a1 = high(*first), b0 = low(*second), b1 = high(*second);
    *first = both(a0 * c.x - b0 * s.x, a1 * c.y - b1 * s.y);
    *second = both(b0 * c.x + a0 * s.x, b1 * c.y + a1 * s.y);
}
"""
)

Kernel = Callable[..., None]


@cache
def _compiled(source: str, name: str, device: int) -> Kernel | None:
    """The kernel for that GPU, or None where this PyTorch cannot compile one."""
    # PyTorch asks for a CUDA toolkit's headers, which these kernels do not include.
    os.environ.setdefault("CUDA_HOME", sys.prefix)
    try:
        with torch.cuda.device(device):
            return torch.cuda._compile_kernel(source, name)
    except (AttributeError, ImportError, OSError, RuntimeError):
        return None


def _usable(*tensors: Tensor) -> bool:
    """Whether the kernels can read these tensors: bf16 on a GPU, whole vectors that follow each other, no gradients."""
    recorded = torch.is_grad_enabled() or torch.compiler.is_compiling()
    return (
        enabled
        and not recorded
        and all(t.is_cuda and t.dtype == torch.bfloat16 and t.is_contiguous() and t.shape[-1] % _VECTOR == 0 for t in tensors)
    )


def add_norm(x: Tensor, y: Tensor, norm: nn.LayerNorm, keep_sum: bool = True) -> tuple[Tensor, Tensor]:
    """x + y, and the norm of it. x, y: [..., width]. With keep_sum False, the first result is undefined."""
    width = x.shape[-1]
    kernel = None
    if _usable(x, y, norm.weight, norm.bias):
        source = _ADD_NORM.substitute(width=width, keep=int(keep_sum), epsilon=f"{norm.eps:e}")
        kernel = _compiled(source, "add_norm", x.get_device())
    if kernel is None:
        total = x + y
        return total, norm(total)
    rows = x.numel() // width
    total, normed = torch.empty_like(x) if keep_sum else x, torch.empty_like(x)
    kernel((-(-rows // _ROWS), 1, 1), (_WARP, _ROWS, 1), [x, y, norm.weight, norm.bias, total, normed, rows])
    return total, normed


def gated_gelu(gate: Tensor, up: Tensor) -> Tensor:
    """gelu(gate) * up, with the exact gelu (by erf). gate, up: of one shape."""
    kernel = _compiled(_GATED_GELU, "gated_gelu", gate.get_device()) if _usable(gate, up) else None
    if kernel is None:
        return F.gelu(gate) * up
    n, out = gate.numel() // _VECTOR, torch.empty_like(gate)
    kernel((-(-n // _BLOCK), 1, 1), (_BLOCK, 1, 1), [gate, up, out, n])
    return out


def linear_gelu(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """gelu(x weight' + bias), with the exact gelu (by erf), except in bf16 on a GPU. There cuBLAS computes gelu with the
    product, by tanh, whose error is below that of rounding to bf16. x: [..., inputs]; weight: [outputs, inputs]."""
    if bias is None or not _usable(x, weight, bias):
        return F.gelu(F.linear(x, weight, bias))
    flat = torch._addmm_activation(bias, x.flatten(0, -2), weight.T, use_gelu=True)
    return flat.unflatten(0, x.shape[:-1])


def rotate_in_place(qkv: Tensor, cosine: Tensor, sine: Tensor) -> bool:
    """Rotate queries and keys by the angles of their positions, without a copy. qkv: [n, tokens, 3, heads, size], in the order
    queries, keys, values; cosine, sine: [tokens, size / 2] fp32. Returns False, having done nothing, where no kernel can."""
    (n, tokens), (heads, size) = qkv.shape[:2], qkv.shape[3:]
    kernel = None
    if _usable(qkv):
        kernel = _compiled(_ROTATE.substitute(heads=heads, size=size), "rotate", qkv.get_device())
    if kernel is None:
        return False
    threads = n * tokens * 2 * heads * (size // 4)
    kernel((-(-threads // _BLOCK), 1, 1), (_BLOCK, 1, 1), [qkv, cosine, sine, tokens, threads])
    return True
