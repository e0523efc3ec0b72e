"""Which device and which numbers: `auto` is the fastest that this machine's processors compute natively."""

import torch

from virshort.encoders.gpu import require_gpu
from virshort.errors import InputError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(device: str) -> torch.device:
    """auto is the GPU if torch sees one. Raises InputError where cuda is asked for and cannot be used."""
    if device == "cuda":
        require_gpu()
    return torch.device("cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu")


def choose_precision(precision: str, device: torch.device) -> torch.dtype:
    """auto is bf16 where the device has instructions for it, else fp32. Emulated bf16 is exact but several times slower
    than fp32. Raises InputError for an unknown name."""
    if precision == "auto":
        return torch.bfloat16 if has_bf16(device) else torch.float32
    if precision not in PRECISIONS:
        raise InputError(f"--precision {precision}: one of auto, {', '.join(PRECISIONS)}")
    return PRECISIONS[precision]


def has_bf16(device: torch.device) -> bool:
    """Does this device multiply bf16 in hardware?"""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16"))


def exact_fp32() -> None:
    """fp32 means fp32: no TF32 in matrix products, so that the numbers are those of the reference."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
