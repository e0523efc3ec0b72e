"""Encoders turn windows into vectors. A modality says what of a window an encoder is fed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from virshort.kmers import dna_kmer_frequencies, residue_frequencies

KMER = 4


@dataclass(frozen=True)
class Encoder:
    """An encoder ready for use: `embed` takes n sequences (bases, or residues for protein) and gives [n, dim] float32.

    weights: digest of the weights, empty where there are none; pooling: how a row is made of a sequence's parts."""

    name: str
    modality: str
    dim: int
    weights: str
    pooling: str
    embed: Callable[[Sequence[bytes]], np.ndarray]


ENCODERS: dict[str, dict[str, int]] = {"dna": {"kmer-dna": 136}, "protein": {"kmer-protein": 21}}
"""Dimension of every encoder, by modality."""


def load_encoder(name: str) -> Encoder:
    """The encoder of that name. Raises KeyError for a name that is not in ENCODERS."""
    if name == "kmer-dna":
        return Encoder(name, "dna", ENCODERS["dna"][name], "", f"canonical {KMER}-mer frequencies",
                       lambda sequences: dna_kmer_frequencies(sequences, KMER))
    if name == "kmer-protein":
        return Encoder(name, "protein", ENCODERS["protein"][name], "", "residue frequencies and length", residue_frequencies)
    raise KeyError(name)
