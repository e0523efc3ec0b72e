"""Window sets as steps find them: for each shard a manifest, and the features of one or several encoders that hold the digest
of its windows, pool by pool.

Windows and rows are counted separately: a window has one row, or one per stop-free frame (virshort.features.frames).

Files are named <purpose>.<set>.shard_<number>.windows.parquet and <purpose>.<set>.shard_<number>.<encoder>.safetensors.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from virshort.errors import InputError
from virshort.features.tensors import STRETCH, Features
from virshort.files import content_digest, digest
from virshort.manifest_files import read_columns, summarize_manifest
from virshort.modalities import NUMBERS, EncoderRecord

SCALED_TO_ONE = (150, 3000)
"""Lengths in bp that the modality `length` turns into -1 and 1."""


def scaled_length(length: np.ndarray) -> np.ndarray:
    """The modality `length`: the logarithm of lengths in bp, [n], scaled to -1 at 150 bp and 1 at 3000 bp. Unknown lengths (0)
    become -1. Returns [n] float32."""
    low, high = np.log2(SCALED_TO_ONE)
    known = np.where(length > 0, length, SCALED_TO_ONE[0])
    return (2 * (np.log2(known) - low) / (high - low) - 1).astype(np.float32)


class WindowFeatures:
    """The rows of the pools of a window set, one after another.

    manifests: of the shards, in order; encoders: what made the features, in the order of their modalities' names."""

    def __init__(self, folder: Path, pools: Sequence[str]):
        """Find the shards of `pools` in a folder, and all features that are there of each.

        Raises InputError if a file is missing or damaged, if features are not those of the windows that their manifest lists,
        and if shards differ in their encoders."""
        found = _shards(folder, pools)
        self.manifests = list(found)
        self._summaries = [summarize_manifest(m) for m in self.manifests]
        self._windows = [s.windows for s in self._summaries]
        self.features = Features(list(found.values()))
        self.encoders = _encoders(self.features.headers[0])
        for manifest, summary, paths, headers in zip(
            self.manifests, self._summaries, found.values(), self.features.headers, strict=True
        ):
            for path, header in zip(paths, headers, strict=True):
                if header["windows_digest"] != summary.digest:
                    raise InputError(f"{path.name}: of windows other than those that {manifest.name} lists: resume the run")
            if _encoders(headers) != self.encoders:
                first = self.manifests[0].name
                raise InputError(f"{manifest.name}: its features are of encoders other than those of {first}: resume the run")
        self._first = self._first_rows([paths[0] for paths in found.values()])
        self._numbers = {"gc": self.column("gc"), "length": scaled_length(self.length)}

    def _first_rows(self, paths: Sequence[Path]) -> np.ndarray | None:
        """Where the rows of each window begin, followed by the number of rows: [windows + 1] int64; None if each window has
        one.

        Raises InputError if a window has no row, or if rows are not in the order of the windows."""
        starts, at = [], 0
        for path, rows, windows, size in zip(
            paths, self.features.rows_of_shards, self._windows, self.features.shard_sizes, strict=True
        ):
            of = np.arange(size) if rows is None else rows[:, 0]
            if not np.array_equal(np.unique(of), np.arange(windows)) or (np.diff(of) < 0).any():
                raise InputError(
                    f"{path.name}: its {size} rows are not those of {windows} windows in order: "
                    "delete the task's work folder and resume"
                )
            starts.append(at + np.searchsorted(of, np.arange(windows)))
            at += size
        return None if at == len(self) else np.concatenate([*starts, [at]])

    def __len__(self) -> int:
        """How many windows there are."""
        return sum(self._windows)

    @property
    def frame_rows(self) -> dict[str, int] | None:
        """If rows are frames: how many rows there are, and how many windows have no stop-free frame. Otherwise None."""
        tables = [t for t in self.features.rows_of_shards if t is not None]
        return (
            {
                "rows": len(self.features),
                "windows_without_stop_free_frame": sum(int((t[:, 1] == STRETCH).sum()) for t in tables),
            }
            if tables
            else None
        )

    def rows_of(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The rows of some windows, window by window, and where among them those of each window begin (None: one row each)."""
        if self._first is None:
            return windows, None
        begin = self._first[windows]
        count = self._first[windows + 1] - begin
        first = np.cumsum(count) - count
        return np.repeat(begin - first, count) + np.arange(count.sum()), first

    def knows(self, name: str) -> bool:
        """Whether the manifests have this column, with values in it. Those of ready features lack some columns."""
        return all(name in s.columns for s in self._summaries) and any(
            read_columns(m, [name])[name].null_count < n for m, n in zip(self.manifests, self._windows, strict=True)
        )

    @property
    def length(self) -> np.ndarray:
        """Length of the windows in bp, [n]; 0 if it is unknown."""
        return self.column("length") if self.knows("length") else np.zeros(len(self), np.int64)

    def column(self, name: str) -> np.ndarray:
        """A numeric column of the manifests, [n]."""
        return np.concatenate([read_columns(m, [name])[name].to_numpy() for m in self.manifests])

    @property
    def digest(self) -> str:
        """Digest of the windows, their order, the encoders that made their features, and the frames of the rows."""
        return digest(json.dumps([self.encoders, self.frame_rows]), *map(content_digest, self.manifests))

    def tables(self, columns: Sequence[str], size: int) -> Iterator[pa.Table]:
        """Columns of the manifests, `size` rows at a time (the last time fewer), independent of the shards."""
        rest: pa.Table | None = None
        for manifest in self.manifests:
            table = read_columns(manifest, columns)
            rest = pa.concat_tables([rest, table]) if rest else table
            while rest.num_rows >= size:
                yield rest.slice(0, size)
                rest = rest.slice(size)
        if rest:
            yield rest

    def codes(self, name: str) -> tuple[np.ndarray, list[str]]:
        """A text column of the manifests as integer codes [n] and the sorted texts that they stand for; "" if unknown."""
        column = pa.chunked_array(
            [
                c.combine_chunks().fill_null("").dictionary_encode()
                for c in (read_columns(m, [name])[name] for m in self.manifests)
            ]
        ).unify_dictionaries()
        texts = column.chunk(0).dictionary.to_pylist()
        order = sorted(range(len(texts)), key=lambda i: texts[i])
        rank = np.empty(len(texts), np.int64)
        rank[order] = np.arange(len(texts))
        return rank[np.concatenate([c.indices.to_numpy() for c in column.chunks])], [texts[i] for i in order]

    def inputs(self, modalities: Sequence[str]) -> int:
        """How many numbers a head gets from these modalities."""
        numbers = [m for m in modalities if m in NUMBERS]
        return self.features.dim([m for m in modalities if m not in NUMBERS]) + len(numbers)

    def rows(self, rows: np.ndarray, modalities: Sequence[str]) -> np.ndarray:
        """Some rows, [n, inputs]: first what was encoded, then the numbers from the manifest, in the order of `modalities`."""
        encoded = [m for m in modalities if m not in NUMBERS]
        parts = [self.features.rows(rows, encoded)] if encoded else []
        if numbers := [self._numbers[m] for m in modalities if m in NUMBERS]:
            window = rows if self._first is None else np.searchsorted(self._first, rows, side="right") - 1
            parts += [values[window, None] for values in numbers]
        return parts[0] if len(parts) == 1 else np.hstack(parts)


def _shards(folder: Path, pools: Sequence[str]) -> dict[Path, list[Path]]:
    """The manifests of some pools in order, with the features of each sorted by name.

    Raises InputError if a pool has no shard, or a shard no features."""
    of_shard: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*.safetensors")):
        of_shard[path.name.rsplit(".", 2)[0]].append(path)  # without .<encoder>.safetensors
    found: dict[Path, list[Path]] = {}
    for pool in pools:
        manifests = folder.glob(f"{pool.replace('/', '.')}.shard_*.windows.parquet")
        for manifest in sorted(manifests, key=lambda p: (len(p.name), p.name)):
            found[manifest] = of_shard[manifest.name.removesuffix(".windows.parquet")]
            if not found[manifest]:
                raise InputError(f"{manifest.name}: there are no features of its windows: resume the run")
    if not found:
        raise InputError(f"{', '.join(pools)}: no shards found: delete the task's work folder and resume")
    return found


def _encoders(headers: Sequence[dict[str, str]]) -> list[EncoderRecord]:
    """What made the features of a shard, sorted by modality. headers: of its files."""
    return sorted((e for header in headers for e in json.loads(header["encoders"])), key=lambda e: e["modality"])
