"""Windows per second of the translated search, one thread, against three folds of the real genomes."""

import sys
from pathlib import Path

import numpy as np
from common import ROOT, Line, command, cpu_seconds, prepared_genomes, report

from virshort.homology.databases import read_list
from virshort.homology.searching import search
from virshort.homology.shapes import SENSITIVITIES
from virshort.model.opening import open_model
from virshort.model.scoring import find_matches, score
from virshort.windows.shards import extract
from virshort.windows.source_table import read_source_table

sys.path.insert(0, str(ROOT / "tests" / "helpers"))
from random_model import random_31mers, random_model

WINDOWS, LENGTH, TARGET = 8192, 150, 300
LONG_WINDOWS, LONGEST, SHORTEST, LONG_TARGET = 1000, 3000, 500, 100


def quiet(_line: str) -> None:
    """Logs nothing."""


def main() -> None:
    work, genomes = Path(sys.argv[1]), prepared_genomes(Path(sys.argv[2]), 5, "all")
    command(
        "homology_databases.py",
        *("--folds", genomes / "folds.parquet", "--folds-json", genomes / "folds.json"),
        *("--sequences", genomes / "masked.seq", "--outdir", work / "databases"),
    )
    folds, databases = read_list(work / "databases")
    searched = [d for d in databases if d.fold >= 2]
    sources, bases = read_source_table(genomes / "folds.parquet"), np.memmap(genomes / "masked.seq", np.uint8, "r")
    rng = np.random.default_rng(1)

    def draw(length: np.ndarray) -> list[bytes]:
        """Windows of fold 0 on either strand. length: [n] int."""
        source = rng.choice(np.flatnonzero((sources.fold == 0) & (sources.length >= length.max())), len(length))
        start = sources.offset[source] + (rng.random(len(length)) * (sources.length[source] - length + 1)).astype(np.int64)
        return extract(bases, start, start + length, rng.integers(0, 2, len(length)).astype(bool))[0]

    def rate(windows: list[bytes]) -> float:
        fold, shapes = np.zeros(len(windows), np.int8), SENSITIVITIES["default"]
        return len(windows) / cpu_seconds(
            lambda: search(windows, fold, work / "databases", searched, folds, 1, shapes, 1, quiet)
        )

    rate(draw(np.full(1, LENGTH)))  # compiles it
    residues = sum(d.residues for d in searched) / 1e6
    lines = []
    for name, length, target in (
        (f"{LENGTH} bp", np.full(WINDOWS, LENGTH), TARGET),
        (f"{SHORTEST}-{LONGEST} bp", rng.integers(SHORTEST, LONGEST + 1, LONG_WINDOWS), LONG_TARGET),
    ):
        found = rate(draw(length))
        lines.append(
            Line(
                f"translated search, {name}, {residues:.0f} million residues, one thread",
                "-",
                f">= {target} windows/s",
                f"{found:,.0f} windows/s",
                f"{found / target:.2f}",
                found >= target,
            )
        )
    # What a model says beyond its matches: codon features, five heads, 31-mers
    model = open_model(random_model(work / "model", ["codon", "homology"], random_31mers(1 << 20), work / "databases"))
    reads = draw(np.full(WINDOWS, LENGTH))
    score(model, reads[:10])
    alone, whole = (cpu_seconds(lambda f=f: f(model, reads, 1)) for f in (find_matches, score))
    lines.append(
        Line(
            f"a model of matches and codons, {LENGTH} bp, {sum(d.residues for d in databases) / 1e6:.0f} million residues",
            f"{WINDOWS / alone:,.0f} reads/s, the search alone",
            "<= 1.15x, >= 300 reads/s on two cores",
            f"{2 * WINDOWS / whole:,.0f} reads/s on two cores",
            f"{whole / alone:.3f}",
            whole <= 1.15 * alone and 2 * WINDOWS / whole >= 300,
        )
    )
    report(lines)


if __name__ == "__main__":
    main()
