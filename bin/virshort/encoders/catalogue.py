"""Encoders turn windows into vectors. A modality says what of a window an encoder is fed: its bases, or its translation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from virshort.encoders.progress import Log, Progress
from virshort.encoders.published import PUBLISHED
from virshort.errors import InputError
from virshort.modalities import UNTRANSLATED
from virshort.sequence.composition import dna_kmer_frequencies, residue_frequencies

KMER = 4


@dataclass(frozen=True)
class Encoder:
    """An encoder ready for use: `embed` takes n sequences (bases, or residues for protein) and gives [n, dim] float32 in
    their order.

    weights: digest of the published files, empty where there are none; pooling: how a row is made of a sequence's parts;
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
        """Are windows translated for it?"""
        return self.modality == "protein" and not self.name.endswith(UNTRANSLATED)


ENCODERS: dict[str, dict[str, int]] = {
    modality: kmers | {name: model.dim for name, model in PUBLISHED.items() if model.modality == modality}
    for modality, kmers in {"dna": {"kmer-dna": 136}, "protein": {"kmer-protein": 21}}.items()
}
"""Dimension of every encoder, by modality."""

_DEFAULTS = {"dna": ("kmer-dna", "dnabert-s"), "protein": ("kmer-protein", "esm2-650m")}


def choose_encoder(modality: str, name: str, weights: bool, device: str) -> str:
    """What `auto` stands for: the language model if its weights are given or a GPU is asked for, else k-mers. Any other
    name stands for itself."""
    return _DEFAULTS[modality][weights or device == "cuda"] if name == "auto" else name


def model_of(encoder: str) -> str | None:
    """The language model that an encoder needs the weights of; None for k-mers."""
    name = encoder.removesuffix(UNTRANSLATED)
    return name if name in PUBLISHED else None


def load_encoder(
    name: str,
    weights: Path | None = None,
    precision: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    log: Log = print,
    progress: Progress | None = None,
) -> Encoder:
    """The encoder of that name: one of ENCODERS, a protein encoder also with UNTRANSLATED after it.

    weights: the folder that holds a language model's fetched folder; precision, device, threads, log, progress: see
    load_language_model. Raises KeyError for a name that is not known, InputError for weights that cannot be used."""
    model = model_of(name)
    if model:
        from virshort.encoders.language_models import load_language_model  # seconds that k-mers need not wait for

        if weights is None:
            raise InputError(f"{name}: needs its weights: give their folder by --weights")
        return replace(load_language_model(model, weights, precision, device, threads, log=log, progress=progress), name=name)
    if name == "kmer-dna":
        return Encoder(
            name,
            "dna",
            ENCODERS["dna"][name],
            "",
            f"canonical {KMER}-mer frequencies",
            lambda sequences: dna_kmer_frequencies(sequences, KMER),
        )
    if name.removesuffix(UNTRANSLATED) == "kmer-protein":
        return Encoder(
            name, "protein", ENCODERS["protein"]["kmer-protein"], "", "residue frequencies and length", residue_frequencies
        )
    raise KeyError(name)
