"""bin/novelty.py: what it writes for every test window, with and without matches of a homology search."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import novelty as script
from virshort.files import write_json

FOLDS = 3
FAMILY = ["a", "a", None, "b"]
"""Of the clusters c000 to c003, whose folds are 0, 1, 2 and 0, and whose labels alternate."""


def call(folder: Path, patch: pytest.MonkeyPatch) -> list[dict]:
    sources = pa.table(
        {
            "source": ["c000", "c001", "c002", "c003", "trained"],
            "label": ["nonviral", "viral", "nonviral", "viral", "viral"],
            "kingdom": ["k"] * 5,
            "family": [*FAMILY, "b"],
            "cluster": ["c000", "c001", "c002", "c003", "trained"],
            "fold": [0, 1, 2, 0, 2],
            **{name: [0] * 5 for name in ("offset", "length", "unambiguous")},
        }
    )
    pq.write_table(sources, folder / "folds.parquet")
    write_json(folder / "sets.json", {"folds": FOLDS, "test": {"short": {"pools": ["test/short"]}}})
    words = ["novelty.py", "--data", folder, "--window-sets", folder / "sets.json", "--folds", folder / "folds.parquet"]
    patch.setattr(sys, "argv", [str(w) for w in [*words, "--out", folder / "novelty.parquet"]])
    script.main()
    return pq.read_table(folder / "novelty.parquet").to_pylist()


def test_families_and_matches_are_those_of_the_training_folds(tmp_path, window_features, monkeypatch):
    cluster = np.array([0, 1, 2, 3])
    matches = np.zeros((4, FOLDS, 2, 2), np.float16)
    matches[0, :, 0, 0] = [90, 80, 40]  # tested in fold 0 and validated in fold 1, so that it is trained on fold 2 alone
    matches[0, 2, 0, 1] = 0.5
    matches[1, 0, 1] = [60, 0.75]
    matches[1, 0, 0] = [99, 1]  # a relative of the other label
    matches[3, 1, 1] = [99, 1]  # in the validation fold
    window_features(cluster % 2, cluster, np.array([0, 1, 2, 0]), "test/short", matches=matches.reshape(4, -1))
    rows = call(tmp_path, monkeypatch)
    assert [r["window"] for r in rows] == [f"w{i:05d}" for i in range(4)]
    assert [r["family"] for r in rows] == FAMILY
    assert [r["status"] for r in rows] == [1, 2, 0, 2]
    assert [(r["bits"], r["identity"], r["match"]) for r in rows] == [(40, 0.5, 2), (60, 0.75, 3), (0, 0, 0), (0, 0, 0)]


def test_without_a_search_matches_are_empty(tmp_path, window_features, monkeypatch):
    cluster = np.array([0, 1, 2, 3])
    window_features(cluster % 2, cluster, np.array([0, 1, 2, 0]), "test/short")
    rows = call(tmp_path, monkeypatch)
    assert [r["status"] for r in rows] == [1, 2, 0, 2]
    assert {r[name] for r in rows for name in ("bits", "identity", "match")} == {None}
