"""The windows that a split trains an encoder on and validates it with, as read from the shards of a pool."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from virshort.errors import InputError
from virshort.heads.arm_data import TrainingSets
from virshort.heads.splits import split_rows
from virshort.manifest_files import read_columns
from virshort.windows.shards import read_listed_shard


@dataclass(frozen=True)
class LabelledSequences:
    """sequences: bases of n windows; label: [n] int8, 0 or 1."""

    sequences: list[bytes]
    label: np.ndarray


def read_split(
    folder: Path, sets: TrainingSets, window_set: str, fold: int, training_folds: int | None
) -> tuple[LabelledSequences, LabelledSequences]:
    """The training and the validation windows of the split that tests `fold`, from the shards in a folder, in their order.

    They are the windows that heads of the same split learn from. training_folds: how many folds it learns from (None: all).
    Raises InputError where a manifest lists windows other than those of its shard."""
    manifests = sorted(folder.glob("shard_*.windows.parquet"), key=lambda p: (len(p.name), p.name))
    if not manifests:
        raise InputError(f"{folder}: there are no shards of windows in it: resume the run")
    tables = [read_columns(m, ["label", "fold"]) for m in manifests]
    label, of_fold = (np.concatenate([t[name].to_numpy() for t in tables]) for name in ("label", "fold"))
    size = sets["train"][window_set]["size"]
    chosen = split_rows(label, of_fold, fold, sets["folds"], size, sets["viral_share"], training_folds)
    needed = np.isin(np.arange(len(label)), np.concatenate(chosen))
    sequences: dict[int, bytes] = {}
    first = 0
    for manifest, table in zip(manifests, tables, strict=True):
        shard = read_listed_shard(manifest.with_name(manifest.name.replace(".windows.parquet", ".fa.gz")), manifest)
        here = np.flatnonzero(needed[first : first + table.num_rows]).tolist()
        sequences |= {first + i: shard.sequences[i] for i in here}
        first += table.num_rows
    training, validation = (LabelledSequences([sequences[i] for i in rows.tolist()], label[rows]) for rows in chosen)
    return training, validation
