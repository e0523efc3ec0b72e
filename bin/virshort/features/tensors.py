"""Row-wise tensors on disk: written whole, read row by row, with the digest of the windows that they follow.

Each encoder writes a file of its own for each shard. Shards are read through memory maps as one long table, in which the files
of a shard stand side by side. Pages are released after reading, so that training and evaluation need as much memory for 10^5
windows as for 10^8, and their results do not depend on how windows were divided into shards.

A window has one row, or several if rows are frames. In that case the tensor ROWS says for each row which window of the shard
and which frame it belongs to.
"""

import errno
import hashlib
import json
import mmap
import resource
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from virshort.errors import InputError, RowError
from virshort.files import damaged, whole

FRAMES = ("F1", "F2", "F3", "R1", "R2", "R3", "LS")
"""The frames of rows, by VirNucPro's names: the strand, and at which of its first three bases the frame begins. LS is the
longest stop-free stretch of the window."""
STRETCH = FRAMES.index("LS")
ROWS = "rows"
"""Name of a tensor [rows, 2] int32: window, and index into FRAMES. Absent if every window has one row."""
_HEADER, _CONTENT = "virshort", "content"
_BLOCK = 1 << 24  # bytes hashed at once
_TYPES = {"F16": np.float16, "F32": np.float32, "I32": np.int32}


def as_stored(vectors: np.ndarray, storage: str, made_by: str) -> np.ndarray:
    """Vectors [n, dim] in the type in which features are kept, float16 or float32. made_by: what they come from, for the
    message. Raises RowError for the first vector with a number that this type cannot hold."""
    with np.errstate(over="ignore"):  # reported below with the row
        stored = vectors.astype(storage)
    bad = np.flatnonzero(~np.isfinite(stored).all(axis=1))
    if len(bad):
        raise RowError(int(bad[0]), f"{made_by} results in numbers that are not finite in {storage}: use --precision fp32")
    return stored


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray], header: Mapping[str, str]) -> None:
    """Write tensors [n, d] with a header of strings. Raises InputError naming the first row with a number that is not
    finite."""
    for name, tensor in tensors.items():
        bad = np.flatnonzero(~np.isfinite(tensor).all(1))
        if len(bad):
            raise InputError(f"{path.name}: {name} of row {bad[0]} has a number that is not finite: report this as a bug")
    tensors = {k: np.ascontiguousarray(v) for k, v in tensors.items()}
    header = {**header, _CONTENT: _content(tensors, header)}
    with whole(path) as temporary:
        # One entry, since safetensors writes several entries in no fixed order, but equal content must give equal bytes.
        save_file(tensors, temporary, {_HEADER: json.dumps(header, sort_keys=True)})


def _content(tensors: Mapping[str, np.ndarray], header: Mapping[str, str]) -> str:
    """SHA-256 of the header, and of the tensors' names, types, shapes and numbers."""
    h = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        h.update(f"{name} {tensor.dtype.str} {tensor.shape}".encode())
        raw = tensor.reshape(-1).view(np.uint8)
        for first in range(0, len(raw), _BLOCK):
            h.update(raw[first : first + _BLOCK].data)
            _release_pages(tensor)
    return h.hexdigest()


def _release_pages(tensor: np.ndarray) -> None:
    """Remove the pages of a mapped file from this process's memory; the page cache keeps them."""
    if isinstance(tensor.base, mmap.mmap):
        tensor.base.madvise(mmap.MADV_DONTNEED)


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """All tensors of a file and its header, compared with its digest. Raises InputError if the file is damaged."""
    try:
        with safe_open(path, "np") as f:
            tensors, header = {k: f.get_tensor(k) for k in f.keys()}, json.loads(f.metadata()[_HEADER])  # noqa: SIM118
        return tensors, _checked(tensors, header)
    except (SafetensorError, OSError, ValueError, LookupError, TypeError) as e:
        raise damaged(path, e) from e


def _checked(tensors: Mapping[str, np.ndarray], header: dict[str, str]) -> dict[str, str]:
    """The header without the digest that it holds. Raises ValueError if that is not the digest of the content."""
    expected = header.pop(_CONTENT)
    if _content(tensors, header) != expected:
        raise ValueError("its content does not match its digest")
    return header


