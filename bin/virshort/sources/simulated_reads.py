"""Simulated pairs of reads, with what real ones have: errors that increase along the read, adapters, poly-G tails, and reads
that cannot be judged.

The shares and rates are chosen to show each of these in a small sample. None is taken from a sequencer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LENGTH = 150
INSERT_MEAN, INSERT_SD = 350, 75
"""Bases of a fragment."""
SHORT_INSERTS, SHORT_INSERT = 0.04, (60, LENGTH)
"""The share of fragments that are so short that both mates read on into an adapter, and their range of lengths."""
ADAPTERS = b"AGATCGGAAGAGCACACGTCTGAACTCCAGTCA", b"AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT"
"""What follows a fragment in each mate (Illumina TruSeq)."""
POLY_G, POLY_G_TAIL = 0.02, (20, 60)
"""The share of reads that end in G for lack of light, and how many G."""
MANY_N, SIMPLE = 0.005, 0.005
"""The shares of fragments whose mates have many N, and that are a short repeat."""
FIRST_QUALITY, LAST_QUALITY, QUALITY_SD = 37, 27, 3
"""Mean Phred quality of the first and of the last base of a read, and the deviation of single bases."""
QUALITIES = 2, 40
_BASES = np.frombuffer(b"ACGTN", np.uint8)
_N = 4


@dataclass(frozen=True)
class SimulatedPairs:
    """n pairs. letters: [n, 2, LENGTH] uint8 ASCII bases; quality: [n, 2, LENGTH] uint8 Phred; genome: [n] int64, the number of
    the genome that each is from."""

    letters: np.ndarray
    quality: np.ndarray
    genome: np.ndarray


def simulate_pairs(genomes: Sequence[np.ndarray], genome: np.ndarray, rng: np.random.Generator) -> SimulatedPairs:
    """Sequence a fragment of each of n genomes, from a random place and strand. genomes: [bases] uint8 0..3 each; genome: [n]
    int64, numbers in it."""
    n = len(genome)
    insert = np.rint(rng.normal(INSERT_MEAN, INSERT_SD, n)).astype(np.int64)
    short = rng.random(n) < SHORT_INSERTS
    insert = np.where(short, rng.integers(*SHORT_INSERT, n), np.maximum(insert, LENGTH))
    codes = np.empty((n, 2, LENGTH), np.uint8)
    for i, g in enumerate(genome.tolist()):
        bases = genomes[g]
        size = min(int(insert[i]), len(bases))
        start = int(rng.integers(len(bases) - size + 1))
        fragment = bases[start : start + size]
        if rng.random() < 0.5:
            fragment = 3 - fragment[::-1]
        for mate, strand in enumerate((fragment, 3 - fragment[::-1])):
            codes[i, mate] = _read(strand, mate, rng)
    simple = rng.random(n) < SIMPLE
    codes[simple] = np.tile(rng.integers(0, 4, (int(simple.sum()), 1, 3), np.uint8), (1, 2, LENGTH // 3))
    slope = np.linspace(FIRST_QUALITY, LAST_QUALITY, LENGTH)
    quality = np.clip(np.rint(rng.normal(slope, QUALITY_SD, codes.shape)), *QUALITIES).astype(np.uint8)
    wrong = rng.random(codes.shape) < 10 ** (quality / -10.0)
    codes[wrong] = (codes[wrong] + rng.integers(1, 4, int(wrong.sum()), np.uint8)) & 3
    tail = np.where(rng.random((n, 2)) < POLY_G, rng.integers(*POLY_G_TAIL, (n, 2)), 0)
    codes[np.arange(LENGTH) >= LENGTH - tail[..., None]] = 2
    lost = (rng.random(n) < MANY_N)[:, None, None] & (rng.random(codes.shape) < 0.4)
    codes[lost], quality[lost] = _N, QUALITIES[0]
    return SimulatedPairs(_BASES[codes], quality, genome)


def _read(strand: np.ndarray, mate: int, rng: np.random.Generator) -> np.ndarray:
    """The LENGTH bases of a mate, without errors; after the end of the fragment its adapter, and then anything."""
    adapter = np.searchsorted(_BASES[:4], np.frombuffer(ADAPTERS[mate], np.uint8)).astype(np.uint8)
    missing = max(0, LENGTH - len(strand) - len(adapter))
    return np.concatenate([strand, adapter, rng.integers(0, 4, missing, np.uint8)])[:LENGTH]


def fastq(names: Sequence[str], letters: np.ndarray, quality: np.ndarray) -> bytes:
    """Reads as FASTQ. names: [n]; letters, quality: [n, length] uint8."""
    shown = quality + 33
    return b"".join(
        b"@%b\n%b\n+\n%b\n" % (name.encode(), bases.tobytes(), phred.tobytes())
        for name, bases, phred in zip(names, letters, shown, strict=True)
    )
