"""The encoders by name: what each reads, how long its vectors are, which process computes it, and which module loads it.

This table is all that planning, training and reporting know of encoders: it imports none of them, and it does not say where
their weights are published (published.py does).
"""

from dataclasses import dataclass
from importlib import import_module

from virshort.encoders.encoder import Encoder, LoadSettings
from virshort.errors import InputError
from virshort.modalities import ENCODED, UNTRANSLATED

KMERS, CODON, DNABERT_S, ESM2 = (
    f"virshort.encoders.{name}" for name in ("kmer_encoders", "codon_encoder", "dnabert_s", "esm2")
)


@dataclass(frozen=True)
class Entry:
    """modality: what it reads; dim: numbers in a vector; process: the Nextflow process that computes it, EMBED for language
    models and EMBED_KMERS for what is counted; module: the library module whose `load` makes the encoder."""

    modality: str
    dim: int
    process: str
    module: str


CATALOGUE = {
    "kmer-dna": Entry("dna", 136, "EMBED_KMERS", KMERS),
    "dnabert-s": Entry("dna", 768, "EMBED", DNABERT_S),
    "kmer-protein": Entry("protein", 21, "EMBED_KMERS", KMERS),
    "esm2-8m": Entry("protein", 320, "EMBED", ESM2),
    "esm2-35m": Entry("protein", 480, "EMBED", ESM2),
    "esm2-150m": Entry("protein", 640, "EMBED", ESM2),
    "esm2-650m": Entry("protein", 1280, "EMBED", ESM2),
    "esm2-3b": Entry("protein", 2560, "EMBED", ESM2),
    "fastesm2-650": Entry("protein", 1280, "EMBED", ESM2),
    "codon": Entry("codon", 317, "EMBED_KMERS", CODON),
}
ENCODERS: dict[str, dict[str, int]] = {
    modality: {name: entry.dim for name, entry in CATALOGUE.items() if entry.modality == modality}
    for modality in ENCODED
    if any(entry.modality == modality for entry in CATALOGUE.values())
}
"""Numbers in a vector of every encoder, by modality."""

_DEFAULTS = {"dna": ("kmer-dna", "dnabert-s"), "protein": ("kmer-protein", "esm2-650m")}


def choose_encoder(modality: str, name: str, weights: bool, device: str) -> str:
    """The encoder that a name stands for. `auto` is the language model where its weights are given or a GPU is requested, and
    otherwise k-mers; any other name stands for itself."""
    return _DEFAULTS[modality][weights or device == "cuda"] if name == "auto" else name


def entry_of(encoder: str) -> Entry:
    """The entry of an encoder, also of the untranslated form of a protein encoder. Raises InputError for an unknown name."""
    entry = CATALOGUE.get(encoder.removesuffix(UNTRANSLATED))
    if entry is None or (encoder.endswith(UNTRANSLATED) and entry.modality != "protein"):
        raise InputError(f"encoder {encoder} is unknown: choose one of {', '.join(CATALOGUE)}")
    return entry


def model_of(encoder: str) -> str | None:
    """The language model whose weights an encoder needs; None if it needs none."""
    return encoder.removesuffix(UNTRANSLATED) if entry_of(encoder).process == "EMBED" else None


def load_encoder(name: str, settings: LoadSettings = LoadSettings()) -> Encoder:  # noqa: B008 (it is frozen)
    """The encoder of that name. Raises InputError for an unknown name and for weights that cannot be used."""
    return import_module(entry_of(name).module).load(name, settings)
