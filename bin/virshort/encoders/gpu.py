"""Whether torch can use this machine's GPU and, if not, what to do."""

import os
from dataclasses import dataclass

import torch

from virshort.errors import InputError

MIN_FREE = 2 << 30
"""With fewer free bytes than this, the larger language models cannot even be loaded."""

OTHERWISE = "or continue without a GPU: leave out -profile gpu, or add --allow_cpu"


@dataclass(frozen=True)
class Gpu:
    """The GPU, or slice of one, that a task would use. capability: compute capability, such as (9, 0); free, total: bytes."""

    name: str
    capability: tuple[int, int]
    free: int
    total: int


def require_gpu() -> Gpu:
    """The GPU that torch would use. Raises InputError, with the remedy, if no GPU can be used.

    The free memory comes from the CUDA runtime, which knows the limits of a MIG slice, while nvidia-smi may report the whole
    card's."""
    if torch.version.cuda is None:
        raise InputError(
            f"PyTorch {torch.__version__} is built without CUDA: install the one in requirements.txt (make setup), "
            f"or use -profile docker,gpu; {OTHERWISE}"
        )
    try:
        torch.cuda.init()
        properties = torch.cuda.get_device_properties(0)
        free, total = torch.cuda.mem_get_info(0)
    except RuntimeError as e:
        raise InputError(f"{trouble(str(e))}; {OTHERWISE}") from e
    gpu = Gpu(properties.name, (properties.major, properties.minor), free, total)
    if gpu.capability < (oldest := min(capabilities(torch.cuda.get_arch_list()))):
        raise InputError(
            f"the GPU {gpu.name} (compute capability {'{}.{}'.format(*gpu.capability)}) is older than PyTorch "
            f"{torch.__version__} supports ({'{}.{}'.format(*oldest)}): use a newer one; {OTHERWISE}"
        )
    if free < MIN_FREE:
        raise InputError(
            f"the GPU {gpu.name} has {free / 2**30:.1f} of {total / 2**30:.1f} GiB free, and {MIN_FREE >> 30} GiB "
            "are needed: end the programs that use it (nvidia-smi lists them), or choose another with "
            f"CUDA_VISIBLE_DEVICES; {OTHERWISE}"
        )
    return gpu


def capabilities(architectures: list[str]) -> list[tuple[int, int]]:
    """Compute capabilities for which torch has kernels: ['sm_75', 'sm_120'] -> [(7, 5), (12, 0)]."""
    numbers = [a.removeprefix("sm_").rstrip("af") for a in architectures if a.startswith("sm_")]
    return [(int(n[:-1]), int(n[-1])) for n in numbers]


def trouble(message: str) -> str:
    """What an error message of CUDA means, and what to do."""
    if "too old" in message or "driver version is insufficient" in message:
        return (
            f"the NVIDIA driver is too old for CUDA {torch.version.cuda} (nvidia-smi shows its version): update it "
            "(CUDA 13 needs 580 or newer)"
        )
    if "no NVIDIA driver" in message:
        return (
            "no NVIDIA driver was found: this machine has no GPU or no driver (does nvidia-smi work?), or the container was "
            "started without its GPU option"
        )
    if "No CUDA GPUs" in message or "no CUDA-capable device" in message:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        return "no GPU is visible: " + (
            "the driver shows none (does nvidia-smi?)"
            if visible is None
            else f"CUDA_VISIBLE_DEVICES is '{visible}'; unset or correct it"
        )
    if "out of memory" in message:
        return "the GPU's memory is too small, or in use by other programs (nvidia-smi lists them): end those"
    if "no kernel image" in message:
        return f"PyTorch {torch.__version__} has no kernels for this GPU: use a newer one"
    return f"the GPU cannot be used ({message.strip().splitlines()[0]}): check that nvidia-smi works"
