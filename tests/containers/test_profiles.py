"""Profiles of containers and GPUs: settings in any order, and the command lines that start tasks.

A script takes the place of each engine. It records how it is called and runs the command on this machine.
"""

import hashlib
import os
import re
from pathlib import Path

import pytest

from engines import TINY
from harness import ROOT, Run, as_words, environment, nextflow, run_nextflow

GPU_FLAGS = {"docker": "--gpus all", "podman": "--device nvidia.com/gpu=all", "apptainer": "--nv", "singularity": "--nv"}
STAND_IN = """#!/usr/bin/env bash
case $1 in run | exec) ;; *) exit ;; esac
while [ "${1##*/}" != image.sif ]; do printf '%s ' "$1" >> "${0%/*}/calls"; shift; done
echo >> "${0%/*}/calls"
shift
exec "$@"
"""


def settings(folder: Path, profiles: str, parser: str, **env: str) -> dict[str, str]:
    done = nextflow("config", "-flat", "-profile", profiles, ROOT, folder=folder, env=environment(parser, **env))
    assert done.returncode == 0, done.stdout
    found = dict(re.findall(r"^([a-z]\S+) = (.*)$", done.stdout, re.MULTILINE))
    return {name: value for name, value in found.items() if not name.endswith(".file")}  # records are named after the process


@pytest.mark.parametrize("parser", ["v1", "v2"])
@pytest.mark.parametrize("order", [("docker", "gpu", "test"), ("apptainer", "slurm", "gpu")])
def test_profiles_combine_in_any_order(tmp_path: Path, parser: str, order: tuple[str, ...]) -> None:
    one, other = (settings(tmp_path, ",".join(names), parser, CUDA_VISIBLE_DEVICES="0,1,2") for names in (order, order[::-1]))
    assert one == other
    engine = order[0]
    image = "'localhost/virshort:0.1.0'" if engine == "docker" else '"${projectDir}/containers/virshort-0.1.0.sif"'
    assert one["manifest.version"] == "'0.1.0'"
    assert one["process.container"] == f"{{ params.getOrDefault('container', null) ?: {image} }}"
    assert one[f"{engine}.envWhitelist"] == "'CUDA_VISIBLE_DEVICES'"
    assert one["params.device"] == "'cuda'"
    assert one["process.'withLabel:gpu'.maxForks"] == "3"
    assert one["process.'withLabel:parallel'.memory"].startswith("{"), "conf/base.config's settings of the label are kept"
    if "slurm" in order:
        assert one["process.'withName:EMBED|FINETUNE|SCORE_FINETUNED|CHECK_GPU'.maxForks"] == "0", "the scheduler assigns GPUs"


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_conda(tmp_path: Path, parser: str) -> None:
    assert settings(tmp_path, "test_full,conda", parser)["process.conda"] == f"'{ROOT}/environment.yml'"
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes()).hexdigest()
    assert digest in (ROOT / "environment.yml").read_text(), "make lock writes it"


def start(folder: Path, engine: str, *args: object, **env: str) -> tuple[Run, list[str]]:
    """Run the demo with a script in place of the engine. Returns the run, and the engine's calls up to the image's name."""
    stand_in = folder / "bin" / engine
    stand_in.parent.mkdir()
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    (folder / "image.sif").touch()
    path = os.pathsep.join([str(stand_in.parent), environment()["PATH"]])
    run = run_nextflow(
        "-profile",
        f"gpu,{engine},test",
        "--container",
        folder / "image.sif",
        *args,
        folder=folder / "run",
        PATH=path,
        CUDA_VISIBLE_DEVICES="",
        **env,
    )
    return run, (stand_in.parent / "calls").read_text().splitlines()


def test_an_image_that_cannot_be_built_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\necho Cannot connect to the Docker daemon >&2\nexit 1\n")
    (tmp_path / "docker").chmod(0o755)
    run = run_nextflow("-profile", "docker,test", folder=tmp_path, PATH=f"{tmp_path}:{environment()['PATH']}")
    assert run.rc == 1 and not run.trace
    assert "Cannot connect to the Docker daemon" in run.output
    assert "the image localhost/virshort:0.1.0 is missing and could not be built" in run.complaint()


@pytest.mark.parametrize("engine", GPU_FLAGS)
def test_a_machine_without_a_gpu_stops_the_run_before_anything_is_computed(tmp_path: Path, engine: str) -> None:
    run, calls = start(tmp_path, engine)
    assert run.rc == 1
    assert "GPU" in run.complaint() and "--allow_cpu" in run.complaint()
    (call,) = calls
    assert f" {GPU_FLAGS[engine]} " in call
    (row,) = run.trace
    assert (row["process"].split(":")[-1], row["exit"]) == ("CHECK_GPU", "1"), "it is not tried again"


def test_gpu_flags_are_for_language_models_only(tmp_path: Path, small_model: dict[str, object]) -> None:
    words = as_words(small_model | {"windows_per_shard": 100})
    run, calls = start(tmp_path, "apptainer", "-stub-run", "--allow_cpu", *TINY, *words)
    assert run.rc == 0, run.output
    embedded = [call for call in calls if " --nv " in call]
    embedding = [row["name"] for row in run.trace if row["process"].split(":")[-1].startswith("EMBED")]
    assert len(embedded) == sum("dnabert-s" in name for name in embedding) == len(embedding) / 2 > 0
    assert len(calls) == len(run.trace) - 1 > len(embedded), "TRACE runs in Nextflow itself"
