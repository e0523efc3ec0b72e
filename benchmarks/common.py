"""What the measurements share: timing, child processes, prepared real genomes, the lines of the table."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bin"))
GENOMES = ROOT.parent / "shared" / "data" / "genomes"


@dataclass
class Line:
    """A line of the table. `target` refers to `ratio`; met: None where nothing could be measured."""

    work: str
    reference: str
    target: str
    measured: str
    ratio: str
    met: bool | None
    note: str = ""


class Skipped(Exception):
    """A measurement cannot be made on this machine. The message says why."""


@dataclass
class Usage:
    """The time and memory that a command took."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str

    @property
    def peak_mb(self) -> float:
        return self.peak_bytes / 1e6


def report(lines: list[Line]) -> None:
    """Hand lines to bench.py."""
    print(json.dumps([asdict(line) for line in lines]))


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of a call in this process, which other programs on the machine disturb less than wall time."""
    began = time.process_time()
    work()
    return time.process_time() - began


def medians(works: list[Callable[[], object]], repeats: int) -> list[float]:
    """Median processor time of each call. They take turns, so that whatever else the machine does affects all of them alike."""
    seconds = [[cpu_seconds(work) for work in works] for _ in range(repeats)]
    return [statistics.median(column) for column in zip(*seconds, strict=True)]


def command(*words: object, folder: Path | None = None, **environment: str) -> Usage:
    """Run a command with this Python and the scripts of the steps first on PATH, and measure it. RuntimeError if it fails."""
    path = os.pathsep.join([str(Path(sys.executable).parent), str(ROOT / ".tools/bin"), str(ROOT / "bin"), os.environ["PATH"]])
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        done = subprocess.run(
            [sys.executable, ROOT / "benchmarks" / "measure.py", result.name, *map(str, words)],
            cwd=folder,
            env=os.environ | {"PATH": path} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{words[0]} failed: {(done.stderr.strip() or done.stdout.strip())[-2000:]}")
        return Usage(**json.loads(Path(result.name).read_text()), output=done.stdout)


def median_usage(usages: list[Usage]) -> Usage:
    """Median times and the largest memory of repeated runs of a command."""
    middle = statistics.median
    return Usage(
        middle(u.seconds for u in usages),
        middle(u.cpu_seconds for u in usages),
        int(max(u.peak_bytes for u in usages)),
        usages[-1].output,
    )


def prepared_genomes(work: Path, folds: int, test_folds: str) -> Path:
    """A folder in `work` with the real genomes as sampling needs them: folds.parquet, folds.json, masked.seq. Made once.

    Raises Skipped where the genomes are absent."""
    if not GENOMES.is_dir():
        raise Skipped(f"no real genomes: shared/data/{GENOMES.name} is not beside the repository")
    base, out = work / "sources", work / f"folds_{folds}_{test_folds}"
    if not (base / "done").exists():
        base.mkdir(parents=True, exist_ok=True)
        sheet = base / "samplesheet.csv"
        sheet.write_text("fasta,label\n" + "".join(f"{GENOMES / label}.fa.gz,{label}\n" for label in ("viral", "nonviral")))
        lines = [line.split("\t") for line in (GENOMES / "genomes.tsv").read_text(encoding="utf-8").splitlines()]
        used = [lines[0].index(column) for column in ("id", "kingdom", "family", "cluster")]
        source_table = base / "sources.tsv"
        source_table.write_text("".join("\t".join(line[i] for i in used) + "\n" for line in lines), encoding="utf-8")
        command("check_input.py", "--samplesheet", sheet, "--source-table", source_table, "--outdir", base)
        command("cluster.py", "--sources", base / "sources.parquet", "--sequences", base / "sources.seq", "--outdir", base)
        (base / "done").touch()
    if not (out / "done").exists():
        command(
            "split.py",
            "--sources",
            base / "sources.parquet",
            "--clusters",
            base / "clusters.parquet",
            "--folds",
            folds,
            "--test-folds",
            test_folds,
            "--seed",
            42,
            "--cluster-cap",
            0.05,
            "--outdir",
            out,
        )
        command("mask.py", "--folds", out / "folds.parquet", "--sequences", base / "sources.seq", "--outdir", out)
        (out / "done").touch()
    return out


def sampling(genomes: Path, out: Path, **sizes: object) -> list[object]:
    """The command that samples windows of `genomes` into `out`. sizes: its options, such as short=... or sweep_lengths=..."""
    options = {
        "short": 1000,
        "scratch": 1000,
        "mixed": 0,
        "full": 0,
        "test": 0,
        "sweep": 0,
        "pair": 0,
        "insert_mean": 350,
        "insert_sd": 75,
        "sweep_lengths": "150",
        "window_length": 150,
        "viral_share": 0.52,
        "max_n": 0.1,
        "cluster_cap": 0.05,
        "windows_per_shard": 8192,
        "genetic_code": 1,
        "seed": 42,
        "train_sets": ["short"],
    } | sizes
    words: list[object] = [
        "sample_windows.py",
        "--folds",
        genomes / "folds.parquet",
        "--folds-json",
        genomes / "folds.json",
        "--sequences",
        genomes / "masked.seq",
        "--outdir",
        out,
    ]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", *(value if isinstance(value, list) else [value])]
    return words
