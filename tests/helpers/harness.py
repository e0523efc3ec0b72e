"""Runs of the pipeline, for tests: start one, read its trace, edit a copy."""

import csv
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPECS: dict[str, dict[str, Any]] = {
    name: spec
    for group in json.loads((ROOT / "nextflow_schema.json").read_text(encoding="utf-8"))["$defs"].values()
    for name, spec in group["properties"].items()
}
"""What the schema says of each parameter."""
PIPELINE = (
    "main.nf",
    "nextflow.config",
    "nextflow_schema.json",
    "assets",
    "bin",
    "conf",
    "containers",
    "functions",
    "modules",
    "requirements.txt",
    "workflows",
)
WITHOUT_NETWORK = ("unshare", "--net") if os.geteuid() == 0 and shutil.which("unshare") else ()
"""What starts a command in a network namespace without a route, where that can be made."""
TIMEOUT = 900.0
"""Seconds after which a run hangs rather than works."""

ARMS = [
    "baseline",
    "finetune",
    "finetune_frozen",
    "scratch",
    "multilength",
    "length_aware",
    "both",
    "dna_only",
    "protein_only",
    "kmer",
    "codon",
    "homology",
    "combined",
    "gc",
    "shuffled_labels",
]
"""The arms of assets/arms.yaml that run by default without a GPU, in their order."""
TINY = (
    "--short_windows",
    200,
    "--scratch_windows",
    300,
    "--mixed_windows",
    200,
    "--full_windows",
    200,
    "--test_windows",
    200,
    "--sweep_windows",
    40,
    "--sweep_lengths",
    500,
    "--pair_windows",
    20,
    "--folds",
    3,
    "--test_folds",
    1,
    "--replicates",
    1,
)
"""Options of a run whose outcome does not matter."""


@dataclass
class Run:
    """A finished run of Nextflow."""

    folder: Path
    """where it was started; holds work/"""
    results: Path
    rc: int
    output: str
    """stdout and stderr together"""
    trace: list[dict[str, str]] = field(default_factory=list)
    """rows of trace.txt: name, process, status (COMPLETED, CACHED, FAILED), hash, exit, ..."""
    seconds: float = 0
    """from its start to its end"""

    def statuses(self) -> dict[str, set[str]]:
        """Process (last part of its name) -> the statuses that its tasks ended with."""
        found: dict[str, set[str]] = {}
        for row in self.trace:
            found.setdefault(row["process"].split(":")[-1], set()).add(row["status"])
        return found

    def executed(self) -> set[str]:
        """Processes of which a task was computed, not taken from the cache."""
        return {process for process, statuses in self.statuses().items() if statuses - {"CACHED"}}

    def complaint(self) -> str:
        """The line that tells the user what is wrong; fails the test unless it is one (or repeated)."""
        line, *others = {line.strip() for line in self.output.splitlines() if line.strip().startswith("virshort: ")}
        assert not others, self.output
        return line


def environment(parser: str | None = None, **more: str) -> dict[str, str]:
    """The environment of a user who has Nextflow and the Python packages on PATH.

    Without what chooses OpenBLAS's kernels: a container would not see it, and its last digits would be others."""
    env = {
        k: v
        for k, v in os.environ.items()
        if k not in ("NXF_SYNTAX_PARSER", "NXF_WORK", "PYTHONPATH") and not k.startswith("OPENBLAS_")
    }
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), str(ROOT / ".tools/bin"), env["PATH"]])
    env["NXF_ANSI_LOG"] = "false"
    env.setdefault("NXF_OPTS", "-XX:+UseSerialGC")  # a tenth less of the processor for runs that are as short as these
    return env | ({"NXF_SYNTAX_PARSER": parser} if parser else {}) | more


def nextflow_within(folder: Path, *command: str, tools: Path | None = None) -> str:
    """A PATH whose `nextflow` (that of the folder `tools`, if given) is started by `command`, such as unshare, which calls
    the rest of its line."""
    path = os.pathsep.join([*([str(tools)] if tools else []), environment()["PATH"]])
    launcher = folder / "within" / "nextflow"
    launcher.parent.mkdir(parents=True)
    launcher.write_text(f'#!/bin/sh\nexec {shlex.join(command)} {shlex.quote(str(shutil.which("nextflow", path=path)))} "$@"\n')
    launcher.chmod(0o755)
    return os.pathsep.join([str(launcher.parent), path])


