"""The real image, an experiment in it with Podman and with Docker, and proof that no task uses the network."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from engines import IMAGE
from harness import ROOT, WITHOUT_NETWORK, Run, Small, copy_pipeline, nextflow_within, outcome
from small_reads import SmallReads, calls

USER = 4321


@pytest.mark.skipif(not WITHOUT_NETWORK, reason="a network namespace needs root and unshare")
def test_no_task_uses_the_network(demo: Run) -> None:
    routes = subprocess.run([*WITHOUT_NETWORK, "cat", "/proc/net/route"], capture_output=True, text=True, check=True).stdout
    assert not routes.splitlines()[1:], "the namespace in which the demo ran has no route, only the heading of the table"
    assert (demo.results / "report.html").exists()


def test_podman(podman: dict[str, str], small: Small, small_reads: SmallReads, tmp_path: Path) -> None:
    """The image has lost its name, so the run builds it again (here from cached layers). The genomes of the small experiment
    are simulated once more, in the image."""
    subprocess.run(["podman", "untag", IMAGE], env=os.environ | podman, check=True)
    run = small.start(
        "-profile",
        "podman,test",
        folder=tmp_path,
        env=podman,
        users_trace=True,
        input=None,
        source_table=None,
        dna_encoder="auto",
        protein_encoder="auto",
    ).ended()
    assert run.rc == 0, run.output
    assert f"image: building {IMAGE} with podman" in run.output
    assert "SIMULATE" in run.executed()
    found, expected = outcome(run.results), dict(small.outcome)
    # The card of this model says that its genomes are simulated, and model.json holds the digest of the card.
    assert found.pop("model/model.json") and expected.pop("model/model.json")
    assert found == expected
    page = (run.results / "report.html").read_text()
    assert all(f">{step}<" in page for step in ("SAMPLE_WINDOWS", "TRAIN", "COMPARE")), "the report shows the cost of the run"
    reads = small_reads.start("-profile", "podman", folder=tmp_path / "reads", env=podman).ended()
    assert reads.rc == 0 and calls(reads.results) == small_reads.outcome, reads.output


def test_docker_as_a_user_who_is_not_root(docker: dict[str, str], small: Small, small_reads: SmallReads) -> None:
    folder = Path(docker["DOCKER_HOST"].removeprefix("unix://")).parent
    for path in (folder, *folder.parents[:3]):  # other users may not enter pytest's folders
        path.chmod(path.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)
    (folder / "docker.sock").chmod(0o666)
    own = folder / "run"
    own.mkdir()
    os.chown(own, USER, USER)
    pipeline, genomes, given = copy_pipeline(folder / "pipeline"), folder / "genomes", folder / "given"
    shutil.copytree(small.genomes, genomes)
    shutil.copytree(small_reads.given, given)
    for name in ("tools", ".tools"):  # the originals may be in a folder that other users cannot enter
        shutil.copytree(ROOT / name, pipeline / name, symlinks=True)
    subprocess.run(["chmod", "-R", "a+rX", pipeline, genomes, given], check=True)
    path = nextflow_within(
        folder, "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", tools=pipeline / ".tools/bin"
    )
    users = docker | {"PATH": path, "HOME": str(own), "NXF_HOME": str(own)}
    run = small.start(
        "-profile",
        "docker",
        folder=own,
        pipeline=pipeline,
        env=users,
        input=genomes / "samplesheet.csv",
        source_table=genomes / "sources.tsv",
    ).ended()
    assert run.rc == 0, run.output
    assert outcome(run.results) == small.outcome
    reads = small_reads.start(
        "-profile", "docker", folder=own, pipeline=pipeline, env=users, reads=given / "reads.csv", model=given / "model"
    ).ended()
    assert reads.rc == 0 and calls(reads.results) == small_reads.outcome, reads.output
    owners = {path.lstat().st_uid for path in own.rglob("*")}
    assert owners == {USER}, "tasks ran as the user, not as root"


def test_the_image_holds_what_tasks_need_and_no_more(podman: dict[str, str]) -> None:
    env = os.environ | podman

    def inside(*command: str) -> subprocess.CompletedProcess[str]:
        words = ["podman", "run", "--rm", f"--user={USER}:{USER}", IMAGE, *command]
        return subprocess.run(words, env=env, capture_output=True, text=True)

    assert inside("python3", "-c", "import torch; print(torch.version.cuda)").stdout.startswith("13.")
    for absent in ("gcc", "pip", "nvcc"):
        assert inside("bash", "-c", f"command -v {absent}").returncode != 0
    listed = inside("ls", "-A", "/opt", "/tmp", "/var/cache/apt").stdout.split()
    assert listed == ["/opt:", "virshort", "/tmp:", "/var/cache/apt:"], "no cache, and nothing left of the installation"
    facts = subprocess.run(["podman", "image", "inspect", IMAGE], env=env, capture_output=True, check=True).stdout
    size = json.loads(facts)[0]["Size"]
    print(f"size of the image: {size / 1e9:.2f} GB")
    assert size < 5.5e9
    assert inside("cat", "/etc/pip.conf").stdout == "", "this machine's settings are not in the image"
