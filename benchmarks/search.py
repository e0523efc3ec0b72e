"""Windows per second of the translated search, one thread, against three folds of the real genomes."""

import sys
from pathlib import Path

import numpy as np
from common import Line, command, cpu_seconds, prepared_genomes, report

from virshort.homology.databases import read_list
from virshort.homology.searching import search
from virshort.homology.seeds import SENSITIVITIES
from virshort.windows.shards import extract
from virshort.windows.source_table import read_source_table

WINDOWS, LENGTH, TARGET = 8192, 150, 300


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
    source = rng.choice(np.flatnonzero((sources.fold == 0) & (sources.length >= LENGTH)), WINDOWS)
    start = sources.offset[source] + rng.integers(0, sources.length[source] - LENGTH + 1)
    windows, _ = extract(bases, start, start + LENGTH, rng.integers(0, 2, WINDOWS).astype(bool))

    def run(sequences: list[bytes]) -> None:
        fold = np.zeros(len(sequences), np.int8)
        search(sequences, fold, work, searched, folds, 1, SENSITIVITIES["default"], 1, lambda _line: None)

    run(windows[:1])  # compiles it
    rate = WINDOWS / cpu_seconds(lambda: run(windows))
    report(
        [
            Line(
                f"translated search, {sum(d.residues for d in searched) / 1e6:.0f} million residues, one thread",
                "-",
                f">= {TARGET} windows/s",
                f"{rate:,.0f} windows/s",
                f"{rate / TARGET:.2f}",
                rate >= TARGET,
            )
        ]
    )


if __name__ == "__main__":
    main()
