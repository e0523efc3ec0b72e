"""Training a head, compared with its bare matrix multiplications: the same shapes, the same number, one thread.

A training step multiplies five times: into the hidden layer, into the output layer, and for three gradients (the weights of
both layers and the input of the output layer). Validation after each epoch multiplies twice, once for each layer.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from common import Line, medians, report

from virshort.features.tensors import Features, write_tensors
from virshort.heads.architecture import CLASSES
from virshort.heads.training import LabelledWindows, Settings, train

HIDDEN = 512
WINDOWS, VALIDATION, DNA, PROTEIN, BATCH, SHARD, EPOCHS, REPEATS = 100_000, 20_000, 768, 1280, 256, 8192, 10, 3
BARE_EPOCHS = 2
"""Epochs of the bare multiplications that are measured. All epochs are alike, so the time of the others is extrapolated."""
PREDICTED = 1024
"""Rows that are multiplied at once in validation."""


def write_features(folder: Path, rng: np.random.Generator) -> list[Path]:
    """Random float16 features of all windows, in shards."""
    paths = []
    for first in range(0, WINDOWS + VALIDATION, SHARD):
        n = min(SHARD, WINDOWS + VALIDATION - first)
        tensors = {"dna": rng.standard_normal((n, DNA), np.float32), "protein": rng.standard_normal((n, PROTEIN), np.float32)}
        paths.append(folder / f"shard_{first // SHARD:05d}.features.safetensors")
        write_tensors(paths[-1], {k: v.astype(np.float16) for k, v in tensors.items()}, {"windows_digest": "none"})
    return paths


def bare() -> None:
    """The matrix multiplications of the same training, and nothing else."""
    inputs = DNA + PROTEIN
    x, hidden, logits = (
        torch.randn(BATCH * 64, n) for n in (inputs, HIDDEN, CLASSES)
    )  # as many rows as training reads at once
    w, v = torch.randn(HIDDEN, inputs), torch.randn(CLASSES, HIDDEN)
    for _ in range(BARE_EPOCHS):
        for xb, hb, yb in steps(WINDOWS, BATCH, x, hidden, logits):
            torch.mm(xb, w.T)
            torch.mm(hb, v.T)
            torch.mm(yb.T, hb)
            torch.mm(yb, v)
            torch.mm(hb.T, xb)
        for xb, hb, _ in steps(VALIDATION, PREDICTED, x, hidden, logits):
            torch.mm(xb, w.T)
            torch.mm(hb, v.T)


def steps(rows: int, size: int, *tensors: torch.Tensor) -> Iterator[list[torch.Tensor]]:
    """Slices of `size` rows, and a last one of the remaining rows, starting again at the end of the tensors."""
    room = len(tensors[0])
    for first in range(0, rows, size):
        at, n = first % room, min(size, rows - first)
        yield [t[at : at + n] for t in tensors]


def main() -> None:
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    rng = np.random.default_rng(1)
    features = Features(write_features(folder, rng))
    label = rng.integers(0, 2, WINDOWS + VALIDATION).astype(np.int8)
    training, validation = (
        LabelledWindows(lambda rows: features.rows(rows, ["dna", "protein"]), rows, label[rows])
        for rows in np.split(np.arange(len(label)), [WINDOWS])
    )

    def head(epochs: int) -> None:
        train(training, validation, DNA + PROTEIN, Settings(epochs, 1e-3, BATCH, 0.1, epochs, False, 1, 0, 0))

    head(1)  # the first call loads parts of torch
    ours, reference = medians([lambda: head(EPOCHS), bare], REPEATS)
    reference *= EPOCHS / BARE_EPOCHS
    report(
        [
            Line(
                f"training a head, {WINDOWS:,} x {DNA + PROTEIN}, {EPOCHS} epochs, one thread",
                f"{reference:.1f} s for its bare matrix multiplications",
                "<= 1.5x",
                f"{ours:.1f} s",
                f"{ours / reference:.2f}x",
                ours <= 1.5 * reference,
                f"both include {VALIDATION:,} validation windows after each epoch",
            )
        ]
    )


if __name__ == "__main__":
    main()
