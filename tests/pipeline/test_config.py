"""A parameter has the same effect from whichever place it is given, under both parsers."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness import copy_pipeline, environment, nextflow

GIVEN: dict[str, Any] = {
    "outdir": "mine",
    "keep_features": True,
    "publish_mode": "symlink",
    "container": "my/image:1",
    "slurm_queue": "normal",
    "slurm_account": "lab",
    "slurm_qos": "long",
    "slurm_gpu": "--gres=gpu:a100:1",
    "slurm_array": 2,
}
WORKFLOW = """\
include { keepRecords } from './functions/records'
include { AUDIT } from './modules/audit/main'
include { EMBED } from './modules/embed/main'

workflow {
    keepRecords(params.outdir)
    (a, b, c, d) = ['a', 'b', 'c', 'd'].collect { name -> file("${projectDir}/empty/${name}") }
    AUDIT(a, b, c, d, 0, false, 'cluster', 'code')
    EMBED(channel.of(1, 2).map { n -> ['encoder', 'train/short', "shard_${n}", a, b, [memory: 1]] }, 1, 'longest', '')
}
"""
SBATCH = """#!/bin/bash
last=$(sed -n 's/^#SBATCH --array 0-//p' "$1")
for i in $(seq 0 "${last:-0}"); do SLURM_ARRAY_TASK_ID=$i bash "$1" > /dev/null 2>&1; done
echo "Submitted batch job $$"
"""
PROFILES = "profiles {\n    slurm { }\n    docker { }\n}\n"
"""For the last config that Nextflow 25.04 reads with its v2 parser: it knows no other profiles (docs/slurm.md)."""
DOCKER = """#!/bin/bash
[ "$1" = run ] || exit 0
while [ "${1##*/}" != bash ]; do shift; done
exec "$@"
"""


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's config, a few stubs as workflow, and stand-ins for sbatch and docker that run what they are given."""
    folder = copy_pipeline(tmp_path_factory.mktemp("config") / "pipeline")
    (folder / "main.nf").write_text(WORKFLOW)
    (folder / "empty").mkdir()
    for name in "abcd":
        (folder / "empty" / name).touch()
    for name, text in {"sbatch": SBATCH, "docker": DOCKER, "squeue": "#!/bin/sh\n", "scancel": "#!/bin/sh\n"}.items():
        path = folder / "stand-ins" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    return folder


def as_config(values: dict[str, Any]) -> str:
    return "params {\n" + "".join(f"    {name} = {json.dumps(value)}\n" for name, value in values.items()) + "}\n"


def arguments(way: str, folder: Path) -> list[object]:
    """Words for the command line that give all of GIVEN, after writing the file that they name."""
    if way == "command line":
        return [f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in GIVEN.items()]
    if way == "parameter file":
        (folder / "params.json").write_text(json.dumps(GIVEN))
        return ["-params-file", "params.json"]
    (folder / {"-c": "my.config", "launch folder": "nextflow.config"}[way]).write_text(as_config(GIVEN) + PROFILES)
    return ["-c", "my.config"] if way == "-c" else []


@pytest.mark.parametrize("parser", ["v1", "v2"])
@pytest.mark.parametrize("way", ["command line", "parameter file", "-c", "launch folder"])
def test_a_parameter_has_its_effect_wherever_it_is_given(pipeline: Path, tmp_path: Path, way: str, parser: str) -> None:
    env = environment(parser)
    env["PATH"] = f"{pipeline / 'stand-ins'}{os.pathsep}{env['PATH']}"
    (tmp_path / "fast.config").write_text(f"executor.pollInterval = '1 sec'\n{PROFILES}")
    options = ["-profile", "slurm,docker", "-stub", "-c", "fast.config"]
    done = nextflow("run", pipeline / "main.nf", *options, *arguments(way, tmp_path), folder=tmp_path, env=env, timeout=200)
    assert done.returncode == 0, done.stdout

    assert (tmp_path / "mine/leakage.json").is_symlink()
    assert len(list((tmp_path / "mine/features/encoder").glob("train.short.shard_*.encoder.safetensors"))) == 2
    (trace,) = (tmp_path / "mine/pipeline_info").glob("trace_*.tsv")
    assert trace.read_text().count("COMPLETED") == 3
    assert list((tmp_path / "mine/pipeline_info").glob("timeline_*.html"))
    assert not (tmp_path / "results").exists()

    jobs = [path.read_text() for path in (tmp_path / "work").rglob(".command.run")]
    arrays = [job for job in jobs if "#SBATCH --array 0-1\n" in job]
    assert len(jobs) == 4 and len(arrays) == 1, "EMBED goes to Slurm as an array of two"
    for job in jobs:
        assert "#SBATCH -p normal\n" in job and "#SBATCH --account=lab --qos=long" in job
        assert ("--gres=gpu:a100:1" in job) == ("EMBED" in job)
    assert all("my/image:1" in job for job in jobs if job not in arrays)
