"""Databases of given sources."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from virshort.homology.databases import Database, read_list, write_databases
from virshort.homology.source_list import SourceName


@dataclass
class Searched:
    folder: Path
    folds: int
    databases: list[Database]


@pytest.fixture
def databases(tmp_path):
    """Write the databases of some sources: [(bases, fold, label)]."""

    def make(sources, folds=3, folder="databases"):
        length = np.array([len(s) for s, _, _ in sources], np.int64)
        bases = np.frombuffer(b"".join(s for s, _, _ in sources), np.uint8)
        label, fold = np.array([y for _, _, y in sources], np.int8), np.array([f for _, f, _ in sources], np.int8)
        names = [
            SourceName(f"source {i}", "virus" if y else "bacteria", None if i % 3 else f"family {i}")
            for i, y in enumerate(label)
        ]
        write_databases(tmp_path / folder, bases, np.cumsum(length) - length, length, label, fold, folds, names, 1)
        return Searched(tmp_path / folder, *read_list(tmp_path / folder))

    return make
