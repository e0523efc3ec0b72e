"""Encoders that count: k-mers of bases, and residues. They need no weights and no GPU."""

from virshort.encoders.encoder import Encoder, LoadSettings, refuse_model_settings
from virshort.errors import InputError
from virshort.modalities import UNTRANSLATED
from virshort.sequence.composition import dna_kmer_frequencies, residue_frequencies

KMER = 4


def load(name: str, settings: LoadSettings) -> Encoder:
    """kmer-dna, kmer-protein or kmer-protein-untranslated. Raises InputError for another name, and for settings that have no
    meaning here."""
    refuse_model_settings(name, settings)
    if name == "kmer-dna":
        pooling = f"canonical {KMER}-mer frequencies"
        return Encoder(name, "dna", 136, "", pooling, lambda sequences: dna_kmer_frequencies(sequences, KMER))
    if name.removesuffix(UNTRANSLATED) == "kmer-protein":
        return Encoder(name, "protein", 21, "", "residue frequencies and length", residue_frequencies)
    raise InputError(f"encoder {name}: is not one of kmer-dna and kmer-protein: choose one of these")
