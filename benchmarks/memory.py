"""Peak memory of every step that processes windows, for 100,000 windows and for twenty times as many.

Steps before sampling see only sources, and the report sees only tables of results. 80 % of the windows are for training and
20 % for testing; half of the test windows have 150 bp, the others 500-3000 bp. One fold of three is tested, and heads are
trained for one epoch.
"""

import json
import shutil
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common import Line, command, prepared_genomes, report, sampling

from virshort.arms import read_arms
from virshort.encoders.catalogue import KMERS

SMALL, LARGE, LIMIT = 100_000, 2_000_000, 4 / 3
ARMS = """
baseline: {role: baseline, windows: short, epochs: 1}
finetune: {windows: short, start: baseline, epochs: 1}
"""
ENCODERS = {"dna": "kmer-dna", "protein": "kmer-protein"}


def run_steps(genomes: Path, out: Path, windows: int) -> dict[str, int]:
    """Run the steps one after another as the pipeline does. Returns the largest peak, in bytes, of each step's tasks."""
    peaks: dict[str, int] = defaultdict(int)

    def step(script: str, *words: object) -> None:
        peaks[script] = max(peaks[script], command(script, *words).peak_bytes)

    def embed(fasta: Path) -> None:
        pool = f"{fasta.parent.parent.name}.{fasta.parent.name}"
        own = data / pool
        step("embed.py", "--shard", fasta, "--encoders", *(f"{e}={KMERS}" for e in ENCODERS.values()), "--out", own)
        shard = fasta.name.removesuffix(".fa.gz")
        for path in own.glob(f"{shard}.*"):
            path.rename(data / f"{pool}.{path.name}")
        manifest = fasta.with_name(f"{shard}.windows.parquet")
        shutil.copy(manifest, data / f"{pool}.{manifest.name}")

    train, test, data = windows * 8 // 10, windows // 10, out / "data"
    data.mkdir(parents=True)
    # The only training fold gives all windows of `short`, and the validation fold as many again.
    words = sampling(genomes, out, short=train // 2, scratch=train // 2, test=test, sweep=test)
    step(str(words[0]), *words[1:])
    with ThreadPoolExecutor(2) as pool:  # two tasks at a time, each of which is measured on its own
        list(pool.map(embed, sorted((out / "windows").glob("*/*/*.fa.gz"))))
    sets = out / "window_sets.json"
    (out / "arms.yaml").write_text(ARMS)
    arms = read_arms(out / "arms.yaml", ENCODERS, {m: {e: 0} for m, e in ENCODERS.items()})
    (out / "arms.json").write_text(json.dumps(arms))
    for arm in arms:
        path, models = out / f"{arm['name']}.json", out / "models"
        path.write_text(json.dumps(arm))
        step(
            "train.py",
            "--arm",
            path,
            "--data",
            data,
            "--window-sets",
            sets,
            "--start",
            models / "baseline",
            "--replicates",
            1,
            "--seed",
            42,
            "--cpus",
            1,
            "--out",
            models / arm["name"],
        )
        step(
            "evaluate.py",
            "--arm",
            arm["name"],
            "--role",
            arm["role"],
            "--models",
            models / arm["name"],
            "--data",
            data,
            "--window-sets",
            sets,
            "--out",
            out / "evaluation" / arm["name"],
        )
    step(
        "audit.py",
        "--windows-root",
        out / "windows",
        "--window-sets",
        sets,
        "--folds",
        genomes / "folds.parquet",
        "--sequences",
        genomes / "masked.seq",
        "--limit",
        1,
        "--out",
        out / "leakage.json",
    )
    step("compare.py", out, "--out", out / "comparison.json", "--tsv", out / "comparison.tsv")
    return peaks


def main() -> None:
    work = Path(sys.argv[1])
    genomes = prepared_genomes(Path(sys.argv[2]), 3, "1")
    found = []
    for windows in (SMALL, LARGE):
        found.append(run_steps(genomes, work / "run", windows))
        shutil.rmtree(work / "run")
    small, large = found
    report(
        [
            Line(
                f"peak memory, {SMALL:,} -> {LARGE:,} windows: {step}",
                f"{small[step] / 1e6:.0f} MB",
                f"< {LIMIT:.2f}x",
                f"{large[step] / 1e6:.0f} MB",
                f"{large[step] / small[step]:.2f}x",
                large[step] < LIMIT * small[step],
            )
            for step in small
        ]
    )


if __name__ == "__main__":
    main()
