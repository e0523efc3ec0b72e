"""Embeddings of a shard side by side, if they are of the same windows and frames."""

import json
from dataclasses import replace

import numpy as np
import pytest

from virshort.errors import InputError
from virshort.features.merging import Embeddings, merge_modalities
from virshort.features.tensors import ROWS

WINDOWS = ["a", "b", "c"]
FRAMES = np.array([[0, 1], [1, 6], [2, 0], [2, 3]], np.int32)


def embeddings(modality: str, rows: int, frames: np.ndarray | None = None) -> Embeddings:
    header = {
        "modality": modality,
        "encoder": f"x-{modality}",
        "weights": "w",
        "pooling": "p",
        "windows_digest": "d",
        "device": "cpu",
    }
    return Embeddings(f"{modality}.safetensors", np.full((rows, 2), len(modality), np.float16), frames, header)


@pytest.mark.parametrize(("rows", "frames"), [(3, None), (4, FRAMES)])
@pytest.mark.parametrize("modalities", [("codon",), ("dna", "protein"), ("codon", "dna", "homology", "protein")])
def test_modalities_stand_side_by_side_whatever_their_order(
    rows: int, frames: np.ndarray | None, modalities: tuple[str, ...]
) -> None:
    each = [embeddings(m, rows, frames) for m in modalities]
    for given in (each, each[::-1]):
        tensors, header = merge_modalities("m.parquet", WINDOWS, "d", given)
        assert all(tensors.pop(m) is e.rows for m, e in zip(modalities, each, strict=True))
        assert tensors.pop(ROWS, None) is given[0].frames and not tensors
        assert [e["encoder"] for e in json.loads(header["encoders"])] == [f"x-{m}" for m in modalities]
        assert header["windows_digest"] == "d"


def test_embeddings_that_do_not_belong_together_are_named() -> None:
    dna, protein = embeddings("dna", 3), embeddings("protein", 3)
    with pytest.raises(InputError, match=r"protein\.safetensors: embeds windows other than those that m\.parquet lists"):
        merge_modalities("m.parquet", WINDOWS, "d", [dna, replace(protein, header=protein.header | {"windows_digest": "e"})])
    with pytest.raises(InputError, match=r"dna\.safetensors: has rows of 2 windows instead of 3 .* is c\)"):
        merge_modalities("m.parquet", WINDOWS, "d", [replace(dna, rows=dna.rows[:2]), protein])
    other = FRAMES.copy()
    other[0, 1] = 2
    for frames in (other, None):
        with pytest.raises(InputError, match="their rows are of different frames"):
            rows = 3 if frames is None else 4
            merge_modalities("m.parquet", WINDOWS, "d", [embeddings("dna", 4, FRAMES), embeddings("protein", rows, frames)])
