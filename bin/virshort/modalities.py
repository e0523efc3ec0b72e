"""Modalities: what of a window an encoder reads."""

MODALITIES = ("dna", "protein", "gc")
"""In the order in which their columns stand side by side. `gc` is a single number, which needs no encoder."""

UNTRANSLATED = "-untranslated"
"""Ends the name of a protein encoder that is fed bases as if they were residues: a control, never a default."""
