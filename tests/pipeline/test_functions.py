"""The Groovy functions of functions/: paths, results folders and the lines that explain a failure, without running a task."""

import json
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness import ROOT, Run, environment, nextflow

DRIVER = ROOT / "tests/pipeline/nf/functions.nf"
Call = tuple[str, Sequence[Any]]


def called(folder: Path, calls: Sequence[Call], parser: str | None = None, **env: str) -> list[Any]:
    """What each function (name, arguments) returns, from one start of Nextflow. An error is {"error": ...}."""
    path = folder / "calls.json"
    path.write_text(json.dumps(calls, default=str))
    done = nextflow("-q", "run", DRIVER, "--calls", path, folder=folder, env=environment(parser, **env))
    assert done.returncode == 0, done.stdout
    results = [json.loads(line)["result"] for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(results) == len(calls), done.stdout
    return results


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    folder = tmp_path / "Phages [2024] {new}"
    folder.mkdir()
    for name in ("v.fa", "n.fa", "v 'x'.fa"):
        (folder / name).touch()
    return folder / "sheet.csv"


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_files_of_a_sheet(tmp_path: Path, sheet: Path, parser: str) -> None:
    """Brackets and braces in folders do no harm, ~/ is the user's home, and all else is refused with the remedy."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "v.fa").touch()
    names: list[tuple[str, str | None]] = [
        ("gone.fa", "sheet.csv: cannot find gone.fa: correct the path"),
        ("https://host/v.fa", "sheet.csv: https://host/v.fa: is a URL: download the file"),
        ("s3://bucket/v.fa", "sheet.csv: s3://bucket/v.fa: is a URL: download the file"),
        ("*.fa", "sheet.csv: *.fa: is a pattern: write one row for each file"),
        ("~other/v.fa", "sheet.csv: ~other/v.fa: begins with the home folder of another user"),
        ("v[1].fa", "sheet.csv: v[1].fa: holds [, which a shell would expand: rename it"),
        ("a{1,2}/v.fa", "sheet.csv: a{1,2}/v.fa: is in a folder that holds {1,2}, which a shell would expand"),
        ("$x/v.fa", "sheet.csv: $x/v.fa: is in a folder that holds $, which a shell would expand"),
        ("v\n.fa", "sheet.csv: v\n.fa: holds a line break or tab, which a shell would expand: rename it"),
    ]
    good = ["v.fa", "./n.fa", "v 'x'.fa", str(sheet.parent / "n.fa"), "~/v.fa"]
    results = called(
        tmp_path,
        [("listedFiles", [good, sheet]), *(("listedFiles", [["v.fa", name], sheet]) for name, _ in names)],
        parser,
        HOME=str(home),
    )
    folder = sheet.parent
    assert results[0] == [
        str(path) for path in (folder / "v.fa", folder / "n.fa", folder / "v 'x'.fa", folder / "n.fa", home / "v.fa")
    ]
    for (name, complaint), result in zip(names, results[1:], strict=True):
        assert result["error"].startswith(f"virshort: {complaint}"), (name, result)


def test_brackets_that_match_another_folder_are_refused(tmp_path: Path, sheet: Path) -> None:
    """A shell would read the files of 'Phages 2 {new}', which matches the pattern, without a word."""
    other = sheet.parent.with_name("Phages 2 {new}")
    other.mkdir()
    unclosed = tmp_path / "a[b"
    unclosed.mkdir()
    results = called(
        tmp_path,
        [
            ("unsafeName", [sheet.parent / "v.fa"]),
            ("unsafeFolder", ["work folder", sheet.parent / "work"]),
            ("unsafeFolder", ["work folder", unclosed]),
            ("unsafePipelineFolder", [tmp_path / "a:b"]),
            ("unsafePipelineFolder", [tmp_path / "it's (a) place"]),
        ],
    )
    assert results == [
        f"is in a folder that a shell could mistake for {other}: rename the folder",
        f"the work folder {sheet.parent / 'work'} a shell could mistake for {other}: use another",
        None,
        f"the pipeline's folder {tmp_path / 'a:b'} holds :, which cannot be part of PATH: move the pipeline",
        None,
    ]


def test_names_that_the_locale_does_not_have(tmp_path: Path) -> None:
    """Under LANG=C, where the user's own Nextflow starts Java; tools/nextflow sets another locale (test_disks.py)."""
    launcher = tmp_path / "bin/nextflow"
    launcher.parent.mkdir()
    text = (ROOT / "tools/nextflow").read_text().replace("export LC_ALL=C.UTF-8", "true")
    launcher.write_text(text.replace('$(dirname "$(dirname "$self")")', str(ROOT)))
    launcher.chmod(0o755)
    if not (ROOT / ".tools/nextflow").exists():
        pytest.skip("Nextflow is not the one of tools/setup.sh")
    path = os.pathsep.join([str(launcher.parent), environment()["PATH"]])
    calls: list[Call] = [("unsafeName", ["/data/Probe_ä.fa"]), ("unsafeName", ["/data/v.fa"])]
    results = called(tmp_path, calls, PATH=path, LC_ALL="C")
    assert results[0].startswith("holds characters that this locale (ANSI_X3.4-1968) does not have: set LC_ALL=C.UTF-8")
    assert results[1] is None


def write(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)


def test_only_what_an_earlier_run_published_is_removed(tmp_path: Path) -> None:
    """A link is removed, and what it points to stays; a link that leads to the results folder is followed."""
    out, away = tmp_path / "out [1]", tmp_path / "away"
    write(away / "baseline/model.json", away / "report.html")
    published = [
        out / name for name in ("summary.txt", "windows/train/x.fa.gz", "pipeline_info/arms.json", "lake/lake.summary.json")
    ]
    users = [out / name for name in ("notes.txt", "windows.txt", "pipeline_info/trace_1.tsv", "pipeline_info/.lock", "mine/x")]
    write(*published, *users)
    (out / "models").symlink_to(away)
    (out / "report.html").symlink_to(away / "report.html")
    (out / "figures").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link").symlink_to(out)
    removed, again = called(tmp_path, [("removeEarlierResults", [tmp_path / "link"]), ("removeEarlierResults", [out])])
    assert set(removed) == {"summary.txt", "windows", "pipeline_info/arms.json", "models", "report.html", "figures", "lake"}
    assert again == []
    left = {path for path in out.rglob("*") if not path.is_dir() or path.is_symlink()}
    assert left == set(users)
    assert (away / "baseline/model.json").exists() and (away / "report.html").exists()


def test_folders_that_cannot_take_results(tmp_path: Path) -> None:
    """A folder of somebody else's, inputs that the run itself would remove, and links that cannot be made."""
    foreign, earlier, remote, work = tmp_path / "foreign", tmp_path / "earlier", tmp_path / "remote", tmp_path / "work"
    write(foreign / "models/mine.pt", foreign / "report.html", foreign / "pipeline_info/software.yml")
    write(earlier / "models/baseline/model.safetensors", earlier / "sheet.csv", earlier / "pipeline_info/.lock")
    write(remote / "models/baseline/model.json", remote / "pipeline_info/arms.json")
    (tmp_path / "link.safetensors").symlink_to(earlier / "models/baseline/model.safetensors")
    inside = {"pretrained": earlier / "models/baseline/model.safetensors"}
    by_link = {"pretrained": tmp_path / "link.safetensors"}
    beside = {"input": earlier / "sheet.csv"}
    calls: list[tuple[list[Any], str | None]] = [
        ([foreign, "copy", work, {}], "holds report.html, models and was not written by virshort: move them away"),
        ([earlier, "copy", work, beside], None),
        ([remote, "copy", work, {}], None),
        ([tmp_path / "new", "copy", work, beside], None),
        ([earlier, "copy", work, inside], f"--pretrained {inside['pretrained']} is among the results of an earlier run"),
        ([earlier, "copy", work, by_link], f"--pretrained {by_link['pretrained']} is among the results of an earlier run"),
        ([earlier, "link", work, {}], None),
    ]
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as other:
        if Path(other).stat().st_dev != tmp_path.stat().st_dev:
            calls.append(([other, "link", work, {}], "--publish_mode link cannot make hard links in"))
            calls.append(([other, "symlink", work, {}], None))
        results = called(tmp_path, [("resultsFolderComplaint", args) for args, _ in calls])
        assert not list(Path(other).iterdir())
    for (args, expected), result in zip(calls, results, strict=True):
        assert (expected in result) if expected else (result is None), (args, result)


def test_published_names_are_those_that_processes_publish(demo: Run, tmp_path: Path) -> None:
    """What the processes publish into, and what the demo did publish, is what a later run removes."""
    (names,) = called(tmp_path, [("publishedNames", [])])
    modules = "".join(path.read_text() for path in (ROOT / "modules").glob("*/main.nf"))
    folders = set(re.findall(r"\$\{task\.ext\.outdir\}/(\w+)", modules)) - {"pipeline_info"}
    assert folders <= set(names)
    own = ("trace_", "timeline_", ".lock")
    found = {path.name for path in demo.results.iterdir() if path.name != "pipeline_info"}
    found |= {f"pipeline_info/{p.name}" for p in (demo.results / "pipeline_info").iterdir() if not p.name.startswith(own)}
    # features/ needs --keep_features, gpu.json a GPU, summary.tsv and forecast.json reads.
    assert found | folders | {"pipeline_info/gpu.json", "pipeline_info/forecast.json", "summary.tsv"} == set(names)


REPORT = """Error executing process > 'EMBEDDING:EMBED (x)'
Caused by:
  Process `EMBEDDING:EMBED (x)` terminated with an error exit status ({code})
Command executed:
  embed.py
Command error:
  {error}
"""


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_a_failure_is_explained_in_one_line(tmp_path: Path, parser: str) -> None:
    cases: list[tuple[int, str, str | None, str | None]] = [
        (1, "virshort: v.fa, record 1: looks like protein", None, "v.fa, record 1: looks like protein"),
        (
            137,
            "Killed",
            None,
            "EMBED (x): failed three times; the last attempt ended with exit code 137: the task was killed, usually because",
        ),
        (
            137,
            "virshort: out of memory: give it more",
            None,
            "EMBED (x): failed three times; the last attempt ended with exit code 137: out of",
        ),
        (104, "virshort: no network", None, "no network"),
        (1, "ModuleNotFoundError: No module named 'numpy'", None, "the Python package numpy is not installed for the python3"),
        (
            1,
            "ModuleNotFoundError: No module named 'numpy._core._x'",
            None,
            "the Python package numpy is damaged or made for another",
        ),
        (
            1,
            "ModuleNotFoundError: No module named 'numpy'",
            "docker",
            "the Python package numpy is not installed for the python3",
        ),
        (
            1,
            "ModuleNotFoundError: No module named 'virshort.heads'",
            None,
            "bin/ of the pipeline is incomplete (Python finds no",
        ),
        (125, "Unable to find image 'x' locally", "docker", "the image is missing: build it with `make image`"),
        (1, "cp: No space left on device", None, "no space left on a disk: free some"),
        (1, "Segmentation fault", None, None),
    ]
    calls: list[Call] = [("failureLines", [REPORT.format(code=code, error=error), engine]) for code, error, engine, _ in cases]
    lost = "Error executing process > 'A:B'\n  Process `A:B` terminated for an unknown reason -- Likely it has been terminated"
    refused = "Error executing process > 'A:B'\nFailed to submit process\n  sbatch: error: Invalid qos\n"
    results = called(tmp_path, [*calls, ("failureLines", [lost, None]), ("failureLines", [refused, None])], parser)
    for (_code, error, engine, expected), lines in zip(cases, results[:-2], strict=True):
        if expected is None:
            assert lines == []
            continue
        (line,) = lines
        assert line.startswith(f"virshort: {expected}"), (error, line)
        if "No module" in error and "virshort" not in error:
            assert ("`make image`" in line) == (engine is not None) and ("`make setup`" in line) == (engine is None)
    assert results[-2][0].startswith("virshort: B: failed three times; the last attempt ended without an exit code: the job")
    assert results[-1][0].startswith("virshort: B: the cluster refused the job (Invalid qos)")
