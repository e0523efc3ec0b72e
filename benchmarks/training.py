"""Training a head, compared with its bare matrix multiplications: the same shapes, the same number, one thread.

A training step multiplies once for each layer, and for two gradients of each: that of its weights and, except in the first,
that of its input. Validation after each epoch multiplies once for each layer.
"""

import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import Line, medians, report

from virshort.features.tensors import Features, write_tensors
from virshort.heads.architecture import CLASSES, HIDDEN
from virshort.heads.labelled_windows import LabelledWindows
from virshort.heads.settings import Settings
from virshort.heads.training import train

WINDOWS, VALIDATION, BATCH, SHARD, EPOCHS, REPEATS = 100_000, 20_000, 256, 8192, 10, 3
WIDTHS = {"dna": 768, "protein": 1280, "codon": 317}
HEADS: tuple[tuple[list[str], dict[str, Any]], ...] = (
    (["dna", "protein"], {}),
    (["codon"], {"hidden": (1024, 512), "weight_decay": 0.1, "one_cycle": True, "standardize": True}),
)
"""The default head on two language models, and the head of the arm `codon`."""
BARE_EPOCHS = 2
"""Epochs of the bare multiplications that are measured. All epochs are alike, so the time of the others is extrapolated."""
PREDICTED = 1024
"""Rows that are multiplied at once in validation."""


def write_features(folder: Path, rng: np.random.Generator) -> list[list[Path]]:
    """Random float16 features of all windows, in shards of one file each."""
    paths = []
    for first in range(0, WINDOWS + VALIDATION, SHARD):
        n = min(SHARD, WINDOWS + VALIDATION - first)
        tensors = {name: rng.standard_normal((n, width), np.float32) for name, width in WIDTHS.items()}
        paths.append([folder / f"shard_{first // SHARD:05d}.all.safetensors"])
        write_tensors(paths[-1][0], {k: v.astype(np.float16) for k, v in tensors.items()}, {"windows_digest": "none"})
    return paths


def bare(inputs: int, hidden: Sequence[int]) -> None:
    """The matrix multiplications of the same training, and nothing else."""
    widths = [inputs, *hidden, CLASSES]
    # As many rows as training reads at once
    rows = [torch.randn(BATCH * 64, n) for n in widths]
    weights = [torch.randn(after, before) for before, after in pairwise(widths)]
    for _ in range(BARE_EPOCHS):
        for batch in steps(WINDOWS, BATCH, *rows):
            for i, w in enumerate(weights):
                torch.mm(batch[i], w.T)
                torch.mm(batch[i + 1].T, batch[i])
                if i:  # the inputs of the head have no gradient
                    torch.mm(batch[i + 1], w)
        for batch in steps(VALIDATION, PREDICTED, *rows):
            for i, w in enumerate(weights):
                torch.mm(batch[i], w.T)


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
    report([measured(features, label, modalities, options) for modalities, options in HEADS])


def measured(features: Features, label: np.ndarray, modalities: list[str], options: dict[str, Any]) -> Line:
    """The line of one head."""
    training, validation = (
        LabelledWindows(lambda rows: features.rows(rows, modalities), rows, label[rows])
        for rows in np.split(np.arange(len(label)), [WINDOWS])
    )
    inputs, hidden = features.dim(modalities), options.get("hidden", HIDDEN)

    def head(epochs: int) -> None:
        train(training, validation, inputs, Settings(epochs, 1e-3, BATCH, 0.1, epochs, False, 1, 0, 0, **options))

    head(1)  # the first call loads parts of torch
    ours, reference = medians([lambda: head(EPOCHS), lambda: bare(inputs, hidden)], REPEATS)
    reference *= EPOCHS / BARE_EPOCHS
    shape = "-".join(map(str, (inputs, *hidden, CLASSES)))
    return Line(
        f"training a head, {shape}, {WINDOWS:,} windows, {EPOCHS} epochs, one thread",
        f"{reference:.1f} s for its bare matrix multiplications",
        "<= 1.5x",
        f"{ours:.1f} s",
        f"{ours / reference:.2f}x",
        ours <= 1.5 * reference,
        f"both include {VALIDATION:,} validation windows after each epoch",
    )


if __name__ == "__main__":
    main()
