"""Proteins, their mutated relatives, and genes for both."""

import numpy as np
from Bio.Data.CodonTable import unambiguous_dna_by_id

CODON: dict[str, str] = {}
for _codon, _residue in sorted(unambiguous_dna_by_id[1].forward_table.items()):
    CODON.setdefault(_residue, _codon)
RESIDUES = sorted(CODON)


def protein(rng: np.random.Generator, residues: int) -> str:
    return "".join(rng.choice(RESIDUES, residues))


def mutated(rng: np.random.Generator, peptide: str, identity: float) -> str:
    """A relative in which exactly that share of the residues is the same, and the others are any."""
    changed = rng.permutation(len(peptide))[: round(len(peptide) * (1 - identity))]
    letters = list(peptide)
    for i in changed:
        letters[i] = rng.choice([r for r in RESIDUES if r != letters[i]])
    return "".join(letters)


def gene(peptide: str) -> bytes:
    return "".join(CODON[r] for r in peptide).encode()
