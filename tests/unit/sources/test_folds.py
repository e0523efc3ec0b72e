"""Dealing clusters into folds."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virshort.errors import InputError
from virshort.sources.folds import check_enough, check_whole, deal, given_folds, level, notes, weights

SCRIPT = Path(__file__).resolve().parents[3] / "bin" / "split.py"


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=60), st.sampled_from([0.01, 0.05, 0.3]))
def test_no_cluster_weighs_more_than_the_cap(bases, cap):
    bases = np.array(bases, float)
    allowed = level(bases, cap)
    share = allowed / np.minimum(bases, allowed).sum()
    assert share <= max(cap, 2 / len(bases)) * (1 + 1e-9)
    if (bases > allowed).any():  # and it is not made to weigh less than it may
        assert share == pytest.approx(max(cap, 2 / len(bases)))


def collection(seed: int, clusters: int, both: float = 0.0):
    """Sources of skewed clusters in two labels and three kingdoms each. Returns cluster, label, kingdom, bases."""
    rng = np.random.default_rng(seed)
    count = 1 + rng.geometric(0.4, clusters)
    cluster = np.repeat([f"c{i:04d}" for i in range(clusters)], count)
    of_label = np.where(np.arange(clusters) % 2, "viral", "nonviral")
    label = np.repeat(of_label, count)
    swapped = rng.random(len(label)) < both
    label[swapped] = np.where(label[swapped] == "viral", "nonviral", "viral")
    kingdom = np.repeat(rng.choice(["a", "b", "c"], clusters, p=[0.7, 0.25, 0.05]), count)
    return cluster, label, kingdom, rng.lognormal(9, 1, len(label)).astype(np.int64)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(12, 80), st.integers(3, 6), st.sampled_from([0, 0.2]), st.integers(0, 99))
def test_every_fold_holds_each_label(seed, clusters, folds, both, dealing):
    cluster, label, kingdom, bases = collection(seed, clusters, both)
    _, number = np.unique(cluster, return_inverse=True)
    weight = weights(number, label, kingdom, bases, 0.05)
    assert weight.sum(axis=0) == pytest.approx(1)
    fold = deal(weight, folds, dealing)
    assert (fold == deal(weight, folds, dealing)).all()
    for name in ("viral", "nonviral"):
        assert set(fold[number[label == name]]) == set(range(folds))
    check_whole([f"s{i}" for i in range(len(cluster))], cluster, fold[number])


def test_folds_are_balanced_by_bases_within_label_and_kingdom():
    cluster, label, kingdom, bases = collection(5, 600)
    _, number = np.unique(cluster, return_inverse=True)
    fold = deal(weights(number, label, kingdom, bases, 0.05), 5, 42)[number]
    for name in ("viral", "nonviral"):
        for k in ("a", "b", "c"):
            mine = (label == name) & (kingdom == k)
            share = np.bincount(fold[mine], bases[mine], 5) / bases[mine].sum()
            off = 0.02 if k == "a" else 0.06  # the rarest kingdom has some 15 clusters a label
            assert share.max() < 0.2 + off and share.min() > 0.2 - off


def test_a_giant_cluster_leaves_room_for_others_and_is_noted():
    cluster, label, kingdom, bases = collection(6, 300)
    giant = next(c for c, x in zip(cluster, label, strict=True) if x == "nonviral")
    bases[cluster == giant] = bases[label == "nonviral"].sum() * 4
    _, number = np.unique(cluster, return_inverse=True)
    fold = deal(weights(number, label, kingdom, bases, 0.05), 5, 1)[number]
    home = fold[cluster == giant][0]
    others = (label == "nonviral") & (cluster != giant)
    share = np.bincount(fold[others], bases[others], 5) / bases[others].sum()
    assert 0.1 < share[home] < 0.2
    assert any(giant in n and "more than a fold's share" in n for n in notes(cluster, label, kingdom, bases, 5, 0.05))


def test_another_seed_deals_otherwise():
    cluster, label, kingdom, bases = collection(7, 100)
    _, number = np.unique(cluster, return_inverse=True)
    weight = weights(number, label, kingdom, bases, 0.05)
    assert (deal(weight, 5, 1) != deal(weight, 5, 2)).any()


def test_a_kingdom_of_one_cluster_is_noted():
    cluster, label, kingdom, bases = collection(8, 60)
    kingdom = np.where(cluster == "c0003", "protist", kingdom)
    assert any("protist has a single cluster (c0003)" in n for n in notes(cluster, label, kingdom, bases, 5, 0.05))


def test_too_few_clusters_are_refused():
    label = np.array(["viral", "viral", "nonviral", "nonviral"])
    with pytest.raises(InputError, match="all 4 sources are in one cluster"):
        check_enough(np.array(["a"] * 4), label, 3)
    with pytest.raises(InputError, match="label nonviral: 1 clusters are too few for 3 folds"):
        check_enough(np.array(["a", "b", "c", "c"]), label, 3)


def test_clusters_of_both_labels_may_be_too_few_though_enough_in_number():
    cluster = np.array(["a", "a", "b", "c", "d"])
    label = np.array(["viral", "nonviral", "viral", "viral", "nonviral"])
    _, number = np.unique(cluster, return_inverse=True)
    with pytest.raises(InputError, match="label nonviral"):
        deal(weights(number, label, np.full(5, "k"), np.full(5, 9), 0.05), 3, 1)


def test_given_splits_must_be_whole():
    source, cluster = ["s0", "s1", "s2"], np.array(["a", "a", "b"])
    assert given_folds(source, cluster, ["train", "train", "test"]).tolist() == [2, 2, 0]
    with pytest.raises(InputError, match="cluster a lies in two splits, s0 in train and s1 in test"):
        given_folds(source, cluster, ["train", "test", "test"])
    with pytest.raises(InputError, match="s1 has none"):
        given_folds(source, cluster, ["train", None, "test"])
    with pytest.raises(InputError, match="no source is test"):
        given_folds(source, cluster, ["train", "train", "val"])


def test_a_cluster_in_two_folds_and_a_source_twice_are_found():
    with pytest.raises(InputError, match=r"cluster a is in folds 0 \(s0\) and 1 \(s1\)"):
        check_whole(["s0", "s1"], np.array(["a", "a"]), np.array([0, 1]))
    with pytest.raises(InputError, match="s0: the source is listed 2 times"):
        check_whole(["s0", "s0"], np.array(["a", "b"]), np.array([0, 1]))


@pytest.fixture
def run(tmp_path):
    def run(
        split: list[str | None] | None = None, folds: int = 3, tests: str = "all", clusters: int = 40
    ) -> subprocess.CompletedProcess:
        cluster, label, kingdom, bases = collection(9, clusters)
        source = [f"s{i}" for i in range(len(cluster))]
        by = dict(zip(np.unique(cluster).tolist(), split or [], strict=False))
        pq.write_table(
            pa.table(
                {
                    "source": source,
                    "label": label.tolist(),
                    "kingdom": kingdom.tolist(),
                    "family": pa.nulls(len(source), pa.string()),
                    "cluster": pa.nulls(len(source), pa.string()),
                    "split": pa.array([by.get(c) for c in cluster.tolist()], pa.string()),
                    "file": ["x.fa"] * len(source),
                    "offset": np.cumsum(bases) - bases,
                    "length": bases,
                    "unambiguous": bases,
                    "gc": np.full(len(source), 0.5),
                }
            ),
            tmp_path / "sources.parquet",
        )
        pq.write_table(pa.table({"source": source, "cluster": cluster.tolist()}), tmp_path / "clusters.parquet")
        return subprocess.run(
            [
                sys.executable,
                str(SCRIPT),
                "--sources",
                str(tmp_path / "sources.parquet"),
                "--clusters",
                str(tmp_path / "clusters.parquet"),
                "--folds",
                str(folds),
                "--test-folds",
                tests,
                "--seed",
                "42",
                "--cluster-cap",
                "0.05",
                "--outdir",
                str(tmp_path),
            ],
            capture_output=True,
            text=True,
        )

    return run


def test_the_step_writes_folds_and_what_to_know(run, tmp_path):
    done = run(folds=4, tests="1")
    assert done.returncode == 0, done.stderr
    table, summary = pq.read_table(tmp_path / "folds.parquet"), json.loads((tmp_path / "folds.json").read_text())
    assert table.column_names[-1] == "fold" and table["cluster"].null_count == 0
    assert (summary["folds"], summary["test_folds"], summary["given"]) == (4, [0], False)
    assert sum(row["sources"] for row in summary["table"]) == table.num_rows
    first = [(tmp_path / n).read_bytes() for n in ("folds.parquet", "folds.json")]
    assert run(folds=4, tests="1").returncode == 0
    assert first == [(tmp_path / n).read_bytes() for n in ("folds.parquet", "folds.json")]


def test_a_given_split_without_val_gets_one_from_train(run, tmp_path):
    done = run(["train"] * 30 + ["test"] * 10)
    assert done.returncode == 0, done.stderr
    table, summary = pq.read_table(tmp_path / "folds.parquet"), json.loads((tmp_path / "folds.json").read_text())
    fold, split = table["fold"].to_numpy(), np.array(table["split"].to_pylist())
    assert set(fold[split == "test"]) == {0} and set(fold[split == "train"]) == {1, 2}
    bases = table["unambiguous"].to_numpy()
    assert 0.1 < bases[fold == 1].sum() / bases[fold > 0].sum() < 0.4
    assert (summary["folds"], summary["test_folds"], summary["given"]) == (3, [0], True)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"folds": 2}, "--folds 2: must be 3 to 64"),
        ({"tests": "4"}, "--test_folds 4: must be all, or 1 to 3"),
        ({"tests": "some"}, "--test_folds some"),
        ({"clusters": 4}, "2 clusters are too few for 3 folds"),
        ({"split": ["train", "test"] * 20}, "split: test has no nonviral source: each of test, val, train needs both"),
        ({"split": ["train"] * 20 + [None] * 20}, "give train, val or test for every source"),
    ],
)
def test_what_is_wrong_is_one_line(run, tmp_path, arguments, expected):
    done = run(**arguments)
    assert done.returncode == 1
    assert expected in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "folds.parquet").exists()
