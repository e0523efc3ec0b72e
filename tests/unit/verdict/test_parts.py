"""A results folder that holds files of two runs is recognized."""

import json
import shutil
from pathlib import Path

import pytest

from virshort.errors import InputError
from virshort.verdict.parts import check_parts, digest_parts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for arm in ("baseline", "gc"):
        put(tmp_path / "models" / arm / "fold_0" / "replicate_0" / "model.json", {"arm": arm})
        put(tmp_path / "models" / arm / "fold_0" / "replicate_0" / "history.json", [])
        put(tmp_path / "evaluation" / arm / "short" / "metrics.json", {"windows": 5})
    put(tmp_path / "leakage.json", {"ok": True})
    return tmp_path


def put(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def test_the_parts_of_one_run_belong_together(folder: Path) -> None:
    comparison = {"parts": digest_parts(folder)}
    assert sorted(comparison["parts"]) == ["evaluation", "leakage", "models"]
    check_parts(folder, comparison)
    (folder / "report.html").write_text("other files do not matter")
    shutil.rmtree(folder / "evaluation")
    check_parts(folder, comparison)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ("models/gc/fold_0/replicate_0/model.json", "models/"),
        ("models/gc/fold_0/replicate_0/history.json", "models/"),
        ("evaluation/gc/short/metrics.json", "evaluation/"),
        ("leakage.json", "leakage.json"),
    ],
)
def test_a_file_of_another_run_is_named(folder: Path, changed: str, named: str) -> None:
    comparison = {"parts": digest_parts(folder)}
    put(folder / changed, {"of": "another run"})
    with pytest.raises(InputError, match=f"/{named}: is not what comparison.json was computed from.*--outdir"):
        check_parts(folder, comparison)


def test_a_leftover_arm_is_noticed(folder: Path) -> None:
    comparison = {"parts": digest_parts(folder)}
    put(folder / "evaluation" / "old" / "short" / "metrics.json", {})
    with pytest.raises(InputError, match="evaluation/"):
        check_parts(folder, comparison)


def test_the_audit_may_lie_elsewhere(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    parts = digest_parts(folder)
    other = tmp_path_factory.mktemp("task") / "audit.json"
    (folder / "leakage.json").rename(other)
    assert digest_parts(folder, leakage=other) == parts


def test_a_comparison_without_a_record_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="earlier version"):
        check_parts(folder, {})
