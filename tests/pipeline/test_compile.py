"""bin/compile.py, which `make setup` calls."""

import shutil
import subprocess
import sys
from pathlib import Path

from harness import ROOT


def test_a_first_search_compiles_nothing_that_was_compiled_ahead(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "bin", tmp_path / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    package = tmp_path / "bin/virshort/homology"

    def python(*words: str) -> str:
        env = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run(
            [sys.executable, *words], env=env, capture_output=True, text=True, check=True, cwd=tmp_path / "bin"
        )
        return done.stdout.strip()

    assert python("compile.py").startswith("compiled") and python("compile.py") == ""
    assert list(package.glob("__pycache__/searching.*.pyc")), "modules are compiled too"
    (ready,) = package.glob("__pycache__/compiled_*")
    searches = (
        "from virshort.homology import composition, matching, seeds; from virshort.homology.searching import compile_search; "
        "compile_search(); called = composition._correct, matching._search, seeds._keys, seeds._fill; "
        "print(sum(sum(f.stats.cache_hits.values()) for f in called), sum(sum(f.stats.cache_misses.values()) for f in called))"
    )
    assert python("-c", searches) == "4 0"
    assert {p.name for p in (tmp_path / "cache").rglob("*.nb?")} == {p.name for p in ready.rglob("*.nb?")}
