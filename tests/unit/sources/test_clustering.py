"""Clusters of sources with known relations."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virshort.sources.clustering import components, describe, same_name, similar, sketch

SCRIPT = Path(__file__).resolve().parents[3] / "bin" / "cluster.py"
RNG = np.random.default_rng(11)
LETTERS = np.frombuffer(b"ACGT", np.uint8)


def dna(n: int) -> np.ndarray:
    return RNG.choice(LETTERS, n)


def mutated(text: np.ndarray, rate: float) -> np.ndarray:
    return np.where(RNG.random(len(text)) < rate, dna(len(text)), text)


def reverse_complement(text: np.ndarray) -> np.ndarray:
    return np.frombuffer(text.tobytes()[::-1].translate(bytes.maketrans(b"ACGT", b"TGCA")), np.uint8)


def clusters(texts: list[np.ndarray], containment: float = 0.01) -> list[int]:
    length = np.array([len(t) for t in texts], np.int64)
    hashes, source = sketch(np.concatenate(texts), np.cumsum(length) - length, length, 10)
    return components(len(texts), [similar(hashes, source, len(texts), containment)]).tolist()


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
    one, two = (sketch(bases, offset, length, 10, threads) for threads in (1, 2))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5)), max_size=80), st.sampled_from([0.1, 0.5, 1.0]))
def test_similar_is_the_containment_of_sets(held, containment):
    held = sorted(held, key=lambda x: x[1])
    a, b = similar(np.array([h for h, _ in held], np.uint64), np.array([s for _, s in held], np.int32), 6, containment)
    sets = [{h for h, s in held if s == i} for i in range(6)]
    expected = [
        (i, j)
        for i in range(6)
        for j in range(i + 1, 6)
        if len(sets[i] & sets[j]) >= max(3, containment * min(len(sets[i]), len(sets[j])))
    ]
    assert list(zip(a.tolist(), b.tolist(), strict=True)) == expected


def test_same_name_joins_what_is_named_alike():
    assert components(5, [same_name(["a", None, "b", "a", None])]).tolist() == [0, 1, 2, 0, 4]


def test_a_cluster_that_swallows_much_is_noted_with_the_remedy():
    found = describe(["a", "a", "b", "c"], ["viral", "nonviral", "viral", "nonviral"], np.array([90, 5, 10, 95]), False)
    assert found["both_labels"] == 1
    assert found["largest"][0] == {"cluster": "a", "sources": 2, "bases": 95, "viral": 1, "nonviral": 1}
    assert any("cluster a holds 90% of the viral bases" in n and "cluster column" in n for n in found["notes"])


@pytest.fixture
def run(tmp_path):
    def run(texts: list[np.ndarray], given: list[str | None], *more: str) -> subprocess.CompletedProcess:
        length = np.array([len(t) for t in texts], np.int64)
        (tmp_path / "sources.seq").write_bytes(np.concatenate(texts).tobytes())
        pq.write_table(
            pa.table(
                {
                    "source": [f"s{i}" for i in range(len(texts))],
                    "label": (["viral", "nonviral"] * len(texts))[: len(texts)],
                    "cluster": pa.array(given, pa.string()),
                    "offset": np.cumsum(length) - length,
                    "length": length,
                }
            ),
            tmp_path / "sources.parquet",
        )
        return subprocess.run(
            [
                sys.executable,
                str(SCRIPT),
                "--sources",
                str(tmp_path / "sources.parquet"),
                "--sequences",
                str(tmp_path / "sources.seq"),
                "--outdir",
                str(tmp_path),
                *more,
            ],
            capture_output=True,
            text=True,
        )

    return run


def read(folder: Path) -> tuple[list[str], dict]:
    table = pq.read_table(folder / "clusters.parquet")
    assert table.column_names == ["source", "cluster"]
    return table["cluster"].to_pylist(), json.loads((folder / "clusters.json").read_text())


def test_given_clusters_are_honoured(run, tmp_path):
    text = dna(1_000)
    done = run([text, text, dna(500)], ["x", "y", "y"])
    assert done.returncode == 0, done.stderr
    cluster, summary = read(tmp_path)
    assert cluster == ["x", "y", "y"]
    assert summary["method"] == "given"


def test_some_given_clusters_are_joined_with_what_is_found(run, tmp_path):
    text = dna(1_000)
    done = run([text, dna(800), mutated(text, 0.01), dna(500)], [None, "x", "x", None])
    assert done.returncode == 0, done.stderr
    cluster, summary = read(tmp_path)
    assert cluster == ["s0", "s0", "s0", "s3"]
    assert (summary["tool"], summary["clusters"], summary["sources_with_a_given_cluster"]) == ("sourmash", 2, 2)


def test_a_containment_out_of_range_is_one_line(run):
    done = run([dna(200)], [None], "--containment", "0")
    assert done.returncode == 1
    assert "--containment" in done.stderr and "Traceback" not in done.stderr
