"""Nextflow, schema and Python pass their linters, and no file names a package host."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness import ROOT, SPECS, copy_pipeline, environment, nextflow

HOSTS = re.compile(  # with a letter of each in brackets, since this file must not name one either
    r"py[p]i\.|python[h]osted|py[t]orch\.org/whl|repo\d?\.[m]aven|[m]aven\.org|ana[c]onda\.(org|com)/|--(extra-)?index[-]url"
)


def test_nextflow_lint_finds_nothing(tmp_path: Path) -> None:
    paths = [ROOT / name for name in ("main.nf", "nextflow.config", "conf", "functions", "modules", "workflows", "tests")]
    done = nextflow("lint", *[p for p in paths if p.exists()], folder=tmp_path)
    assert done.returncode == 0 and "warning" not in done.stdout.lower(), done.stdout


def test_nf_core_schema_lint_passes_offline(tmp_path: Path) -> None:
    pipeline = copy_pipeline(tmp_path / "virshort")
    nowhere = "http://127.0.0.1:9"
    env = environment(
        HOME=str(tmp_path), https_proxy=nowhere, http_proxy=nowhere, COLUMNS="200", PYTHONPATH=str(ROOT / ".tools/nf-core")
    )
    command = [sys.executable, "-m", "nf_core", "pipelines", "schema", "lint"]
    done = subprocess.run(command, cwd=pipeline, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "Default parameters match schema validation" in output
    assert f"Pipeline schema looks valid (found {len(SPECS)} params)" in output


def as_config(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_the_config_has_the_schemas_defaults(tmp_path: Path, parser: str) -> None:
    done = nextflow("config", "-flat", ROOT, folder=tmp_path, env=environment(parser))
    assert done.returncode == 0, done.stdout
    found = dict(re.findall(r"^params\.(\w+) = (.*)$", done.stdout, re.MULTILINE))
    expected = {name: spec.get("default", False if spec["type"] == "boolean" else None) for name, spec in SPECS.items()}
    assert {k: v.strip("'") for k, v in found.items()} == {k: as_config(v) for k, v in expected.items()}


CHECKS = {
    "style": ("ruff", "check"),
    "format": ("ruff", "format", "--check"),
    "types": ("mypy",),
    "which package imports which": ("lint-imports",),
    "Markdown": ("mdformat", "--check", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs"),
}
"""The tools that check Python and Markdown; pyproject.toml and .mdformat.toml have their settings."""


@pytest.mark.parametrize("name", CHECKS)
def test_tools_find_nothing(name: str) -> None:
    program, *options = CHECKS[name]
    command = [Path(sys.executable).with_name(program), *options]
    env = environment(PYTHONPATH=str(ROOT / "bin"))
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_package_host_is_named() -> None:
    done = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git clone")
    for name in done.stdout.splitlines():
        path = ROOT / name
        if path.is_file():
            assert not HOSTS.search(path.read_text(errors="replace")), name


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize("name", ["tools/setup.sh", "tools/nextflow", ".ci/run"])
def test_shell_scripts_parse(name: str) -> None:
    assert subprocess.run(["bash", "-n", ROOT / name]).returncode == 0
