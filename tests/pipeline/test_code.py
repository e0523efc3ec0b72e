"""What the pipeline believes each script depends on is what Python would import."""

import json
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from harness import ROOT, environment, nextflow

DRIVER = ROOT / "tests/pipeline/nf/code.nf"
SCRIPTS = sorted(p.name for p in (ROOT / "bin").glob("*.py"))


def imported(script: str) -> set[str]:
    finder = ModuleFinder(path=[str(ROOT / "bin")])
    finder.run_script(str(ROOT / "bin" / script))
    return {m.__file__ for m in finder.modules.values() if m.__file__}


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_reached_files_are_what_python_imports(tmp_path: Path, parser: str) -> None:
    done = nextflow("-q", "run", DRIVER, "--scripts", ",".join(SCRIPTS), folder=tmp_path, env=environment(parser))
    assert done.returncode == 0, done.stdout
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [r["script"] for r in rows] == SCRIPTS
    for row in rows:
        assert set(row["files"]) == imported(row["script"]), row["script"]
    assert len({r["digest"] for r in rows}) == len(rows)
