"""Shards of features that a run kept in its results folder (--keep_features), read back as rows with ids and labels.

The folder holds features/<encoder>/<purpose>.<set>.shard_<number>.<encoder>.safetensors for the windows of
windows/<purpose>/<set>/shard_<number>.windows.parquet, and metadata.json beside these lists the digests of the shards that the
folder's last run drew.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from virshort.errors import InputError
from virshort.features.tensors import FRAMES, STRETCH, Features
from virshort.files import read_json
from virshort.manifest_files import read_manifest

_NAME = re.compile(r"(train|test)\.(\w+)\.shard_(\d+)\.[\w-]+\.safetensors")


@dataclass(frozen=True)
class KeptRows:
    """ids: n strings, each a window and its frame; data: [n, d] float32, DNA first; labels: [n] int8."""

    ids: list[str]
    data: np.ndarray
    labels: np.ndarray


def read_kept_shards(dna: Sequence[Path], protein: Sequence[Path], manifests: Sequence[Path]) -> KeptRows:
    """The rows of shards of one run, in the order given. dna, protein: the features of each shard by both encoders; manifests:
    those of the shards, all in the same order.

    Raises InputError if features are not those of the manifest's windows, and if shards come from different runs: made by
    different encoders, left over from an earlier run, or with a window in common."""
    for name, files in (("--dna", dna), ("--protein", protein)):
        if len(files) != len(manifests):
            raise InputError(
                f"{name}: {len(files)} files, but --windows: {len(manifests)}: give one file and one manifest for each shard"
            )
    ids: list[str] = []
    rows, labels = [], []
    shard_of: dict[str, str] = {}
    first: str | None = None
    for manifest, *paths in zip(manifests, dna, protein, strict=True):
        table, windows_digest = read_manifest(manifest)
        features = Features([paths])
        encoders = []
        for path, modality, header in zip(paths, ("dna", "protein"), features.headers[0], strict=True):
            if header["windows_digest"] != windows_digest:
                raise InputError(
                    f"{path.name}: of windows other than those that {manifest.name} lists: give all files in the same order"
                )
            _check_last_run(path, windows_digest)
            (encoder,) = json.loads(header["encoders"])
            if encoder["modality"] != modality:
                raise InputError(f"{path.name}: holds {encoder['modality']} features: --{modality} is for others")
            encoders.append(f"{encoder['encoder']} ({encoder['weights'] or 'no weights'})")
        name, made_by = paths[0].name, " and ".join(encoders)
        first = first or made_by
        if made_by != first:
            raise InputError(f"{name}: made by {made_by}, but {dna[0].name} by {first}: give shards of one run")
        windows = table["window"].to_pylist()
        for window in windows:
            if window in shard_of:
                raise InputError(
                    f"{name}: its window {window} is also in {shard_of[window]}, so they are of two runs or draws: "
                    "give shards of one run, each once"
                )
            shard_of[window] = name
        frames = features.rows_of_shards[0]
        if frames is None:
            frames = np.column_stack([np.arange(len(windows)), np.full(len(windows), STRETCH)])
        ids += [f"{windows[window]}{FRAMES[frame]}" for window, frame in frames.tolist()]
        rows.append(features.rows(np.arange(len(features)), ["dna", "protein"]).astype(np.float32))
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
