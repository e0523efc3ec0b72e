"""Modalities: what of a window an encoder reads."""

from typing import TypedDict

MODALITIES = ("dna", "protein", "gc")
"""In the order in which their columns stand side by side. `gc` is a single number, which needs no encoder."""

UNTRANSLATED = "-untranslated"
"""Ends the name of a protein encoder that is fed bases as if they were residues: a control, never a default."""


class EncoderRecord(TypedDict):
    """What made the features of one modality. weights: a digest, or "" where the encoder has none."""

    modality: str
    encoder: str
    weights: str
    pooling: str
