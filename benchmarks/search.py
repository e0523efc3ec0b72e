"""Windows per second of the translated search, one thread, against three folds of the real genomes."""

import sys
from pathlib import Path

import numpy as np
from common import Line, command, cpu_seconds, prepared_genomes, report

from virshort.homology.databases import read_list
from virshort.homology.searching import search
from virshort.homology.shapes import SENSITIVITIES
from virshort.windows.shards import extract
from virshort.windows.source_table import read_source_table

WINDOWS, LENGTH, TARGET = 8192, 150, 300
LONG_WINDOWS, LONGEST, SHORTEST, LONG_TARGET = 1000, 3000, 500, 100


def quiet(_line: str) -> None:
    """Logs nothing."""


def main() -> None:
    work, genomes = Path(sys.argv[1]), prepared_genomes(Path(sys.argv[2]), 5, "all")
    command(
        "homology_databases.py",
        *("--folds", genomes / "folds.parquet", "--folds-json", genomes / "folds.json"),
        *("--sequences", genomes / "masked.seq", "--outdir", work),
    )
    folds, databases = read_list(work)
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
        return len(windows) / cpu_seconds(lambda: search(windows, fold, work, searched, folds, 1, shapes, 1, quiet))

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
    report(lines)


if __name__ == "__main__":
    main()
