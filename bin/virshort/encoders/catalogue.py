"""The encoders by name: what each reads, how long its vectors are, which process computes it, and which module loads it.

Those that count are listed here; language models are rows of a file (rows.py). Planning, training and reporting know no more of
encoders than this, and this imports none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module

from virshort.encoders.encoder import Encoder, LoadSettings
from virshort.encoders.rows import Row
from virshort.errors import InputError
from virshort.modalities import ENCODED, UNTRANSLATED

KMERS, CODON, DNABERT_S, ESM2, TRANSFORMERS = (
    f"virshort.encoders.{name}" for name in ("kmer_encoders", "codon_encoder", "dnabert_s", "esm2", "transformers_model")
)
MODULES = {"dnabert-s": DNABERT_S, "esm2": ESM2, "transformers": TRANSFORMERS}
"""The library module that loads each family of language models."""


@dataclass(frozen=True)
class Entry:
    """modality: what it reads; dim: numbers in a vector, 0 where that depends on the run; process: the Nextflow process that
    computes it, EMBED for language models, EMBED_KMERS for what is counted and SEARCH for matches; module: the library module
    whose `load` makes the encoder, empty where it is no function of the window alone; row: of a language model."""

    modality: str
    dim: int
    process: str
    module: str
    row: Row | None = None


Catalogue = Mapping[str, Entry]

COUNTED: dict[str, Entry] = {
    "kmer-dna": Entry("dna", 136, "EMBED_KMERS", KMERS),
    "kmer-protein": Entry("protein", 21, "EMBED_KMERS", KMERS),
    "codon": Entry("codon", 317, "EMBED_KMERS", CODON),
    "homology": Entry("homology", 0, "SEARCH", ""),
}
"""The encoders that need no weights."""
_DEFAULTS = {"dna": ("kmer-dna", "dnabert-s"), "protein": ("kmer-protein", "esm2-650m")}


def catalogue_of(rows: Mapping[str, Row]) -> Catalogue:
    """All encoders, with some rows as the language models. Raises InputError for a row with the name of another encoder."""
    if taken := [name for name in rows if name in COUNTED or name == "auto"]:
        raise InputError(f"encoder {taken[0]}: virshort gives this name to something else: choose another")
    return COUNTED | {name: Entry(row.modality, row.dim, "EMBED", MODULES[row.family], row) for name, row in rows.items()}


def by_modality(catalogue: Catalogue) -> dict[str, dict[str, int]]:
    """Numbers in a vector of every encoder, by modality."""
    names = {m: {name: entry.dim for name, entry in catalogue.items() if entry.modality == m} for m in ENCODED}
    return {modality: found for modality, found in names.items() if found}


def choose_encoder(modality: str, name: str, weights: bool, device: str) -> str:
    """The encoder that a name stands for. `auto` is the language model where its weights are given or a GPU is requested, and
    otherwise k-mers; any other name stands for itself."""
    return _DEFAULTS[modality][weights or device == "cuda"] if name == "auto" else name


def entry_of(encoder: str, catalogue: Catalogue) -> Entry:
    """The entry of an encoder, also of the untranslated form of a protein encoder. Raises InputError for an unknown name."""
    entry = catalogue.get(encoder.removesuffix(UNTRANSLATED))
    if entry is None or (encoder.endswith(UNTRANSLATED) and entry.modality != "protein"):
        raise InputError(
            f"encoder {encoder} is unknown: choose one of {', '.join(catalogue)}, or describe it in --encoders_file"
        )
    return entry


def row_of_encoder(encoder: str, catalogue: Catalogue) -> Row | None:
    """The language model whose weights an encoder needs; None if it needs none."""
    return entry_of(encoder, catalogue).row


def load_encoder(name: str, settings: LoadSettings = LoadSettings(), catalogue: Catalogue = COUNTED) -> Encoder:  # noqa: B008
    """The encoder of that name. Raises InputError for an unknown name and for weights that cannot be used."""
    entry = entry_of(name, catalogue)
    return import_module(entry.module).load(name, replace(settings, reading=entry.row.reading if entry.row else None))
