"""Which device and which number format to use: `auto` is the fastest that this machine supports in hardware."""

import torch

from virshort.encoders.gpu import require_gpu
from virshort.errors import InputError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(device: str) -> torch.device:
    """The device for auto, cpu or cuda; auto is the GPU if torch sees one. Raises InputError if cuda cannot be used."""
    if device == "cuda":
        require_gpu()
    return torch.device("cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu")


def choose_precision(precision: str, device: torch.device) -> torch.dtype:
    """The number format; auto is bf16 if the device has instructions for it, otherwise fp32, since emulated bf16 is several
    times slower than fp32. Raises InputError for an unknown name."""
    if precision == "auto":
        return torch.bfloat16 if has_bf16(device) else torch.float32
    if precision not in PRECISIONS:
        raise InputError(f"--precision {precision}: must be one of auto, {', '.join(PRECISIONS)}")
    return PRECISIONS[precision]


def has_bf16(device: torch.device) -> bool:
    """Whether this device multiplies bf16 in hardware."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16"))


def exact_fp32() -> None:
    """Make fp32 mean fp32: without TF32 in matrix products, results agree with the reference."""
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
