"""Finding the processes of a run, and killing it."""

import fcntl
import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from harness import Run, StartedRun
from slurm_cluster import until

KILLS = int(os.environ.get("VIRSHORT_KILLS", "5"))


def running(work: Path) -> dict[int, Path]:
    """Process id -> folder, of the processes that run in a task's folder under `work`."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                folder = (entry / "cwd").readlink()
            except OSError:
                continue  # the process has just ended
            if work in folder.parents:
                found[int(entry.name)] = folder
    return found


def of_step(work: Path, script: str) -> list[int]:
    """Ids of the Python processes that run a script of bin/ in a task's folder."""
    found = []
    for pid in running(work):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"python" in words[0] and any(word.endswith(f"/{script}".encode()) for word in words[1:3]):
            found.append(pid)
    return found


def caught(started: StartedRun, script: str) -> int:
    """Wait for a process that runs `script`, and return its id."""
    found: list[int] = []

    def looked() -> bool:
        found[:] = of_step(started.folder / "work", script)
        return bool(found) or started.process.poll() is not None

    until(looked, 300, f"{script} to run")
    return found[0]


def locked(path: Path) -> bool:
    """Whether some process holds a lock on a file."""
    with path.open("r+b") as f:
        try:
            fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def completed(started: StartedRun) -> dict[str, str]:
    """Name -> status, of each task that this run computed."""
    return {row["name"]: row["status"] for row in started.rows() if row["status"] != "CACHED"}


def killed_at_random_moments(start: Callable[[Path], StartedRun], length: float, folder: Path) -> Iterator[Run]:
    """Kill one run again and again over its whole length, and a second one if the first ends before all kills are done. Yields
    each run as it ends successfully, after no finished task was repeated.

    start: starts, or resumes, a run in a folder; length: seconds in which it has tasks."""
    seed = int(os.environ.get("VIRSHORT_KILL_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"VIRSHORT_KILL_SEED={seed}")
    rng = random.Random(seed)
    kills, attempt = 0, 0
    while kills < KILLS:
        chain = folder / f"chain_{attempt}"
        attempt += 1
        finished: set[str] = set()
        moments = sorted(rng.uniform(0, length) for _ in range(KILLS - kills))
        for wait in [b - a for a, b in zip([0.0, *moments], moments, strict=False)] + [None]:
            started = start(chain)
            if wait is not None:
                # Wait for the first task, because what a run does before is the same each time. A short `wait` tests that, too.
                until(lambda s=started: "process >" in s.output() or s.process.poll() is not None, 300, "a first task")
                try:
                    started.process.wait(wait)
                except subprocess.TimeoutExpired:
                    os.kill(started.process.pid, signal.SIGKILL)  # only Nextflow: its tasks continue
                    started.process.wait()
                    kills += 1
            run = started.ended()
            again = finished & set(completed(started))
            assert not again, f"had finished, but ran again: {again}"
            finished |= {name for name, status in completed(started).items() if status == "COMPLETED"}
            if run.rc == 0:
                length *= 0.8 if kills < KILLS else 1  # it ended before the last kill
                break
            assert run.rc == -signal.SIGKILL, run.output
            assert not locked(run.results / "pipeline_info/.lock")
        assert run.rc == 0
        yield run
        until(lambda chain=chain: not running(chain / "work"), 60, "tasks of killed runs to end")
