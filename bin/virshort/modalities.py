"""Modalities: the part of a window that an encoder reads."""

from typing import TypedDict

MATCHES = "homology"
"""The modality whose features are the best matches among the sources."""

FINETUNED = "finetuned"
"""The modality whose features are log-odds by models that were trained end to end (virshort.finetuning)."""

ENCODED = ("dna", "protein", "codon", MATCHES, FINETUNED)
"""Modalities that an encoder reads: the bases, their translation, codons and frames, relatives among the sources, and the bases
or their translation once more, by an encoder that was trained on them."""

NUMBERS = ("gc", "length")
"""Modalities of one number each, from the manifest, which need no encoder: GC content, and length."""

MODALITIES = ENCODED + NUMBERS
"""In the order of their columns in a head's input."""

UNTRANSLATED = "-untranslated"
"""Ends the name of a protein encoder that reads bases as if they were residues: a control, never a default."""

OF_ARM = "finetuned-"
"""Begins the name of the encoder that an arm has trained end to end, which the name of the arm ends."""

GIVEN = "given"
"""Stands for the encoders of ready features, which are unknown."""


class EncoderRecord(TypedDict):
    """What made the features of one modality. weights: a digest, or "" where the encoder has none."""

    modality: str
    encoder: str
    weights: str
    pooling: str
