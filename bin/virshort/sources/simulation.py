"""Genomes that never were, for the demo and the tests: viral and nonviral, in lineages of strains.

Composition is inherited and deviates on the way: label, kingdom, family, lineage. A composition is a weight for each
codon and for each base after the two before it. Genes are open reading frames of independent codons, drawn by the
codon weights; what lies between them is a Markov chain of order two. A strain is a mutated copy of its lineage, and
some bacteria carry a stretch of a phage. All weights are drawn from the seed, none is taken from a real genome, so
results on these genomes say how the pipeline works and nothing about real viruses.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from Bio.Data.CodonTable import unambiguous_dna_by_id

from virshort.labels import LABELS

BASES = np.frombuffer(b"ACGT", np.uint8)
_CODE = unambiguous_dna_by_id[1]
SENSE = sorted(_CODE.forward_table)
"""The 61 codons of an amino acid, in alphabetical order."""


def _codes(codons: list[str]) -> np.ndarray:
    """[n, 3] uint8, A, C, G, T as 0..3."""
    return np.array([["ACGT".index(b) for b in codon] for codon in codons], np.uint8)


_SENSE = _codes(SENSE)
_STOP = _codes(sorted(_CODE.stop_codons))
_START = _codes(["ATG"])[0]
_AMINO = np.unique([_CODE.forward_table[c] for c in SENSE], return_inverse=True)[1]
_STRONG = np.array([0, 1, 1, 0])
"""G and C pair strongly."""


@dataclass(frozen=True)
class Kingdom:
    """How genomes of a kingdom are built.

    lineages: how many; length: bases of a record, from and to; codons: of a gene, on average; spacer: bases between
    genes, on average; gc: share of G and C that lineages deviate from; segments: records of a genome, from and to;
    both_strands: whether genes lie on both."""

    name: str
    label: str
    lineages: int
    length: tuple[int, int]
    codons: int
    spacer: int
    gc: float
    segments: tuple[int, int] = (1, 1)
    both_strands: bool = True


KINGDOMS = (
    Kingdom("phage", "viral", 14, (20_000, 40_000), 210, 60, 0.47),
    Kingdom("plant virus", "viral", 14, (2_600, 2_900), 230, 110, 0.44, segments=(1, 2)),
    Kingdom("animal virus", "viral", 14, (1_500, 6_000), 600, 50, 0.45, segments=(1, 4), both_strands=False),
    Kingdom("bacteria", "nonviral", 16, (25_000, 45_000), 310, 120, 0.50),
    Kingdom("archaea", "nonviral", 12, (25_000, 40_000), 280, 100, 0.48),
    Kingdom("fungi", "nonviral", 12, (25_000, 45_000), 440, 500, 0.45),
)
"""Lineages enough for seven clusters of each label in each of five folds: no cluster need give more than 5 % of the
windows of its label."""
PER_FAMILY = 3
"""Lineages of a family, at most."""
SPREAD = {"label": 0.3, "kingdom": 0.15, "family": 0.3, "lineage": 0.3}
"""Standard deviation that each level adds to the logarithm of a weight. Chosen so that k-mers and residues tell 150 bp
of a lineage held out in 70-85 % of cases, and 500-3000 bp in 85-95 %."""
GC_SPREAD = {"label": 0.0, "kingdom": 0.0, "family": 0.25, "lineage": 0.15}
"""Standard deviation that each level adds to the log odds of G and C."""
STRAINS = (0.45, 0.25, 0.18, 0.12)
"""Chance of 1, 2, 3, 4 strains in a lineage: most clusters are small, a few hold much."""
STRAIN_RATE = (0.005, 0.03)
"""Substitutions a base in a strain, from and to."""
PROPHAGES, PROPHAGE = 3, 12_000
"""How many bacterial lineages carry a stretch of a phage, and how long it is."""
COMMON = 300
"""Bases that all segments of a genome share, as the common region of begomoviruses: clustering joins them by it."""


@dataclass(frozen=True)
class Composition:
    """Logarithms of weights. codon: [61]; follow: [64] for each base after each two; strong: log odds of G and C."""

    codon: np.ndarray = field(default_factory=lambda: np.zeros(len(SENSE)))
    follow: np.ndarray = field(default_factory=lambda: np.zeros(64))
    strong: float = 0.0

    def deviate(self, level: str, rng: np.random.Generator) -> "Composition":
        """An heir of this composition. Amino acids and their synonymous codons deviate alike."""
        amino, synonym, follow = rng.normal(size=20)[_AMINO], rng.normal(size=len(SENSE)), rng.normal(size=64)
        sd = SPREAD[level]
        return Composition(
            self.codon + sd * (amino + synonym), self.follow + sd * follow, self.strong + GC_SPREAD[level] * rng.normal()
        )

    def codon_chances(self) -> np.ndarray:
        """[61] chance of each sense codon."""
        weight = np.exp(self.codon + self.strong * _STRONG[_SENSE].sum(1))
        return weight / weight.sum()

    def follow_chances(self) -> np.ndarray:
        """[16, 4] chance of each base after each two."""
        weight = np.exp(self.follow.reshape(16, 4) + self.strong * _STRONG)
        return weight / weight.sum(1, keepdims=True)


@dataclass(frozen=True)
class Record:
    """A simulated source. letters: [length] uint8."""

    source: str
    label: str
    kingdom: str
    family: str
    lineage: str
    letters: np.ndarray


def simulate(seed: int, kingdoms: tuple[Kingdom, ...] = KINGDOMS) -> Iterator[Record]:
    """All records, in a fixed order: the same seed gives the same records.

    Phages must come before bacteria, which carry stretches of them. The first viral record's start comes again as a
    record too short for any window, and a nonviral record is nearly all N: both are to be left out by the input check.
    """
    phages: list[np.ndarray] = []
    records: dict[str, Record] = {}
    for number, kingdom in enumerate(kingdoms):
        for i, (family, composition) in enumerate(lineages(seed, number, kingdom)):
            rng = _rng(seed, 4, number, i)
            segments = [
                genome(kingdom, composition, int(rng.integers(*kingdom.length, endpoint=True)), rng)
                for _ in range(rng.integers(*kingdom.segments, endpoint=True))
            ]
            if kingdom.name == "phage":
                phages += segments
            elif kingdom.name == "bacteria" and i < min(PROPHAGES, len(phages)):
                segments[0] = carry(segments[0], phages[i], rng)
            lineage = f"{kingdom.name.replace(' ', '_')}_{i + 1:02d}"
            for source, codes in strains(lineage, segments, composition, rng):
                record = Record(source, kingdom.label, kingdom.name, family, lineage, blemish(BASES[codes], rng))
                records.setdefault(kingdom.label, record)
                yield record
    for label, first in records.items():
        if label == "viral":
            yield replace(first, source=f"{first.lineage}_fragment", letters=first.letters[:120])
        else:
            letters = np.pad(first.letters[:100], (0, 900), constant_values=ord("N"))
            yield replace(first, source=f"{first.lineage}_gap", letters=letters)


def strains(
    lineage: str, segments: list[np.ndarray], composition: Composition, rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray]]:
    """(id, bases) of each segment of each strain. Segments of a strain begin with the same stretch."""
    common = markov(composition.follow_chances(), COMMON if len(segments) > 1 else 0, rng)
    for strain in range(1, 2 + int(rng.choice(len(STRAINS), p=STRAINS))):
        rate = rng.uniform(*STRAIN_RATE)
        shared = mutate(common, rate, rng)
        for j, segment in enumerate(segments, 1):
            part = f"_segment{j}" if len(segments) > 1 else ""
            yield f"{lineage}_strain{strain}{part}", np.concatenate([shared, mutate(segment, rate, rng)])


def carry(host: np.ndarray, phage: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The host with a diverged stretch of the phage in it, as a prophage."""
    start, at = int(rng.integers(len(phage) // 2)), int(rng.integers(len(host)))
    return np.concatenate([host[:at], mutate(phage[start : start + PROPHAGE], 0.01, rng), host[at:]])


def blemish(letters: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Some records get what real ones have: a run of N, a few ambiguous bases, stretches in lower case."""
    letters = letters.copy()
    if rng.random() < 0.25:
        start = int(rng.integers(len(letters)))
        letters[start : start + int(rng.integers(5, 200))] = ord("N")
    if rng.random() < 0.25:
        letters[rng.integers(0, len(letters), 4)] = rng.choice(np.frombuffer(b"RYSWKM", np.uint8), 4)
    if rng.random() < 0.25:
        start = int(rng.integers(len(letters)))
        letters[start : start + int(rng.integers(100, 2000))] |= 0x20
    return letters


def lineages(seed: int, number: int, kingdom: Kingdom) -> Iterator[tuple[str, Composition]]:
    """(family, composition) of each lineage of a kingdom."""
    inherited = Composition(strong=float(np.log(kingdom.gc / (1 - kingdom.gc))))
    inherited = inherited.deviate("label", _rng(seed, 0, 1 - LABELS.index(kingdom.label)))
    inherited = inherited.deviate("kingdom", _rng(seed, 1, number))
    for i in range(kingdom.lineages):
        family = inherited.deviate("family", _rng(seed, 2, number, i // PER_FAMILY))
        yield f"{kingdom.name} family {i // PER_FAMILY + 1}", family.deviate("lineage", _rng(seed, 3, number, i))


def genome(kingdom: Kingdom, composition: Composition, length: int, rng: np.random.Generator) -> np.ndarray:
    """[length or a little more] uint8 0..3: genes, and what lies between them."""
    chances, follow = composition.codon_chances(), composition.follow_chances()
    pieces, total, forward = [], 0, True
    while total < length:
        codons = _SENSE[rng.choice(len(SENSE), max(50, int(rng.gamma(3, kingdom.codons / 3))), p=chances)]
        gene = np.concatenate([_START, codons.ravel(), _STOP[rng.integers(3)]])
        if kingdom.both_strands and rng.random() < 0.3:
            forward = not forward
        spacer = markov(follow, 3 + int(rng.exponential(kingdom.spacer)), rng)
        pieces += [spacer, gene if forward else 3 - gene[::-1]]
        total += len(spacer) + len(gene)
    return np.concatenate(pieces)


def markov(follow: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """[length] uint8 0..3 of a chain of order two. follow: [16, 4] chance of each base after each two."""
    bounds, state = np.cumsum(follow, 1)[:, :3].tolist(), int(rng.integers(16))
    chain = np.empty(length, np.uint8)
    for i, x in enumerate(rng.random(length).tolist()):
        a, b, c = bounds[state]
        base = (x > a) + (x > b) + (x > c)
        chain[i] = base
        state = (state & 3) << 2 | base
    return chain


def mutate(codes: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """A copy with `rate` of its bases substituted, and an insertion or deletion of 1-9 bases for every 30 of those."""
    copy = codes.copy()
    at = np.flatnonzero(rng.random(len(codes)) < rate)
    copy[at] = (copy[at] + rng.integers(1, 4, len(at), np.uint8)) & 3
    cuts = np.sort(rng.integers(0, len(codes), rng.poisson(len(codes) * rate / 30)))
    pieces, start = [], 0
    for cut in cuts.tolist():
        size = int(rng.integers(1, 10))
        if cut < start:
            continue
        pieces.append(copy[start:cut])
        if rng.random() < 0.5:
            pieces.append(rng.integers(0, 4, size, np.uint8))
            start = cut
        else:
            start = cut + size
    return np.concatenate([*pieces, copy[start:]])


def _rng(*path: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(path))
