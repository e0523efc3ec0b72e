"""Shards of features that a run kept in its results folder (--keep_features), read back as rows with ids and labels.

The folder holds features/<encoding>/<purpose>.<set>.shard_<number>.features.safetensors, and
windows/<purpose>/<set>/metadata.json lists the digests of the shards that the folder's last run drew.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from virshort.errors import InputError
from virshort.features.tensors import FRAMES, ROWS, STRETCH, read_tensors
from virshort.files import content_digest, read_json

_NAME = re.compile(r"(train|test)\.(\w+)\.shard_(\d+)\.features\.safetensors")


@dataclass(frozen=True)
class KeptRows:
    """ids: n strings, each a window and its frame; data: [n, d] float32, DNA first; labels: [n] int8."""

    ids: list[str]
    data: np.ndarray
    labels: np.ndarray


def read_kept_shards(features: Sequence[Path], manifests: Sequence[Path]) -> KeptRows:
    """The rows of shards of one run, in the order given. manifests: those of the features, in the same order.

    Raises InputError if a manifest is not that of its features, and if shards come from different runs: made by different
    encoders, left over from an earlier run, or with a window in common."""
    if len(features) != len(manifests):
        raise InputError(
            f"--features: {len(features)} files, but --windows: {len(manifests)}: give one manifest for each shard"
        )
    ids: list[str] = []
    rows, labels = [], []
    shard_of: dict[str, str] = {}
    encoders = None
    for manifest, path in zip(manifests, features, strict=True):
        tensors, header = read_tensors(path)
        if header["manifest_digest"] != content_digest(manifest):
            raise InputError(f"{path.name}: follows other windows than {manifest.name} lists: give both in the same order")
        _check_last_run(path, header["windows_digest"])
        encoders = encoders or header["encoders"]
        if header["encoders"] != encoders:
            raise InputError(
                f"{path.name}: made by {_names(header['encoders'])}, but {features[0].name} by {_names(encoders)}: "
                "give shards of one run"
            )
        if not {"dna", "protein"} <= tensors.keys():
            raise InputError(f"{path.name}: holds {' and '.join(sorted(tensors))} only: give features of both DNA and protein")
        table = pq.read_table(manifest, columns=["window", "label"])
        windows = table["window"].to_pylist()
        for window in windows:
            if window in shard_of:
                raise InputError(
                    f"{path.name}: its window {window} is also in {shard_of[window]}, so they are of two runs or draws: "
                    "give shards of one run, each once"
                )
            shard_of[window] = path.name
        frames = tensors.get(ROWS)
        if frames is None:
            frames = np.column_stack([np.arange(len(windows)), np.full(len(windows), STRETCH)])
        ids += [f"{windows[window]}{FRAMES[frame]}" for window, frame in frames.tolist()]
        rows.append(np.concatenate([tensors["dna"], tensors["protein"]], 1, dtype=np.float32))
        labels.append(table["label"].to_numpy()[frames[:, 0]])
    return KeptRows(ids, np.concatenate(rows), np.concatenate(labels))


def _check_last_run(path: Path, windows_digest: str) -> None:
    """Raise InputError for a shard that the last run of its results folder did not draw. Elsewhere than in a results folder
    there is nothing to compare it with."""
    named = _NAME.fullmatch(path.name)
    if not named:
        return
    record = path.absolute().parents[2] / "windows" / named[1] / named[2] / "metadata.json"
    if not record.is_file():
        return
    digests, number = read_json(record)["digests"], int(named[3])
    if number >= len(digests) or digests[number] != windows_digest:
        raise InputError(
            f"{path.name}: not a shard of this folder's last run, whose windows {record} lists, but of an earlier one: "
            "delete the folder features and run again with -resume"
        )


def _names(encoders: str) -> str:
    return " and ".join(f"{e['encoder']} ({e['weights'] or 'no weights'})" for e in json.loads(encoders))
