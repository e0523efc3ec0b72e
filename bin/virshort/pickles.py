"""Reading torch's pickled files (.pt, .pth, .bin) without running any of the code that they name.

A pickle is a program. torch's restricted unpickler admits tensors and plain values. Whole pickled modules need five more names,
for which it gets empty stand-ins, so that not even the code of the real classes runs; the tensors are then read from these.
Every other name, with whatever prefix, is refused before anything of it is imported or called.
"""

import pickle
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from virshort.errors import InputError


class _StandIn:
    """Takes the place of a module and keeps its state only."""


class _Linear(_StandIn):
    pass


class _BatchNorm(_StandIn):
    pass


class _Dropout(_StandIn):
    pass


class _Head(_StandIn):
    pass


_STAND_INS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (_Linear, "torch.nn.modules.linear.Linear"),
    (_BatchNorm, "torch.nn.modules.batchnorm.BatchNorm1d"),
    (_Dropout, "torch.nn.modules.dropout.Dropout"),
    (_Head, "__main__.MLPClassifier"),
    set,
]
_DAMAGE = (RuntimeError, EOFError, ValueError, LookupError, AttributeError, TypeError, OSError, ImportError)


@dataclass(frozen=True)
class WholeModule:
    """A pickled VirNucPro head: its tensors by name, as its state_dict would give them."""

    tensors: dict[str, Tensor]


def read(path: Path) -> Any:
    """What torch.save wrote: plain values, containers and tensors (on the CPU); a whole head becomes a WholeModule.

    Raises InputError for damaged files and for files that ask for anything else, which it names. Nothing of such a file is
    run."""
    try:
        value = _load(path)
    except FileNotFoundError as e:
        raise InputError(f"{path}: does not exist: check the path") from e
    except pickle.UnpicklingError as e:
        raise InputError(f"{path}: {_reason(e)}") from e
    except _DAMAGE as e:
        raise InputError(f"{path}: damaged, or not written by torch.save ({_first_line(e)}): download or copy it again") from e
    if isinstance(value, _Head):
        return WholeModule(_state(value))
    _refuse_stand_ins(value, path)
    return value


def _load(path: Path) -> Any:
    # The names are admitted for this call only, not for other readers in this process.
    with torch.serialization.safe_globals(_STAND_INS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about protocols that it supports in part: what it does not support is an error
        return torch.load(path, map_location="cpu", weights_only=True)


def _reason(e: Exception) -> str:
    """Torch's reason in one line, without its advice to load the file without restriction."""
    name = re.search(r"GLOBAL (\S+)", str(e))
    if name:
        return (
            f"asks for {name[1]}, which is neither a tensor nor a part of VirNucPro's head: "
            "refused, and nothing of the file was run"
        )
    reason = _first_line(str(e).rpartition("WeightsUnpickler error:")[2])
    return (
        f"not a pickle of tensors and plain values ({reason}): refused, and nothing of the file was run; "
        "download it again from a source that you trust"
    )


def _first_line(e: Exception | str) -> str:
    lines = [line.strip() for line in str(e).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(e).__name__


def _state(module: _StandIn, prefix: str = "") -> dict[str, Tensor]:
    """Parameters and buffers in the kept state of a module, by dotted name."""
    out = {}
    for kind in ("_parameters", "_buffers"):
        for name, value in (module.__dict__.get(kind) or {}).items():
            if isinstance(value, Tensor):
                out[prefix + name] = value.detach()
    for name, child in (module.__dict__.get("_modules") or {}).items():
        if isinstance(child, _StandIn):
            out |= _state(child, f"{prefix}{name}.")
    return out


def _refuse_stand_ins(value: Any, path: Path) -> None:
    """Refuse modules inside the dicts and lists of a checkpoint."""
    if isinstance(value, _StandIn):
        raise InputError(f"{path}: a pickled module where tensors are expected: refused, and nothing of the file was run")
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ():
        _refuse_stand_ins(child, path)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file that holds named tensors only, as published weights do. Raises InputError for anything else."""
    value = read(path)
    if not isinstance(value, dict) or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in value.items()):
        raise InputError(f"{path}: not a set of named tensors, as published weights are: download it again")
    return {k: v.detach() for k, v in value.items()}
