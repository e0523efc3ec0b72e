"""Simulated viral and nonviral genomes for the demo and the tests.

Each lineage inherits its composition from its label, kingdom and family, and deviates at every level. A composition is a weight
for each codon, and for each base given the two bases before it. Genes are open reading frames of independent codons, drawn
by their weights; the sequence between genes is a Markov chain of order two. Strains are mutated copies of their lineage, and
some bacteria have a prophage. All weights are drawn from the seed and none comes from a real genome, so results on these
genomes show that the pipeline works but say nothing about real viruses.

The lineages of a family have part of their genes from common ancestors, each with substitutions of its own. Their proteins are
50-90 % identical, but their codons are drawn again, their order and strand are random, and the sequence between genes is
unrelated. So lineages share no 31-mers and are clusters of their own, and only a search for proteins finds their relatives.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from Bio.Data.CodonTable import unambiguous_dna_by_id

from virshort.errors import InputError
from virshort.labels import LABELS

BASES = np.frombuffer(b"ACGT", np.uint8)
_CODE = unambiguous_dna_by_id[1]
SENSE = sorted(_CODE.forward_table)
"""The 61 codons that code for an amino acid, in alphabetical order."""


def _codes(codons: list[str]) -> np.ndarray:
    """[n, 3] uint8: codons with A, C, G, T as 0..3."""
    return np.array([["ACGT".index(b) for b in codon] for codon in codons], np.uint8)


_SENSE = _codes(SENSE)
_STOP = _codes(sorted(_CODE.stop_codons))
_START = _codes(["ATG"])[0]
_AMINO = np.unique([_CODE.forward_table[c] for c in SENSE], return_inverse=True)[1]
_BY_AMINO = np.argsort(_AMINO, kind="stable")
"""The sense codons by their amino acid, so that synonymous ones are next to each other."""
_STRONG = np.array([0, 1, 1, 0])
"""1 for G and C, whose pairs are strong."""


@dataclass(frozen=True)
class Kingdom:
    """How the genomes of a kingdom are simulated.

    lineages: their number; length: range of the bases per record; codons: mean length of a gene; spacer: mean bases between
    genes; gc: share of G and C, from which lineages deviate; inherited: share of the genes that come from the family's
    ancestor; segments: range of the records per genome; both_strands: whether there are genes on both strands."""

    name: str
    label: str
    lineages: int
    length: tuple[int, int]
    codons: int
    spacer: int
    gc: float
    inherited: float
    segments: tuple[int, int] = (1, 1)
    both_strands: bool = True


KINGDOMS = (
    Kingdom("phage", "viral", 14, (20_000, 40_000), 210, 60, 0.47, 0.5),
    Kingdom("plant virus", "viral", 14, (2_600, 2_900), 230, 110, 0.44, 0.7, segments=(1, 2)),
    Kingdom("animal virus", "viral", 14, (1_500, 6_000), 600, 50, 0.45, 0.7, segments=(1, 4), both_strands=False),
    Kingdom("bacteria", "nonviral", 16, (25_000, 45_000), 310, 120, 0.50, 0.3),
    Kingdom("archaea", "nonviral", 12, (25_000, 40_000), 280, 100, 0.48, 0.3),
    Kingdom("fungi", "nonviral", 12, (25_000, 45_000), 440, 500, 0.45, 0.3),
)
"""There are enough lineages for seven clusters of each label in each of five folds, so that no cluster needs to give more than
5 % of the windows of its label."""
FAMILIES = (4, 3, 1, 2, 3, 1)
"""How many lineages the families of a kingdom have, from the first to the last and again. Some have one, and no relatives."""
IDENTITY = (0.72, 0.94)
"""Range of the identity of a protein to its ancestor. Two descendants are thus about 52-88 % identical."""
SPREAD = {"label": 0.3, "kingdom": 0.15, "family": 0.3, "lineage": 0.3}
"""Standard deviation that each level adds to the logarithm of a weight. The values are chosen so that k-mers and residues
classify 70-85 % of 150 bp windows correctly for lineages that were not in training, and 85-95 % of 500-3000 bp windows."""
GC_SPREAD = {"label": 0.0, "kingdom": 0.0, "family": 0.25, "lineage": 0.15}
"""Standard deviation that each level adds to the log-odds of G and C."""
STRAINS = (0.45, 0.25, 0.18, 0.12)
"""Probability of 1, 2, 3 and 4 strains in a lineage: most clusters are small, and a few are large."""
STRAIN_RATE = (0.005, 0.03)
"""Range of the substitutions per base in a strain."""
UNSEEN = 1000
"""The number from which the lineages and families are counted that only `simulate_unseen` gives."""
PROPHAGES, PROPHAGE = 3, 12_000
"""The number of bacterial lineages with a prophage, and its length."""
COMMON = 300
"""Bases shared by all segments of a genome, like the common region of begomoviruses, so that clustering joins the segments."""


@dataclass(frozen=True)
class Composition:
    """Logarithms of weights. codon: [61]; follow: [64] for each base after each pair of bases; strong: log-odds of G and C."""

    codon: np.ndarray = field(default_factory=lambda: np.zeros(len(SENSE)))
    follow: np.ndarray = field(default_factory=lambda: np.zeros(64))
    strong: float = 0.0

    def deviate(self, level: str, rng: np.random.Generator) -> "Composition":
        """A composition that inherits from this one. Amino acids and synonymous codons deviate with one standard deviation."""
        amino, synonym, follow = rng.normal(size=20)[_AMINO], rng.normal(size=len(SENSE)), rng.normal(size=64)
        sd = SPREAD[level]
        return Composition(
            self.codon + sd * (amino + synonym), self.follow + sd * follow, self.strong + GC_SPREAD[level] * rng.normal()
        )

    def codon_chances(self) -> np.ndarray:
        """[61] probability of each sense codon."""
        weight = np.exp(self.codon + self.strong * _STRONG[_SENSE].sum(1))
        return weight / weight.sum()

    def follow_chances(self) -> np.ndarray:
        """[16, 4] probability of each base after each pair of bases."""
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


def check_seed(seed: int) -> None:
    """Raise InputError for a seed from which no random numbers can be drawn."""
    if seed < 0:
        raise InputError(f"--seed {seed}: must be 0 or more")


def simulate(seed: int, kingdoms: tuple[Kingdom, ...] = KINGDOMS) -> Iterator[Record]:
    """All records, in a fixed order. The same seed gives the same records.

    Phages must come before bacteria, since they are the source of prophages. Two last records are there to be left out by the
    input check: the start of the first viral record, which is too short for any window, and a nonviral one of mostly N.
    """
    phages: list[np.ndarray] = []
    records: dict[str, Record] = {}
    for number, kingdom in enumerate(kingdoms):
        ancestors: dict[str, list[np.ndarray]] = {}
        for i, (family, composition) in enumerate(lineages(seed, number, kingdom)):
            if family not in ancestors:
                ancestors[family] = ancestral_proteins(kingdom, composition, _rng(seed, 5, number, i))
            rng = _rng(seed, 4, number, i)
            segments = genomic_segments(kingdom, composition, ancestors[family], rng)
            if kingdom.name == "phage":
                phages += segments
            elif kingdom.name == "bacteria" and i < min(PROPHAGES, len(phages)):
                segments[0] = insert_prophage(segments[0], phages[i], rng)
            lineage = f"{kingdom.name.replace(' ', '_')}_{i + 1:02d}"
            for source, codes in strains(lineage, segments, composition, rng):
                record = Record(source, kingdom.label, kingdom.name, family, lineage, add_imperfections(BASES[codes], rng))
                records.setdefault(kingdom.label, record)
                yield record
    for label, first in records.items():
        if label == "viral":
            yield replace(first, source=f"{first.lineage}_fragment", letters=first.letters[:120])
        else:
            letters = np.pad(first.letters[:100], (0, 900), constant_values=ord("N"))
            yield replace(first, source=f"{first.lineage}_gap", letters=letters)


def simulate_unseen(seed: int, kingdoms: tuple[Kingdom, ...] = KINGDOMS) -> Iterator[Record]:
    """Genomes that `simulate` does not give, in a fixed order: of each kingdom a new lineage of each of its first two families,
    and a lineage of a new family. Their random numbers are their own, so they change nothing of `simulate`."""
    for number, kingdom in enumerate(kingdoms):
        of_lineage = list(lineages(seed, number, kingdom))
        names = list(dict.fromkeys(family for family, _ in of_lineage))
        for i, name in enumerate([*names[:2], f"{kingdom.name} new family"], UNSEEN):
            f = names.index(name) if name in names else UNSEEN
            composition = family_composition(seed, number, kingdom, f).deviate("lineage", _rng(seed, 3, number, i))
            known = [(j, other) for j, (family, other) in enumerate(of_lineage) if family == name]
            j, first = known[0] if known else (i, composition)
            ancestors = ancestral_proteins(kingdom, first, _rng(seed, 5, number, j))
            segments = genomic_segments(kingdom, composition, ancestors, _rng(seed, 4, number, i))
            lineage = f"{kingdom.name.replace(' ', '_')}_new_{i - UNSEEN + 1}"
            for s, codes in enumerate(segments, 1):
                yield Record(f"{lineage}_segment{s}", kingdom.label, kingdom.name, name, lineage, BASES[codes])


def strains(
    lineage: str, segments: list[np.ndarray], composition: Composition, rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray]]:
    """(id, bases) of each segment of each strain. All segments of a strain begin with the same sequence."""
    common = markov(composition.follow_chances(), COMMON if len(segments) > 1 else 0, rng)
    for strain in range(1, 2 + int(rng.choice(len(STRAINS), p=STRAINS))):
        rate = rng.uniform(*STRAIN_RATE)
        shared = mutate(common, rate, rng)
        for j, segment in enumerate(segments, 1):
            part = f"_segment{j}" if len(segments) > 1 else ""
            yield f"{lineage}_strain{strain}{part}", np.concatenate([shared, mutate(segment, rate, rng)])


def insert_prophage(host: np.ndarray, phage: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The host's bases with a diverged part of the phage inserted."""
    start, at = int(rng.integers(len(phage) // 2)), int(rng.integers(len(host)))
    return np.concatenate([host[:at], mutate(phage[start : start + PROPHAGE], 0.01, rng), host[at:]])


def add_imperfections(letters: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add to some records what real ones have: a run of N, a few ambiguous bases, and lower-case letters."""
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
    members = np.repeat(np.arange(kingdom.lineages), np.resize(FAMILIES, kingdom.lineages))
    for i, f in enumerate(members[: kingdom.lineages].tolist()):
        family = family_composition(seed, number, kingdom, f)
        yield f"{kingdom.name} family {f + 1}", family.deviate("lineage", _rng(seed, 3, number, i))


def family_composition(seed: int, number: int, kingdom: Kingdom, family: int) -> Composition:
    """The composition from which the lineages of a family deviate. number, family: of the kingdom, and of the family in it."""
    inherited = Composition(strong=float(np.log(kingdom.gc / (1 - kingdom.gc))))
    inherited = inherited.deviate("label", _rng(seed, 0, 1 - LABELS.index(kingdom.label)))
    inherited = inherited.deviate("kingdom", _rng(seed, 1, number))
    return inherited.deviate("family", _rng(seed, 2, number, family))


def genomic_segments(
    kingdom: Kingdom, composition: Composition, ancestors: list[np.ndarray], rng: np.random.Generator
) -> list[np.ndarray]:
    """The segments of one genome: [bases] uint8 0..3 each. ancestors: the proteins of the family's ancestor."""
    proteins = [ancestors[p] for p in rng.permutation(len(ancestors))]
    return [
        genome(kingdom, composition, int(rng.integers(*kingdom.length, endpoint=True)), rng, proteins)
        for _ in range(rng.integers(*kingdom.segments, endpoint=True))
    ]


def ancestral_proteins(kingdom: Kingdom, composition: Composition, rng: np.random.Generator) -> list[np.ndarray]:
    """The proteins of a family's ancestor, as many as its mean genome inherits genes: [residues] int 0..19 each."""
    bases = sum(kingdom.length) / 2 * sum(kingdom.segments) / 2 * kingdom.inherited
    chances = composition.codon_chances()
    return [_AMINO[random_codons(kingdom, chances, rng)] for _ in range(1 + int(bases / (3 * kingdom.codons + kingdom.spacer)))]


def random_codons(kingdom: Kingdom, chances: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The codons of an unrelated gene of random length: [codons] int, numbers in SENSE. chances: [61]."""
    return rng.choice(len(SENSE), max(50, int(rng.gamma(3, kingdom.codons / 3))), p=chances)


def inherited_codons(protein: np.ndarray, chances: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The codons of a gene that descends from an ancestral protein: [residues] int, numbers in SENSE.

    protein: [residues] int 0..19; chances: [61] of the lineage's codons. A part of the residues is drawn again, and every
    codon is drawn among those of its residue."""
    changed = rng.random(len(protein)) >= rng.uniform(*IDENTITY)
    protein = np.where(changed, _AMINO[rng.choice(len(SENSE), len(protein), p=chances)], protein)
    ends = np.cumsum(chances[_BY_AMINO])
    last = np.searchsorted(_AMINO[_BY_AMINO], protein, side="right") - 1
    first = np.searchsorted(_AMINO[_BY_AMINO], protein)
    below = np.concatenate(([0.0], ends))[first]
    drawn = np.searchsorted(ends, below + rng.random(len(protein)) * (ends[last] - below), side="right")
    return _BY_AMINO[np.clip(drawn, first, last)]


def genome(
    kingdom: Kingdom, composition: Composition, length: int, rng: np.random.Generator, proteins: list[np.ndarray]
) -> np.ndarray:
    """[length or a little more] uint8 0..3: genes, with spacers between them.

    proteins: of the family's ancestor, for the inherited genes; those that this genome takes are removed from the list."""
    chances, follow = composition.codon_chances(), composition.follow_chances()
    pieces, total, forward = [], 0, True
    while total < length:
        if proteins and rng.random() < kingdom.inherited:
            codons = inherited_codons(proteins.pop(), chances, rng)
        else:
            codons = random_codons(kingdom, chances, rng)
        gene = np.concatenate([_START, _SENSE[codons].ravel(), _STOP[rng.integers(3)]])
        if kingdom.both_strands and rng.random() < 0.3:
            forward = not forward
        spacer = markov(follow, 3 + int(rng.exponential(kingdom.spacer)), rng)
        pieces += [spacer, gene if forward else 3 - gene[::-1]]
        total += len(spacer) + len(gene)
    return np.concatenate(pieces)


def markov(follow: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """[length] uint8 0..3: a Markov chain of order two. follow: [16, 4] probability of each base after each pair of bases."""
    bounds, state = np.cumsum(follow, 1)[:, :3].tolist(), int(rng.integers(16))
    chain = np.empty(length, np.uint8)
    for i, x in enumerate(rng.random(length).tolist()):
        a, b, c = bounds[state]
        base = (x > a) + (x > b) + (x > c)
        chain[i] = base
        state = (state & 3) << 2 | base
    return chain


def mutate(codes: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """A copy with the fraction `rate` of its bases substituted, and an insertion or deletion of 1-9 bases per 30 of these."""
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
