"""What every encoder is, and what it is told when it is loaded.

Each kind of encoder has a module with a function `load(name, settings) -> Encoder`; catalogue.py says which module loads which
encoder. embed.py imports that module by its name, so that the code of one encoder is no part of another's digest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from virshort.encoders.progress import Log, Progress
from virshort.encoders.reading import Reading
from virshort.errors import InputError
from virshort.modalities import UNTRANSLATED


@dataclass(frozen=True)
class Encoder:
    """An encoder ready for use: `embed` takes n sequences (bases, or residues for protein) and returns their vectors,
    [n, dim] float32, in the same order.

    weights: digest of the published files, empty where there are none; pooling: how the parts of a sequence become one vector;
    precision, device: what it computes with."""

    name: str
    modality: str
    dim: int
    weights: str
    pooling: str
    embed: Callable[[Sequence[bytes]], np.ndarray]
    precision: str = "fp32"
    device: str = "cpu"

    @property
    def translates(self) -> bool:
        """Whether windows are translated before this encoder reads them."""
        return self.modality == "protein" and not self.name.endswith(UNTRANSLATED)


@dataclass(frozen=True)
class LoadSettings:
    """How to load an encoder. weights: the folder that holds a language model's fetched folder; precision: auto, fp32, bf16 or
    fp16; device: auto, cpu or cuda; threads: of the CPU, all of its cores if None; budget: tokens in a batch, the device's own
    default if None; genetic_code: by NCBI's number, for an encoder that reads codons itself; reading: how a language model
    reads sequences, where its family does not know it; log: takes lines for the user; progress: is told of every batch."""

    weights: Path | None = None
    precision: str = "auto"
    device: str = "auto"
    threads: int | None = None
    budget: int | None = None
    genetic_code: int = 1
    reading: Reading | None = None
    log: Log = print
    progress: Progress | None = None


def refuse_model_settings(name: str, settings: LoadSettings) -> None:
    """Raise InputError for settings that have no meaning for an encoder that counts."""
    if settings.weights is not None or settings.device == "cuda" or settings.precision not in ("auto", "fp32"):
        raise InputError(
            f"{name}: is computed on the CPU in fp32 and has no weights: leave out --weights, --device and --precision"
        )
