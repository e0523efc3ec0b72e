"""Clusters of sources with known relations."""

import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cluster as script
from virshort.errors import InputError
from virshort.sources.clustering import (
    cluster_sources,
    count_clusters,
    join_pairs,
    same_name_pairs,
    similar_pairs,
    sketch_sources,
)

RNG = np.random.default_rng(11)
LETTERS = np.frombuffer(b"ACGT", np.uint8)


def dna(n: int) -> np.ndarray:
    return RNG.choice(LETTERS, n)


def mutated(text: np.ndarray, rate: float) -> np.ndarray:
    return np.where(RNG.random(len(text)) < rate, dna(len(text)), text)


def reverse_complement(text: np.ndarray) -> np.ndarray:
    return np.frombuffer(text.tobytes()[::-1].translate(bytes.maketrans(b"ACGT", b"TGCA")), np.uint8)


def store(texts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bases, offset and length of some sources."""
    length = np.array([len(t) for t in texts], np.int64)
    return np.concatenate(texts), np.cumsum(length) - length, length


def clusters(texts: list[np.ndarray], containment: float = 0.01) -> list[int]:
    bases, offset, length = store(texts)
    hashes, source = sketch_sources(bases, offset, length, 10)
    return join_pairs(len(texts), [similar_pairs(hashes, source, len(texts), containment)]).tolist()


def test_strains_a_prophage_and_a_fragment_are_joined():
    phage, host, other = dna(30_000), dna(200_000), dna(100_000)
    lysogen = np.concatenate([host[:90_000], reverse_complement(mutated(phage, 0.02)), host[90_000:]])
    texts = [phage, mutated(phage, 0.03), lysogen, other, other[5_000:5_150], dna(150), dna(40)]
    assert clusters(texts) == [0, 0, 0, 3, 3, 5, 6]


def test_a_common_gene_does_not_join_large_genomes_but_joins_a_small_one():
    gene = dna(1_500)
    large = [np.concatenate([dna(250_000), gene, dna(250_000)]) for _ in range(2)]
    assert clusters(large) == [0, 1]
    assert clusters([*large, np.concatenate([gene, dna(3_000)])]) == [0, 0, 0]


def test_a_microsatellite_joins_nothing():
    repeat = np.frombuffer(b"AT" * 100, np.uint8)
    assert clusters([np.concatenate([dna(300), repeat, dna(300)]) for _ in range(4)]) == [0, 1, 2, 3]


def test_a_family_larger_than_the_neighbourhood_is_one_cluster():
    first = dna(5_000)
    texts = [mutated(first, 0.002) for _ in range(60)]
    assert set(clusters(texts)) == {0}


def test_ambiguous_bases_share_nothing():
    assert clusters([np.full(500, ord("N"), np.uint8), np.full(500, ord("N"), np.uint8), dna(20)]) == [0, 1, 2]


def test_threads_change_nothing():
    length = np.array([70_000, 200, 45_000], np.int64)
    bases, offset = dna(length.sum()), np.cumsum(length) - length
    one, two = (sketch_sources(bases, offset, length, 10, threads) for threads in (1, 2))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5)), max_size=80), st.sampled_from([0.1, 0.5, 1.0]))
def test_similar_is_the_containment_of_sets(held, containment):
    held = sorted(held, key=lambda x: x[1])
    a, b = similar_pairs(np.array([h for h, _ in held], np.uint64), np.array([s for _, s in held], np.int32), 6, containment)
    sets = [{h for h, s in held if s == i} for i in range(6)]
    expected = [
        (i, j)
        for i in range(6)
        for j in range(i + 1, 6)
        if len(sets[i] & sets[j]) >= max(3, containment * min(len(sets[i]), len(sets[j])))
    ]
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == expected


def test_same_name_joins_what_is_named_alike():
    assert join_pairs(5, [same_name_pairs(["a", None, "b", "a", None])]).tolist() == [0, 1, 2, 0, 4]


def test_a_large_cluster_is_noted_with_the_remedy():
    cluster, label, length = ["a", "a", "b", "c"], ["viral", "nonviral", "viral", "nonviral"], np.array([90, 5, 10, 95])
    found = count_clusters(cluster, label, length)
    assert found["both_labels"] == 1
    assert found["largest"][0] == {"cluster": "a", "sources": 2, "bases": 95, "viral": 1, "nonviral": 1}
    large, single, both = found["notes"]
    assert "Cluster a has 90% of the viral bases (1 source)" in single and "joined by a repeat" in single
    assert large == "Cluster c is a single source with 95% of the nonviral bases: add more nonviral sources if you can."
    assert both.startswith("Clusters with viral and nonviral sources that share sequence") and both.endswith("1 (a).")
    all_given = count_clusters(cluster, label, length, given=4)["notes"]
    assert "Cluster a has 90% of the viral bases (1 source)." in all_given


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(1, 99)), min_size=1, max_size=9), st.integers(0, 9)
)
def test_a_single_source_is_never_called_joined(sources, given_clusters):
    cluster, viral, length = (list(column) for column in zip(*sources, strict=True))
    label = ["viral" if v else "nonviral" for v in viral]
    for note in count_clusters(cluster, label, np.array(length), given_clusters)["notes"]:
        if "joined" in note:
            assert cluster.count(note.split()[1]) > 1


def test_given_clusters_are_kept():
    text = dna(1_000)
    cluster, method = cluster_sources(["s0", "s1", "s2"], ["x", "y", "y"], *store([text, text, dna(500)]), 0.01)
    assert cluster == ["x", "y", "y"]
    assert (method["method"], method["tool"], method["sources_with_a_given_cluster"]) == ("given", None, 3)


def test_given_clusters_of_some_sources_are_joined_with_similar_sources():
    text = dna(1_000)
    texts, given_clusters = [text, dna(800), mutated(text, 0.01), dna(500)], [None, "x", "x", None]
    cluster, method = cluster_sources(["s0", "s1", "s2", "s3"], given_clusters, *store(texts), 0.01)
    assert cluster == ["s0", "s0", "s0", "s3"]
    assert (method["tool"], method["sources_with_a_given_cluster"]) == ("sourmash", 2)
    notes = count_clusters(cluster, ["viral"] * 4, np.array([len(t) for t in texts]), given=2)["notes"]
    assert notes[0].startswith("The input gives a cluster for 2 of 4 sources")


def test_the_script_writes_clusters_and_a_summary(tmp_path, monkeypatch, capsys):
    bases, offset, length = store([dna(1_000), dna(500)])
    (tmp_path / "sources.seq").write_bytes(bases.tobytes())
    table = {"source": ["a", "b"], "label": ["viral", "nonviral"], "cluster": pa.nulls(2, pa.string()), "offset": offset}
    pq.write_table(pa.table(table | {"length": length}), tmp_path / "sources.parquet")
    words = ["--sources", tmp_path / "sources.parquet", "--sequences", tmp_path / "sources.seq", "--outdir", tmp_path]
    monkeypatch.setattr(sys, "argv", ["cluster.py", *map(str, words)])
    script.main()
    assert "2 sources in 2 clusters" in capsys.readouterr().out
    assert pq.read_table(tmp_path / "clusters.parquet").to_pydict() == {"source": ["a", "b"], "cluster": ["a", "b"]}
    assert json.loads((tmp_path / "clusters.json").read_text())["singletons"] == 2


@pytest.mark.parametrize("containment", [0, 1.1, float("nan")])
def test_a_containment_out_of_range_is_refused(containment):
    with pytest.raises(InputError, match=f"--containment {containment}: must be above 0"):
        cluster_sources(["a"], [None], *store([dna(200)]), containment)
