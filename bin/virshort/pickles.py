"""Reading torch's pickled files (.pt, .pth, .bin) without running what they ask for.

A pickle is a program. torch's restricted unpickler admits tensors and plain values. Whole pickled modules need five
more names; it is given empty stand-ins for them, so that not even the real classes' code is run, and their tensors are
then read out. Every other name, under whatever prefix, is refused before anything of it is imported or called.
"""

import pickle
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from virshort.errors import InputError


class _StandIn:
    """Takes a module's place: only its state is kept."""


class _Linear(_StandIn):
    pass


class _BatchNorm(_StandIn):
    pass


class _Dropout(_StandIn):
    pass


class _Head(_StandIn):
    pass


_STAND_INS = [
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
    """What torch.save wrote: plain values, containers and tensors (on the CPU); a whole head comes as WholeModule.

    Raises InputError naming what a file asks for beyond that, and for damaged files. Nothing of such a file is run."""
    try:
        value = _load(path)
    except FileNotFoundError as e:
        raise InputError(f"{path}: no such file") from e
    except pickle.UnpicklingError as e:
        raise InputError(f"{path}: {_reason(e)}") from e
    except _DAMAGE as e:
        raise InputError(f"{path}: damaged, or not a file of torch.save ({_first_line(e)}): get it anew") from e
    if isinstance(value, _Head):
        return WholeModule(_state(value))
    _refuse_stand_ins(value, path)
    return value


def _load(path: Path) -> Any:
    # The names are admitted for this one call and not for other readers in this process.
    with torch.serialization.safe_globals(_STAND_INS), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on protocols it does not know in full: what it does not know is an error
        return torch.load(path, map_location="cpu", weights_only=True)


def _reason(e: Exception) -> str:
    """Torch's reason in one line; its advice to load without restriction is left out."""
    name = re.search(r"GLOBAL (\S+)", str(e))
    if name:
        return (
            f"asks for {name[1]}, which is neither a tensor nor a part of VirNucPro's head: "
            "refused, and nothing of the file was run"
        )
    reason = _first_line(str(e).rpartition("WeightsUnpickler error:")[2])
    return (
        f"not a pickle of tensors and plain values ({reason}): refused, and nothing of the file was run; "
        "get it anew from a source you trust"
    )


def _first_line(e: Exception | str) -> str:
    lines = [line.strip() for line in str(e).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(e).__name__


def _state(module: _StandIn, prefix: str = "") -> dict[str, Tensor]:
    """Parameters and buffers of a module's kept state, by dotted name."""
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
    """Modules have no place inside a checkpoint's dicts and lists."""
    if isinstance(value, _StandIn):
        raise InputError(f"{path}: a pickled module where tensors are expected: refused")
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple | set) else ():
        _refuse_stand_ins(child, path)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """A file of nothing but named tensors, as published weights are. Raises InputError for anything else."""
    value = read(path)
    if not isinstance(value, dict) or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in value.items()):
        raise InputError(f"{path}: not a set of named tensors, as published weights are: get it anew")
    return {k: v.detach() for k, v in value.items()}
