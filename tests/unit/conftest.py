"""What unit tests of several packages share."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # Torch reads it when imported; one thread is faster for small models


@pytest.fixture(scope="session")
def degenerate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, dict[str, Any]]]:
    """The folder of a degenerate case (compared.DEGENERATE) and its comparison, made once per session."""
    from compared import write_degenerate  # imports much, which only tests with this fixture need

    @cache
    def make(case: str) -> tuple[Path, dict[str, Any]]:
        folder = tmp_path_factory.mktemp("degenerate")
        return folder, write_degenerate(folder, case)

    return make
