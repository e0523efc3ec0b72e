"""The experiment on a real Slurm, through sbatch. Slurm's own records show what each job asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness import ROOT, Run, Small, edited, environment, nextflow, outcome
from slurm_cluster import Cluster
from small_reads import SmallReads, calls

Jobs = list[dict[str, str]]


@dataclass
class OnCluster:
    """The small experiment with a language model for DNA and k-mers for proteins."""

    small: Small
    cluster: Cluster
    folder: Path
    options: dict[str, object]
    outcome: dict[str, str]
    """digests of the results of the same experiment without Slurm"""
    run: Run
    jobs: Jobs

    def resumed(self, *more: object, **changes: Any) -> tuple[Run, Jobs]:
        """Resume the first run. Returns the run, successful or not, and its jobs."""
        return run_on(self.small, self.cluster, "-resume", *more, folder=self.folder, **(self.options | changes))


def run_on(small: Small, cluster: Cluster, *more: object, **changes: Any) -> tuple[Run, Jobs]:
    before = {job["JobId"] for job in cluster.jobs()}
    run = small.start(*cluster.options, *more, env=cluster.environment, **changes).ended()
    return run, [job for job in cluster.jobs() if job["JobId"] not in before]


@pytest.fixture(scope="module")
def on_cluster(
    small: Small, small_model: dict[str, object], cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> OnCluster:
    base = tmp_path_factory.mktemp("on_cluster")
    options = small_model | {"windows_per_shard": 900, "arms": "finetune,homology", "replicates": 1}
    expected = outcome(small.resumed(outdir=base / "one_machine", **options).results)
    run, jobs = run_on(small, cluster, folder=base / "run", slurm_queue="cpu,gpu", **options)
    assert run.rc == 0, run.output
    return OnCluster(small, cluster, base / "run", options, expected, run, jobs)


def embedding(job: dict[str, str]) -> bool:
    """Whether a job embeds windows with a language model."""
    return "_EMBED_(" in job["JobName"]


def test_every_task_is_a_job_and_the_results_are_those_of_one_machine(on_cluster: OnCluster) -> None:
    steps = [row["process"].split(":")[-1] for row in on_cluster.run.trace]
    assert len(on_cluster.jobs) == len(steps) - steps.count("TRACE"), "TRACE runs in Nextflow itself"
    assert {job["JobState"] for job in on_cluster.jobs} == {"COMPLETED"}
    assert outcome(on_cluster.run.results) == on_cluster.outcome


def test_jobs_of_a_language_model_ask_for_a_gpu_and_no_others(on_cluster: OnCluster) -> None:
    """Jobs that count k-mers do not."""
    assert any("EMBED_KMERS" in job["JobName"] for job in on_cluster.jobs)
    asked = {job["JobName"]: job.get("TresPerNode") for job in on_cluster.jobs}
    assert {name for name, what in asked.items() if what} == {job["JobName"] for job in on_cluster.jobs if embedding(job)}
    assert {what for what in asked.values() if what} == {"gres:gpu:1"}


def test_two_gpus_never_ran_more_than_two_embedding_jobs(on_cluster: OnCluster) -> None:
    jobs = [job for job in on_cluster.jobs if embedding(job)]
    assert len(jobs) > 4
    for job in jobs:
        beside = [other for other in jobs if other["StartTime"] <= job["StartTime"] < other["EndTime"]]
        assert len(beside) <= 2, beside


def test_every_job_has_a_time_limit_and_its_memory(on_cluster: OnCluster) -> None:
    assert {job["TimeLimit"] for job in on_cluster.jobs} == {"04:00:00"}
    assert all("mem=1G" in job["TRES"] for job in on_cluster.jobs if embedding(job))


def a_comment(text: str) -> str:
    return text + "\n# a comment\n"


def test_job_arrays_give_the_same(on_cluster: OnCluster) -> None:
    scripts = [on_cluster.small.pipeline / "bin" / name for name in ("embed.py", "search.py")]
    with edited(scripts[0], a_comment), edited(scripts[1], a_comment):
        run, jobs = on_cluster.resumed("--slurm_gpu=--gpus=1", slurm_array=3)
    assert run.rc == 0, run.output
    arrays = [job["JobName"] for job in jobs if "ArrayJobId" in job]
    steps = ("_EMBED_(", "_EMBED_KMERS_(", "_SEARCH_(")
    assert all(any(step in name for name in arrays) for step in steps) and len(arrays) > 6
    assert all(job["TresPerJob"] == "gres:gpu:1" for job in jobs if embedding(job))
    assert outcome(run.results) == on_cluster.outcome
    assert not list(on_cluster.folder.glob("slurm-*.out")), "Slurm's own logs are not written to the user's folder"


def test_reads_are_classified_by_jobs_as_on_one_machine(small_reads: SmallReads, cluster: Cluster, tmp_path: Path) -> None:
    before = {job["JobId"] for job in cluster.jobs()}
    run = small_reads.start(*cluster.options, folder=tmp_path, env=cluster.environment).ended()
    assert run.rc == 0, run.output
    jobs = [job["JobName"] for job in cluster.jobs() if job["JobId"] not in before]
    assert len(jobs) == len(run.trace) and any("_PREDICT_(" in name for name in jobs)
    assert calls(run.results) == small_reads.outcome


def test_a_request_that_no_node_can_meet_is_named(on_cluster: OnCluster) -> None:
    run, _ = on_cluster.resumed("--slurm_gpu=--gres=gpu:9", windows_per_shard=200)
    assert run.rc == 1
    complaint = run.complaint()
    assert complaint.startswith("virshort: EMBED (") and "the cluster refused the job (" in complaint, complaint
    assert "--slurm_gpu" in complaint


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_the_profile_combines_with_others_in_any_order(tmp_path: Path, parser: str) -> None:
    """The settings of all profiles and of the pipeline itself, by label or by name, are kept in any order."""
    found = []
    for profiles in ("slurm,apptainer,gpu", "gpu,apptainer,slurm"):
        options = ("-profile", profiles)
        done = nextflow("config", "-flat", *options, ROOT, folder=tmp_path, env=environment(parser))
        assert done.returncode == 0, done.stdout
        found.append({line for line in done.stdout.splitlines() if line.startswith("process.")})
    assert found[0] == found[1]
    for setting in (
        "'withLabel:gpu'.clusterOptions = {",
        "'withLabel:gpu'.containerOptions = ",
        "'withLabel:parallel'.memory = ",
        "'withName:TRAIN|TRAIN_BASELINE|TRAIN_COMBINED|EVALUATE|FORECAST|PREDICT|PREDICT_GPU|COLLECT'.cache = true",
        "executor = 'slurm'",
        "maxRetries = 2",
    ):
        assert any(line.removeprefix("process.").startswith(setting) for line in found[0]), setting
