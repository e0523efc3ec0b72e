"""Whatever is killed, and whenever it is killed, -resume gives the results of an undisturbed run, bit for bit."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from harness import Small, edited, outcome
from kills import caught, killed_at_random_moments, locked, of_step, running
from slurm_cluster import Cluster, until


def test_nextflow_killed_at_random_moments(small: Small, tmp_path: Path) -> None:
    # For some time at its start and end a run has no task
    for run in killed_at_random_moments(
        lambda folder: small.start("-resume", folder=folder), 0.8 * small.first.seconds, tmp_path
    ):
        assert outcome(run.results) == small.outcome


@pytest.mark.parametrize("how", ["SIGTERM", "Ctrl-C"])
def test_a_stopped_run_leaves_no_task_and_no_lock(small: Small, tmp_path: Path, how: str) -> None:
    started = small.start("-resume", outdir=tmp_path / "out", windows_per_shard={"SIGTERM": 170, "Ctrl-C": 180}[how])
    caught(started, "embed.py")
    if how == "Ctrl-C":
        os.killpg(started.process.pid, signal.SIGINT)  # a terminal sends it to the whole foreground group
    else:
        started.process.terminate()
    assert started.ended(60).rc == 1
    until(lambda: not running(small.folder / "work"), 10, "all tasks to be gone")
    locks = [tmp_path / "out/pipeline_info/.lock", *small.folder.glob(".nextflow/cache/*/db/LOCK")]
    assert len(locks) > 1 and not any(map(locked, locks))


def test_killed_tasks_are_tried_again(small: Small, tmp_path: Path) -> None:
    """Python itself in one task, a worker process of training in another, and the shell of a third."""
    started = small.start("-resume", outdir=tmp_path / "out", windows_per_shard=350)
    os.kill(caught(started, "embed.py"), signal.SIGKILL)
    os.kill(max(of_step(small.folder / "work", "train.py") or [caught(started, "train.py")]), signal.SIGKILL)
    evaluating = caught(started, "evaluate.py")
    os.kill(int(re.search(r"PPid:\s+(\d+)", Path(f"/proc/{evaluating}/status").read_text())[1]), signal.SIGKILL)
    run = started.ended()
    assert run.rc == 0, run.output
    tried = {row["process"].split(":")[-1] for row in run.trace if row["status"] == "FAILED" and row["exit"] == "137"}
    assert tried >= {"EMBED_KMERS", "EVALUATE"} and tried & {"TRAIN", "TRAIN_BASELINE"}, run.trace
    assert outcome(run.results) == small.outcome


def test_a_task_that_needs_too_much_memory_gets_more_and_is_named_in_the_end(small: Small, tmp_path: Path) -> None:
    """The MemoryError is real: no machine can hold the array."""
    config = tmp_path / "trace.config"
    config.write_text("trace.fields = 'name,status,exit,attempt,memory,hash'\n")
    too_much = "    args = p.parse_args()\n    np.empty((1 << 45, 1))\n"
    with edited(small.pipeline / "bin/embed.py", lambda text: text.replace("    args = p.parse_args()\n", too_much, 1)):
        run = small.start("-resume", "-c", config, outdir=tmp_path / "out").ended()
    assert run.rc == 1
    complaint = [line for line in run.output.splitlines() if line.startswith("virshort: ")][-1]
    assert complaint.startswith("virshort: EMBED_KMERS (kmer-") and "shard_0000" in complaint, complaint
    assert "exit code 137: out of memory: give the process more" in complaint, complaint
    task = complaint.removeprefix("virshort: ").split(": ")[0]
    attempts = [row for row in run.trace if row["name"].endswith(f":{task}")]
    assert [(row["attempt"], row["exit"]) for row in attempts] == [("1", "137"), ("2", "137"), ("3", "137")]
    memory = [float(row["memory"].removesuffix(" GB")) for row in attempts]
    assert memory == [memory[0], 2 * memory[0], 3 * memory[0]]


def test_on_slurm_jobs_and_the_node_fail(small: Small, cluster: Cluster, tmp_path: Path) -> None:
    """scancel of one job, SIGKILL of another job's program, and a node that goes down and comes back: all are tried again."""
    started = small.start(*cluster.options, folder=tmp_path, env=cluster.environment, windows_per_shard=1000)
    work = tmp_path / "work"
    before = {job["JobId"] for job in cluster.jobs()}

    os.kill(caught(started, "embed.py"), signal.SIGKILL)
    # Wait until the program runs: Nextflow's wrapper ends with code 1 if it is cancelled while it starts.
    cancelled = Path(f"/proc/{caught(started, 'train.py')}/cwd").readlink()
    cluster.call("scancel", next(job["JobId"] for job in cluster.jobs() if job["WorkDir"] == str(cancelled)))
    until(lambda: cancelled not in running(work).values(), 60, "the cancelled job to end")
    caught(started, "train.py")
    cluster.call("scontrol", "update", f"nodename={cluster.node}", "state=down", "reason=test")
    until(lambda: not of_step(work, "train.py"), 60, "the node's jobs to be ended")
    time.sleep(1)
    cluster.call("scontrol", "update", f"nodename={cluster.node}", "state=resume")
    run = started.ended()
    assert run.rc == 0, run.output
    states = {job["JobState"] for job in cluster.jobs() if job["JobId"] not in before}
    assert states == {"COMPLETED", "CANCELLED", "FAILED", "NODE_FAIL"}
    assert outcome(run.results) == small.outcome
