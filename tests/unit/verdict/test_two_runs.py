"""Two runs side by side: paired where the windows are the same, and only there."""

import json
import shutil
import sys
from pathlib import Path

import pytest

import compare_runs
from compared import compared, plain
from synthetic_results import Arm, write_results
from virshort.errors import InputError


def make(folder: Path, arms: list[Arm], digest: str, seed: int = 0) -> Path:
    write_results(folder, arms, {"short": 2000}, clusters=80, folds=2, replicates=2, seed=seed)
    compared(folder)
    (folder / "window_sets.json").write_text(json.dumps({"test": {"short": {"pools": ["test/short"]}}}))
    metadata = folder / "windows" / "test" / "short" / "metadata.json"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(json.dumps({"digests": [digest]}))
    return folder


def told(a: Path, b: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    monkeypatch.setattr(sys, "argv", ["compare_runs.py", str(a), str(b), "--out", str(out)])
    compare_runs.main()
    return json.loads(out.read_text())


def test_runs_on_the_same_windows_are_paired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a = make(tmp_path / "a", [*plain("baseline"), *plain("finetune", accuracy=0.6)], "x")
    b = make(tmp_path / "b", [*plain("baseline"), *plain("finetune", accuracy=0.8), *plain("scratch")], "x")
    found = told(a, b, tmp_path / "out.json", monkeypatch)
    assert (found["only_in_a"], found["only_in_b"]) == ([], ["scratch"])
    rows = {r["arm"]: r for r in found["rows"]}
    r = rows["finetune"]
    assert r["same_windows"] and r["points"] == pytest.approx(100 * (r["b"] - r["a"]))
    assert r["ci95"][0] < r["points"] < r["ci95"][1]
    assert rows["baseline"]["points"] == pytest.approx(0)
    shown = capsys.readouterr().out
    assert f"{r['points']:+.1f}" in shown and "only in B: 'scratch'" in shown


def test_runs_on_other_windows_are_not_paired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a = make(tmp_path / "a", plain("baseline"), "x")
    b = make(tmp_path / "b", plain("baseline"), "y", seed=1)
    (row,) = told(a, b, tmp_path / "out.json", monkeypatch)["rows"]
    assert not row["same_windows"] and row["ci95"] is None
    shutil.rmtree(b / "windows")
    assert not told(a, b, tmp_path / "out.json", monkeypatch)["rows"][0]["same_windows"]


def test_a_folder_that_holds_two_runs_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "a", plain("baseline"), "x")
    make(tmp_path / "b", plain("scratch", "baseline"), "x")
    (tmp_path / "b" / "evaluation" / "scratch").rename(folder / "evaluation" / "scratch")
    with pytest.raises(InputError, match=r"a/evaluation/: is not what comparison\.json was computed from"):
        compare_runs.read_run(folder)


def test_a_folder_that_is_no_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"comparison\.json is missing"):
        compare_runs.read_run(tmp_path)
