"""The encoder `codon`: codon usage and reading frames of a window, without weights and without a GPU."""

from virshort.encoders.encoder import Encoder, LoadSettings, refuse_model_settings
from virshort.errors import InputError
from virshort.sequence.codon_features import COLUMNS, codon_features


def load(name: str, settings: LoadSettings) -> Encoder:
    """codon. Raises InputError for another name, and for settings that have no meaning here."""
    refuse_model_settings(name, settings)
    if name != "codon":
        raise InputError(f"encoder {name}: is not codon: choose codon")
    pooling = "4-mers, codons of the two longest runs without a stop, residues, lengths of runs, stops"
    return Encoder(name, "codon", COLUMNS, "", pooling, lambda sequences: codon_features(sequences, settings.genetic_code))
