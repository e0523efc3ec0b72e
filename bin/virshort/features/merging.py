"""The embeddings of a shard, one modality each, as features: all modalities side by side, in the manifest's order."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from virshort.errors import InputError
from virshort.features.tensors import ROWS, read_tensors


@dataclass(frozen=True)
class Embeddings:
    """What embed.py writes of a shard. rows: [rows, d]; frames: window and frame of each row, [rows, 2], or None if each window
    has one row; header: modality, encoder, weights, pooling, windows_digest ... as strings."""

    file: str
    rows: np.ndarray
    frames: np.ndarray | None
    header: dict[str, str]

    @property
    def windows(self) -> int:
        """How many windows have rows."""
        return len(self.rows) if self.frames is None else len(np.unique(self.frames[:, 0]))


def read_embeddings(path: Path) -> Embeddings:
    """Raises InputError if the file is damaged."""
    tensors, header = read_tensors(path)
    return Embeddings(path.name, tensors["embeddings"], tensors.get(ROWS), header)


def merge_modalities(
    manifest: str, windows: Sequence[str], windows_digest: str, embeddings: Sequence[Embeddings]
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The tensors and the header of the features. manifest: its file name; windows: the ids that it lists; windows_digest: the
    digest of these windows.

    Raises InputError if embeddings are not those of these windows, or of different frames."""
    for e in embeddings:
        if e.header["windows_digest"] != windows_digest:
            raise InputError(f"{e.file}: embeds windows other than those that {manifest} lists: resume the run")
        if e.windows != len(windows):
            first = windows[min(e.windows, len(windows) - 1)]
            raise InputError(
                f"{e.file}: has rows of {e.windows} windows instead of {len(windows)} (the first that is amiss is {first}): "
                "resume the run"
            )
    frames = embeddings[0].frames
    if not all(_equal(e.frames, frames) for e in embeddings):
        raise InputError(f"{', '.join(e.file for e in embeddings)}: their rows are of different frames: resume the run")
    tensors = {e.header["modality"]: e.rows for e in embeddings}
    if frames is not None:
        tensors[ROWS] = frames
    encoders = [{key: e.header[key] for key in ("modality", "encoder", "weights", "pooling")} for e in embeddings]
    encoders.sort(key=lambda encoder: encoder["modality"])
    return tensors, {"windows_digest": windows_digest, "encoders": json.dumps(encoders)}


def _equal(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is b if a is None or b is None else np.array_equal(a, b)