class Features:
    """The rows of the features of several shards, in the order given, as one table. headers: those of the files of each shard;
    rows_of_shards: the tensor ROWS of each, or None."""

    def __init__(self, shards: Sequence[Sequence[Path]]):
        """Map the files of each shard and compare them with their digests.

        Raises InputError if one is damaged, if those of a shard have different rows, and if they are too many."""
        _hold_many_open()
        self._tensors: list[dict[str, np.ndarray]] = []
        self.headers: list[list[dict[str, str]]] = []
        self.rows_of_shards: list[np.ndarray | None] = []
        counts = []
        for paths in shards:
            tensors, headers = zip(*map(_map, paths), strict=True)
            table = [t.pop(ROWS, None) for t in tensors]
            count = [len(rows) for t in tensors for rows in t.values()]
            if len({*count}) > 1 or not all(_equal(t, table[0]) for t in table):
                names = ", ".join(p.name for p in paths)
                raise InputError(f"{names}: their rows are of different windows or frames: resume the run")
            self._tensors.append({name: rows for t in tensors for name, rows in t.items()})
            self.headers.append(list(headers))
            self.rows_of_shards.append(table[0])
            counts.append(count[0])
        self._first = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])

    def __len__(self) -> int:
        return int(self._first[-1])

    @property
    def shard_sizes(self) -> list[int]:
        """Rows of each shard."""
        return np.diff(self._first).tolist()

    def dim(self, modalities: Sequence[str]) -> int:
        """How many numbers a row of these modalities has."""
        return sum(self._tensors[0][m].shape[1] for m in modalities)

    def rows(self, rows: np.ndarray, modalities: Sequence[str]) -> np.ndarray:
        """Rows [n] of the table, the modalities side by side: [n, dim] as stored (float16 or float32)."""
        shard = np.searchsorted(self._first, rows, side="right") - 1
        kind = np.result_type(*(self._tensors[0][m] for m in modalities))
        out = np.empty((len(rows), self.dim(modalities)), kind)
        order = np.argsort(rows, kind="stable")  # in the order of the disk
        cuts = np.searchsorted(shard[order], np.arange(len(self._tensors) + 1))
        for s in np.unique(shard):
            part = order[cuts[s] : cuts[s + 1]]
            column = 0
            for m in modalities:
                tensor = self._tensors[s][m]
                width = tensor.shape[1]
                out[part, column : column + width] = tensor[rows[part] - self._first[s]]
                column += width
                _release_pages(tensor)
        return out


def join(odds: np.ndarray, first: np.ndarray | None) -> np.ndarray:
    """The largest value among the rows of each window. odds: [rows]; first: [windows], ascending, where the rows of each window
    begin (None: one row per window). Returns [windows]."""
    if first is None or not len(first):
        return odds
    return np.maximum.reduceat(odds, first)


def spread(values: np.ndarray, first: np.ndarray | None, rows: int) -> np.ndarray:
    """The value of each window, repeated for each of its rows: [windows] -> [rows]. first: as in `join`."""
    return values if first is None else np.repeat(values, np.diff(first, append=rows))


def _equal(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is b if a is None or b is None else np.array_equal(a, b)


def _hold_many_open() -> None:
    """Let this process hold as many files open as it may, since every shard is a map, and Python keeps the file of a map
    open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _map(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Tensors whose pages are read from the file when they are used, and the header."""
    try:
        with path.open("rb") as f:
            memory = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        with safe_open(path, "np"):  # refuses a header that does not match the file
            pass
        size = int.from_bytes(memory[:8], "little")
        specs = json.loads(memory[8 : 8 + size])
        header = json.loads(specs.pop("__metadata__")[_HEADER])
        tensors = {
            name: np.ndarray(spec["shape"], _TYPES[spec["dtype"]], memory, 8 + size + spec["data_offsets"][0])
            for name, spec in specs.items()
        }
        return tensors, _checked(tensors, header)
    except (SafetensorError, OSError, ValueError, LookupError, TypeError) as e:
        if isinstance(e, OSError) and e.errno == errno.EMFILE:
            limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            raise InputError(
                f"{path.name}: there are more shards than files that a process may hold open ({limit}): raise `ulimit -Hn`, or "
                "run again with a larger --windows_per_shard"
            ) from e
        raise damaged(path, e) from e
