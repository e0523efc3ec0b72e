"""The search that was compiled ahead: of which code it is, and how tasks take it."""

import shutil
from pathlib import Path

import pytest

from virshort.homology import ahead


def test_a_change_of_any_module_of_the_search_makes_what_was_compiled_useless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "homology"
    shutil.copytree(Path(ahead.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(ahead, "__file__", str(package / "ahead.py"))
    before = ahead.ready_folder()
    assert before == ahead.ready_folder() and before.parent == package / "__pycache__"
    with (package / "residues.py").open("a") as f:
        f.write("# another table\n")
    assert ahead.ready_folder() != before


def test_tasks_copy_what_is_ready_and_keep_what_they_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "ready_folder", lambda: tmp_path / "ready")
    cache = tmp_path / "cache"
    ahead.take_ready(cache)
    assert not cache.exists()
    for name in ("a.nbi", "a.1.nbc"):
        (tmp_path / "ready/code").mkdir(parents=True, exist_ok=True)
        (tmp_path / "ready/code" / name).write_text(f"ready {name}")
    (cache / "code").mkdir(parents=True)
    (cache / "code/a.nbi").write_text("its own")
    ahead.take_ready(cache)
    assert {p.name: p.read_text() for p in (cache / "code").iterdir()} == {"a.nbi": "its own", "a.1.nbc": "ready a.1.nbc"}
