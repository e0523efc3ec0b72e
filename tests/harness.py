"""Runs of the pipeline, for tests: start one, read its trace, edit a copy."""

import csv
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PIPELINE = ("main.nf", "nextflow.config", "nextflow_schema.json", "assets", "bin", "conf", "modules", "workflows")


@dataclass
class Run:
    """A finished run of Nextflow."""

    pipeline: Path
    """folder of the main.nf that ran"""
    folder: Path
    """where it was started; holds work/"""
    results: Path
    rc: int
    output: str
    """stdout and stderr together"""
    trace: list[dict[str, str]] = field(default_factory=list)
    """rows of trace.txt: name, process, status (COMPLETED, CACHED, FAILED), hash, exit, ..."""

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
    """The environment of a user who has Nextflow and the Python packages on PATH."""
    env = {k: v for k, v in os.environ.items() if k not in ("NXF_SYNTAX_PARSER", "NXF_WORK", "PYTHONPATH")}
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), str(ROOT / ".tools/bin"), env["PATH"]])
    env["NXF_ANSI_LOG"] = "false"
    return env | ({"NXF_SYNTAX_PARSER": parser} if parser else {}) | more


def nextflow(*args: object, folder: Path, env: dict[str, str] | None = None,
             timeout: float = 1800) -> subprocess.CompletedProcess[str]:
    """Call Nextflow in `folder`; stdout holds both streams. Past `timeout` seconds it and its tasks are killed."""
    env = env or environment()
    program = shutil.which("nextflow", path=env["PATH"])
    if program is None:
        pytest.fail("Nextflow is missing: make setup")
    folder.mkdir(parents=True, exist_ok=True)
    command = [program, *map(str, args)]
    with subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True) as process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output)


def run_nextflow(*args: object, folder: Path, pipeline: Path = ROOT, parser: str | None = None,
                 timeout: float = 1800, **env: str) -> Run:
    """Run the pipeline in `folder`, results into folder/out unless --outdir is among `args`.

    Not the default outdir, so that what disregards --outdir is noticed.
    """
    number = len(list(folder.glob("trace_*.txt")))
    trace = folder / f"trace_{number}.txt"
    words = list(map(str, args))
    if "--outdir" not in words:
        words += ["--outdir", str(folder / "out")]
    done = nextflow("run", pipeline / "main.nf", "-with-trace", trace, *words, folder=folder,
                    env=environment(parser, **env), timeout=timeout)
    rows = []
    if trace.exists():
        with trace.open(newline="") as f:
            rows = list(csv.DictReader(f, delimiter="\t"))
        for row in rows:
            row.setdefault("process", row["name"].split(" (")[0])
    outdir = Path(words[words.index("--outdir") + 1])
    return Run(pipeline, folder, folder / outdir, done.returncode, done.stdout, rows)


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
