"""Folds of a run: dealt by the pipeline, or taken from a split that the user gives."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustered_sources import assigned, clustered_sources
from virshort.errors import InputError
from virshort.sources.folds import (
    Folds,
    check_enough_clusters,
    check_whole,
    choose_test_folds,
    count_sources,
    note_uneven_clusters,
)

SCRIPT = Path(__file__).resolve().parents[3] / "bin" / "split.py"


def assign(split: list[str | None] | None = None, folds: int = 3, test_folds: str = "all", clusters: int = 40) -> Folds:
    """Folds of random sources; split: by cluster."""
    sources = clustered_sources(9, clusters)
    by_cluster = dict(zip(np.unique(sources[0]).tolist(), split or [], strict=False))
    given = [by_cluster.get(c) for c in sources[0].tolist()]
    return assigned(sources, given, folds=folds, test_folds=test_folds)


def test_clusters_are_dealt_into_folds():
    found = assign(folds=4, test_folds="1")
    assert (found.folds, found.test_folds, found.given) == (4, [0], False)
    assert set(found.fold.tolist()) == {0, 1, 2, 3}
    assert (found.fold == assign(folds=4, test_folds="1").fold).all()


def test_a_given_split_without_val_gets_validation_from_train():
    found = assign(["train"] * 30 + ["test"] * 10)
    cluster, _, _, bases = clustered_sources(9, 40)
    tested = np.isin(cluster, np.unique(cluster)[30:])
    assert set(found.fold[tested]) == {0} and set(found.fold[~tested]) == {1, 2}
    assert 0.1 < bases[found.fold == 1].sum() / bases[found.fold > 0].sum() < 0.4
    assert (found.folds, found.test_folds, found.given) == (3, [0], True)
    assert any("training sources are used for validation instead" in n for n in found.notes)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"test_folds": "4"}, "--test_folds 4: must be all, or a number from 1 to 3"),
        ({"test_folds": "some"}, "--test_folds some"),
        ({"clusters": 4}, "2 clusters are too few for 3 folds"),
        ({"split": ["train", "test"] * 20}, "split: test has no nonviral source: each of test, val, train needs both"),
        ({"split": ["train"] * 20 + [None] * 20}, "give train, val or test for every source"),
    ],
)
def test_invalid_arguments_are_named(arguments, expected):
    with pytest.raises(InputError) as e:
        assign(**arguments)
    assert expected in str(e.value)


def test_the_folds_to_test():
    assert choose_test_folds("all", 3) == [0, 1, 2]
    assert choose_test_folds("2", 3) == [0, 1]


def test_counts_by_fold_label_and_kingdom():
    cluster, label = np.array(["a", "a", "b"]), np.array(["viral", "viral", "nonviral"])
    rows = count_sources(cluster, label, np.array(["k", "k", "l"]), np.array([5, 6, 7]), np.array([1, 1, 0]))
    assert rows == [
        {"fold": 0, "label": "nonviral", "kingdom": "l", "clusters": 1, "sources": 1, "bases": 7},
        {"fold": 1, "label": "viral", "kingdom": "k", "clusters": 1, "sources": 2, "bases": 11},
    ]


def test_a_kingdom_of_one_cluster_is_noted():
    cluster, label, kingdom, bases = clustered_sources(8, 60)
    kingdom = np.where(cluster == "c0003", "protist", kingdom)
    notes = note_uneven_clusters(cluster, label, kingdom, bases, 5, 0.05)
    assert any("kingdom protist has a single cluster (c0003)" in n for n in notes)


def test_too_few_clusters_are_refused():
    label = np.array(["viral", "viral", "nonviral", "nonviral"])
    with pytest.raises(InputError, match="all 4 sources are in one cluster"):
        check_enough_clusters(np.array(["a"] * 4), label, 3)
    with pytest.raises(InputError, match="label nonviral: 1 cluster is too few for 3 folds"):
        check_enough_clusters(np.array(["a", "b", "c", "c"]), label, 3)


def test_a_cluster_in_two_folds_and_a_source_listed_twice_are_found():
    with pytest.raises(InputError, match=r"cluster a is in folds 0 \(s0\) and 1 \(s1\)"):
        check_whole(["s0", "s1"], np.array(["a", "a"]), np.array([0, 1]))
    with pytest.raises(InputError, match="s0: the source is listed 2 times"):
        check_whole(["s0", "s0"], np.array(["a", "b"]), np.array([0, 1]))


def run_script(folder: Path, folds: int = 4) -> subprocess.CompletedProcess[str]:
    cluster, label, kingdom, bases = clustered_sources(9, 40)
    source = [f"s{i}" for i in range(len(cluster))]
    table = {
        "source": source,
        "label": label.tolist(),
        "kingdom": kingdom.tolist(),
        "family": pa.nulls(len(source), pa.string()),
        "cluster": pa.nulls(len(source), pa.string()),
        "split": pa.nulls(len(source), pa.string()),
        "unambiguous": bases,
    }
    pq.write_table(pa.table(table), folder / "sources.parquet")
    pq.write_table(pa.table({"source": source, "cluster": cluster.tolist()}), folder / "clusters.parquet")
    files = ["--sources", folder / "sources.parquet", "--clusters", folder / "clusters.parquet", "--outdir", folder]
    options = ["--folds", folds, "--test-folds", "1", "--seed", 42, "--cluster-cap", 0.05]
    return subprocess.run([sys.executable, SCRIPT, *map(str, files + options)], capture_output=True, text=True, check=False)


def test_the_script_writes_folds_and_a_summary(tmp_path):
    done = run_script(tmp_path)
    assert done.returncode == 0, done.stderr
    table, summary = pq.read_table(tmp_path / "folds.parquet"), json.loads((tmp_path / "folds.json").read_text())
    assert table.column_names[-1] == "fold" and table["cluster"].null_count == 0
    assert (table["fold"].to_numpy() == assign(folds=4).fold).all()
    assert (summary["folds"], summary["test_folds"], summary["given"]) == (4, [0], False)
    assert sum(row["sources"] for row in summary["table"]) == table.num_rows


def test_the_script_refuses_two_folds_in_one_line(tmp_path):
    done = run_script(tmp_path, folds=2)
    assert done.returncode == 1 and not (tmp_path / "folds.parquet").exists()
    assert "--folds 2: must be 3 to 64" in done.stderr and done.stderr.count("\n") == 1
