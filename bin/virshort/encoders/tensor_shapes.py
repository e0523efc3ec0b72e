"""Names and shapes of a model's published tensors, and whether a file has exactly these."""

from collections.abc import Mapping

from torch import Tensor

from virshort.errors import InputError

Shapes = dict[str, tuple[int, ...]]


def norm(name: str, width: int) -> Shapes:
    """The tensors of a LayerNorm."""
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def linear(name: str, inputs: int, outputs: int) -> Shapes:
    """The tensors of a linear layer."""
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def check_tensors(tensors: Mapping[str, Tensor], wanted: Shapes, where: str, model: str) -> None:
    """Raises InputError naming the first tensors that are missing, unexpected or misshapen."""
    wrong = [
        f"{name} is {list(tensors[name].shape)} instead of {list(shape)}"
        for name, shape in wanted.items()
        if name in tensors and tuple(tensors[name].shape) != shape
    ]
    lists = {
        "missing": sorted(wanted.keys() - tensors.keys()),
        "unexpected": sorted(tensors.keys() - wanted.keys()),
        "misshapen": wrong,
    }
    found = [
        f"{len(names)} {what}: {', '.join(names[:3])}{' ...' * (len(names) > 3)}" for what, names in lists.items() if names
    ]
    if found:
        raise InputError(f"{where}: not the tensors of {model}: {'; '.join(found)}: fetch the weights again")
