"""Row-wise tensors on disk: written whole, read row by row, with the digest of the windows they follow.

Shards are read as one long table through memory maps, and what was read is let go again, so that training and evaluation
need the same memory for 10^5 windows as for 10^8, and their results do not depend on how windows were cut into shards.
"""

import json
import mmap
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from virshort.errors import InputError
from virshort.files import whole

_HEADER = "virshort"
_TYPES = {"F16": np.float16, "F32": np.float32}


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray], header: Mapping[str, str]) -> None:
    """Write tensors [n, d] with a header of strings. Raises InputError naming the row where a number is not finite."""
    for name, tensor in tensors.items():
        bad = np.flatnonzero(~np.isfinite(tensor).all(1))
        if len(bad):
            raise InputError(f"{path.name}: {name} of row {bad[0]} is not a finite number: report this as a bug")
    with whole(path) as temporary:
        # One entry, since safetensors writes several in no fixed order, and the same content is to be the same bytes.
        save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, temporary,
                  {_HEADER: json.dumps(header, sort_keys=True)})


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """All tensors of a file and its header. Raises InputError where the file is damaged."""
    try:
        with safe_open(path, "np") as f:
            return {k: f.get_tensor(k) for k in f.keys()}, json.loads(f.metadata()[_HEADER])  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError) as e:
        raise InputError(f"{path.name}: damaged or truncated ({e}): delete the task's work folder and resume") from e


def read_header(path: Path) -> dict[str, str]:
    """The header of a file, without its tensors."""
    with safe_open(path, "np") as f:
        return json.loads(f.metadata()[_HEADER])


class Features:
    """The rows of several shards' features, in the order given, as one table."""

    def __init__(self, paths: Sequence[Path]):
        self._tensors = [_map(p) for p in paths]
        counts = [len(next(iter(t.values()))) for t in self._tensors]
        self._first = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])

    def __len__(self) -> int:
        return int(self._first[-1])

    def dim(self, modalities: Sequence[str]) -> int:
        """Numbers in a row of these modalities."""
        return sum(self._tensors[0][m].shape[1] for m in modalities)

    def rows(self, rows: np.ndarray, modalities: Sequence[str]) -> np.ndarray:
        """Rows [n] of the table, the modalities side by side: [n, dim] as stored (float16 or float32)."""
        shard = np.searchsorted(self._first, rows, side="right") - 1
        kind = next(iter(self._tensors[0].values())).dtype
        out = np.empty((len(rows), self.dim(modalities)), kind)
        order = np.argsort(rows, kind="stable")  # in order of the disk
        cuts = np.searchsorted(shard[order], np.arange(len(self._tensors) + 1))
        for s in np.unique(shard):
            part = order[cuts[s]:cuts[s + 1]]
            column = 0
            for m in modalities:
                tensor = self._tensors[s][m]
                width = tensor.shape[1]
                out[part, column:column + width] = tensor[rows[part] - self._first[s]]
                column += width
                tensor.base.madvise(mmap.MADV_DONTNEED)  # the page cache keeps it; this process need not
        return out


def _map(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as f:
        memory = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    size = int.from_bytes(memory[:8], "little")
    header = json.loads(memory[8:8 + size])
    header.pop("__metadata__", None)
    return {name: np.ndarray(spec["shape"], _TYPES[spec["dtype"]], memory, 8 + size + spec["data_offsets"][0])
            for name, spec in header.items()}