class Started:
    """Nextflow while it runs, as the leader of a process group of its own; what it prints goes to a file."""

    def __init__(self, *args: object, folder: Path, env: dict[str, str] | None = None):
        env = env or environment()
        program = shutil.which("nextflow", path=env["PATH"])
        if program is None:
            pytest.fail("Nextflow is missing: make setup")
        folder.mkdir(parents=True, exist_ok=True)
        self.command = [program, *map(str, args)]
        with tempfile.NamedTemporaryFile(delete=False) as printed:
            # A job of a shell's background ignores Ctrl-C, and so would all that it starts.
            self.process = subprocess.Popen(
                self.command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
        self._printed = Path(printed.name)

    def output(self) -> str:
        """What it printed up to now, both streams."""
        return self._printed.read_text(errors="replace")

    def finish(self, timeout: float = TIMEOUT) -> subprocess.CompletedProcess[str]:
        """Wait for the end. Past `timeout` seconds it and its tasks are killed, and the test fails with what it printed, at the
        end of which is what each of Java's threads waits for."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            subprocess.run(["pkill", "-QUIT", "-g", str(self.process.pid), "java"], check=False)
            time.sleep(2)
            os.killpg(self.process.pid, signal.SIGKILL)
            pytest.fail(f"{' '.join(self.command)}: did not end within {timeout:g} s\n{self.output()}")
        except BaseException:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        output = self.output()
        self._printed.unlink()
        return subprocess.CompletedProcess(self.command, self.process.returncode, output)


def nextflow(
    *args: object, folder: Path, env: dict[str, str] | None = None, timeout: float = TIMEOUT
) -> subprocess.CompletedProcess[str]:
    """Call Nextflow in `folder`; stdout holds both streams. Past `timeout` seconds it and its tasks are killed."""
    return Started(*args, folder=folder, env=env).finish(timeout)


class StartedRun(Started):
    """A run of the pipeline in `folder`, results into folder/out unless --outdir is among `args`.

    Not the default outdir, so that what disregards --outdir is noticed. The trace lies in `traces`, by default in `folder`,
    apart from results that a test counts; with users_trace where a user's does.
    """

    def __init__(
        self,
        *args: object,
        folder: Path,
        pipeline: Path = ROOT,
        parser: str | None = None,
        traces: Path | None = None,
        users_trace: bool = False,
        **env: str,
    ):
        self.folder = folder
        traces = traces or folder
        self.trace = None if users_trace else traces / f"trace_{len(list(traces.glob('trace_*.txt')))}.txt"
        words = list(map(str, args))
        if "--outdir" not in words:
            words += ["--outdir", str(folder / "out")]
        self.results = folder / words[words.index("--outdir") + 1]
        if self.trace:
            words += ["-with-trace", str(self.trace)]
        self.began = time.monotonic()
        super().__init__("run", pipeline / "main.nf", *words, folder=folder, env=environment(parser, **env))

    def rows(self) -> list[dict[str, str]]:
        """The tasks that have ended up to now."""
        trace = self.trace or max(self.results.glob("pipeline_info/trace_*.tsv"), default=None)
        if not trace or not trace.exists():
            return []
        with trace.open(newline="") as f:
            rows = list(csv.DictReader(f, delimiter="\t"))
        for row in rows:
            row.setdefault("process", row["name"].split(" (")[0])
        return rows

    def ended(self, timeout: float = TIMEOUT) -> Run:
        """The run, once it is over."""
        done = self.finish(timeout)
        seconds = time.monotonic() - self.began
        return Run(self.folder, self.results, done.returncode, done.stdout, self.rows(), seconds)


def run_nextflow(*args: object, folder: Path, timeout: float = TIMEOUT, **options: Any) -> Run:
    """Run the pipeline to its end (StartedRun has the options)."""
    return StartedRun(*args, folder=folder, **options).ended(timeout)


def as_words(options: Mapping[str, object]) -> list[object]:
    """Parameters as the words of a command line."""
    return [word for name, value in options.items() for word in (f"--{name}", value)]


SMALL = {
    "arms": "finetune,dna_only",
    "short_windows": 600,
    "scratch_windows": 600,
    "full_windows": 400,
    "test_windows": 400,
    "sweep_windows": 100,
    "sweep_lengths": 150,
    "pair_windows": 100,
    "folds": 4,
    "test_folds": 1,
    "replicates": 2,
    "windows_per_shard": 450,
}


class Small:
    """A small experiment on simulated genomes: its first run, and runs that resume it or start again, with changes. A
    parameter that is changed to None is not given."""

    def __init__(self, base: Path):
        self.genomes, self.folder = base / "genomes", base / "run"
        subprocess.run([sys.executable, ROOT / "bin/simulate.py", "--outdir", self.genomes], check=True)
        self.pipeline = copy_pipeline(base / "pipeline")
        self.options = SMALL | {"input": self.genomes / "samplesheet.csv", "source_table": self.genomes / "sources.tsv"}
        self.first = self.run()
        self.outcome = outcome(self.first.results)

    def start(
        self,
        *more: object,
        folder: Path | None = None,
        parser: str | None = None,
        pipeline: Path | None = None,
        traces: Path | None = None,
        users_trace: bool = False,
        env: dict[str, str] | None = None,
        **changes: object,
    ) -> StartedRun:
        words = as_words({name: value for name, value in (self.options | changes).items() if value is not None})
        return StartedRun(
            *words,
            *more,
            folder=folder or self.folder,
            pipeline=pipeline or self.pipeline,
            parser=parser,
            traces=traces,
            users_trace=users_trace,
            **(env or {}),
        )

    def run(self, *more: object, **options: Any) -> Run:
        """A run that must succeed."""
        done = self.start(*more, **options).ended()
        assert done.rc == 0, done.output
        return done

    def resumed(self, **changes: object) -> Run:
        return self.run("-resume", **changes)


def outcome(results: Path) -> dict[str, str]:
    """Digests of what a run concludes: metrics, predictions, models and the comparison, by file."""
    kept = (
        "comparison.json",
        "comparison.tsv",
        "metrics.json",
        "predictions.parquet",
        "model.safetensors",
        "model.json",
        "leakage.json",
    )
    return {
        str(p.relative_to(results)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(results.rglob("*"))
        if p.name in kept
    }


def copy_pipeline(target: Path) -> Path:
    """A copy of the pipeline that a test may edit."""
    target.mkdir(parents=True)
    for name in PIPELINE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, target / name)
    return target


@contextmanager
def edited(path: Path, edit: Callable[[str], str]) -> Iterator[None]:
    """Within the block the file's text is edit(text); afterwards all is as before, its time stamp included."""
    before, stat = path.read_bytes(), path.stat()
    path.write_text(edit(before.decode()))
    try:
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
