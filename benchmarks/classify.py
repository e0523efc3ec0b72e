"""From files of reads to calls: reads per second of models that count, and what a run on few reads takes."""

import gzip
import sys
from itertools import islice
from pathlib import Path

from common import ROOT, Line, Usage, command, report

sys.path.insert(0, str(ROOT / "tests" / "helpers"))
from reads import CHUNK, PAIRS, check, make

from random_model import random_31mers, random_model
from virshort.files import write_json
from virshort.model.checking import check_files, read_record

KMERS = 15_000_000
"""Those of 157 million bases (shared/data/genomes)."""
FEW = 500
"""Pairs of the small run."""


def predict(work: Path, model: Path, chunk: int) -> Usage:
    """Score a chunk that CHECK_READS wrote."""
    reads = [work / "checked" / f"s.chunk_{chunk:05d}.R{mate}.fastq.gz" for mate in (1, 2)]
    return command(
        "predict.py", "--model", model, "--checked", model.with_suffix(".json"), "--reads", *reads,
        "--first-record", chunk * CHUNK, "--out", work / "checked" / f"s.chunk_{chunk:05d}.scores.parquet",
    )  # fmt: skip


def collect(work: Path, model: Path) -> Usage:
    """Calls and tables of the sample."""
    record = work / "s.reads.json"
    if not record.exists():
        (work / "checked" / "s.reads.json").rename(record)
    return command(
        "collect.py", "--reads", record, "--chunks", work / "checked", "--model", model / "model.json", "--out", work / "out"
    )


def few_reads(work: Path, files: list[Path], model: Path) -> float:
    """Seconds of a whole run on few reads."""
    folder = work / "run"
    folder.mkdir()
    for mate, path in enumerate(files, 1):
        with gzip.open(path) as f:
            (folder / f"few_{mate}.fastq").write_bytes(b"".join(islice(f, 4 * FEW)))
    (folder / "reads.csv").write_text("sample,fastq_1,fastq_2\nfew,few_1.fastq,few_2.fastq\n")
    return command(
        "nextflow", "run", ROOT / "main.nf", "--reads", "reads.csv", "--model", model, "--outdir", "out", folder=folder
    ).seconds


def main() -> None:
    work = Path(sys.argv[1])
    files, kmers = make(work), random_31mers(KMERS)
    command(*check(work, "compiled", 1, files))  # compiles what is measured
    checked = command(*check(work, "checked", 1, files))
    lines = []
    for name, modalities, target in (("kmer", ["dna", "protein"], 50_000), ("codon", ["codon"], 20_000)):
        model = random_model(work / name, modalities, kmers)
        write_json(model.with_suffix(".json"), check_files(model, read_record(model)))
        if not lines:
            predict(work, model, 0)  # compiles it
        scored = [predict(work, model, chunk) for chunk in range(PAIRS // CHUNK)]
        written = collect(work, model)
        frame = checked.cpu_seconds + written.cpu_seconds
        whole = frame + sum(usage.cpu_seconds for usage in scored)
        rate = 2 * (2 * PAIRS) / whole
        lines.append(
            Line(
                f"reads classified by a model of {name}, gz pairs to all outputs, two cores",
                f"{2 * (2 * PAIRS) / frame:,.0f} reads/s for CHECK_READS and COLLECT alone",
                f">= {target:,} reads/s",
                f"{rate:,.0f} reads/s, {max(usage.peak_mb for usage in scored):,.0f} MB",
                f"{rate / target:.2f}",
                rate >= target,
                f"{whole / frame:.1f} times CHECK_READS and COLLECT alone",
            )
        )
    seconds = few_reads(work, files, work / "kmer")
    lines.append(Line(f"a run on {2 * FEW:,} reads", "-", "<= 30 s", f"{seconds:.0f} s", f"{seconds / 30:.2f}", seconds <= 30))
    report(lines)


if __name__ == "__main__":
    main()
