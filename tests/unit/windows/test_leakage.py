"""Leakage found through intervals against the plain definition: sets of strings."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from Bio.SeqIO.FastaIO import SimpleFastaParser
from hypothesis import given, settings
from hypothesis import strategies as st

from virshort.sequence.canonical_31mers import CHUNK, K, overlapping_pieces, pack, scan, scatter
from virshort.sources.balancing import cluster_weights, deal_clusters
from virshort.sources.clustering import join_pairs, similar_pairs, sketch_sources
from virshort.windows.leakage import Coverage, Leak, shared_kmers, spans

BIN = Path(__file__).resolve().parents[3] / "bin"
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def canonical(text: str) -> list[str | None]:
    """Every 31-mer of a text, or None where it holds another letter."""
    words = [text[i : i + K] for i in range(len(text) - K + 1)]
    return [min(w, w.translate(COMPLEMENT)[::-1]) if set(w) <= set("ACGT") else None for w in words]


def number(word: str) -> int:
    return int(word.translate(str.maketrans("ACGT", "0123")), 4)


def store(texts: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    length = np.array([len(t) for t in texts], np.int64)
    return np.frombuffer("".join(texts).encode(), np.uint8), np.cumsum(length) - length, length


@st.composite
def genomes(draw) -> list[str]:
    """Sources patched together from a few stretches, either way round, with ambiguous bases and short ones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    parts = ["".join(rng.choice(list("ACGT"), n)) for n in (25, 31, 40, 90)] + ["A" * 45, "AT" * 20]
    texts = []
    for _ in range(draw(st.integers(2, 9))):
        chosen = [parts[i] for i in rng.integers(0, len(parts), rng.integers(1, 5))]
        text = "".join(p if rng.random() < 0.5 else p.translate(COMPLEMENT)[::-1] for p in chosen)
        letters = np.array(list(text))
        letters[rng.random(len(letters)) < 0.01] = rng.choice(list("NRACGT"))
        texts.append("".join(letters)[: rng.integers(20, 200)])
    return texts


@given(genomes())
def test_pack_is_the_smaller_of_a_word_and_its_reverse_complement(texts):
    for text in texts:
        kmers, valid = pack(np.frombuffer(text.encode(), np.uint8))
        words = canonical(text)
        assert valid.tolist() == [w is not None for w in words]
        assert kmers[valid].tolist() == [number(w) for w in words if w]


@given(st.lists(st.integers(0, 2**62 - 1), unique=True, min_size=1))
def test_mixing_is_one_to_one(values):
    mixed = scatter(np.array(values, np.uint64))
    assert len(set(mixed.tolist())) == len(values)
    assert mixed.max() < 2**62


@given(genomes(), st.integers(1, 70))
def test_scan_and_pieces_see_every_word_of_a_source_once(texts, size):
    bases, offset, length = store(texts)
    expected = [
        (int(o) + i, s) for s, (o, t) in enumerate(zip(offset, texts, strict=True)) for i, w in enumerate(canonical(t)) if w
    ]
    seen = [(p, s) for at, _, source in scan(bases, offset, length) for p, s in zip(at.tolist(), source.tolist(), strict=True)]
    assert seen == expected
    cut = [
        (a + i, s)
        for s, a, b in overlapping_pieces(offset, length, size)
        for i, w in enumerate(canonical(bases[a:b].tobytes().decode()))
        if w
    ]
    assert cut == expected


def test_scan_joins_chunks_without_a_seam():
    rng = np.random.default_rng(1)
    texts = ["".join(rng.choice(list("ACGT"), n)) for n in (CHUNK + 7, 30, 31, CHUNK - 8, 40, 2 * CHUNK + 3)]
    bases, offset, length = store(texts)
    found = [np.concatenate(x) for x in zip(*scan(bases, offset, length), strict=True)]
    packed = [pack(bases[o : o + n])[0] for o, n in zip(offset, length, strict=True)]
    assert (found[1] == scatter(np.concatenate(packed))).all()
    assert (found[0] == np.concatenate([o + np.arange(len(p)) for o, p in zip(offset, packed, strict=True)])).all()
    assert (found[2] == np.repeat(np.arange(len(texts)), [len(p) for p in packed])).all()


def test_scan_refuses_a_gap():
    with pytest.raises(ValueError, match="must begin where the one before it ends"):
        list(scan(np.zeros(100, np.uint8), np.array([0, 50]), np.array([40, 50])))


def leaking(texts, fold, windows, folds, with_sources):
    """By definition: for each window, how many of its words stand in a training window (or source) of its split."""
    trained = {f: set() for f in range(folds)}
    for f in range(folds):
        for source, a, b in windows if not with_sources else [(s, 0, len(t)) for s, t in enumerate(texts)]:
            if fold[source] not in (f, (f + 1) % folds):
                trained[f] |= set(canonical(texts[source][a:b]))
    return [sum(w in trained[fold[s]] for w in canonical(texts[s][a:b]) if w) for s, a, b in windows]


@settings(max_examples=100, deadline=None)
@given(genomes(), st.integers(3, 20), st.integers(0, 2**32), st.sampled_from([320 << 20, 2000]))
def test_leaks_are_those_of_the_definition(texts, folds, seed, budget):
    rng = np.random.default_rng(seed)
    fold = rng.integers(0, folds, len(texts))
    bases, offset, length = store(texts)
    shared = shared_kmers(bases, offset, length, fold, budget)

    holders: dict[str, set[int]] = {}
    for s, t in enumerate(texts):
        for w in canonical(t):
            if w:
                holders.setdefault(w, set()).add(int(fold[s]))
    common = {w: f for w, f in holders.items() if len(f) > 1}
    places = [(int(offset[s]) + i) for s, t in enumerate(texts) for i, w in enumerate(canonical(t)) if w in common]
    assert shared.position.tolist() == places
    assert sorted(shared.folds.tolist()) == sorted(sum(1 << f for f in fs) for fs in common.values())
    start, end = spans(shared)
    covered = {p + i for p in places for i in range(K)}
    assert {p for a, b in zip(start.tolist(), end.tolist(), strict=True) for p in range(a, b)} == covered

    windows = []
    for _ in range(30):
        s = int(rng.integers(len(texts)))
        a = int(rng.integers(0, len(texts[s])))
        windows.append((s, a, int(rng.integers(a + 1, len(texts[s]) + 1))))
    start = np.array([offset[s] + a for s, a, _ in windows])
    end = np.array([offset[s] + b for s, _, b in windows])
    coverage = Coverage(shared)
    coverage.add(start[:11], end[:11])
    coverage.add(start[11:], end[11:])
    for held, with_sources in ((coverage.folds(), False), (shared.folds, True)):
        leak = Leak(shared, held, folds)
        count = leak.count(start, end)
        assert count.tolist() == leaking(texts, fold, windows, folds, with_sources)
        for i in np.flatnonzero(count):
            other = int(np.searchsorted(offset, leak.example(start[i], end[i]), side="right")) - 1
            mine = fold[windows[i][0]]
            assert fold[other] not in (mine, (mine + 1) % folds)
            s, a, b = windows[i]
            assert set(canonical(texts[s][a:b])) & set(canonical(texts[other])) - {None}


def test_more_than_64_folds_are_refused():
    bases, offset, length = store(["ACGT" * 10])
    with pytest.raises(ValueError, match="must be 0"):
        shared_kmers(bases, offset, length, np.array([64]))


def run(script: str, *args) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(BIN / script), *map(str, args)], capture_output=True, text=True)


@pytest.fixture
def collection(tmp_path):
    """Six sources in three folds; the first and the last share 60 bases, one of them on the other strand."""
    rng = np.random.default_rng(3)
    texts = ["".join(rng.choice(list("ACGT"), 400)) for _ in range(6)]
    texts[0] = texts[0][:199] + "G" + texts[0][200:260] + "G" + texts[0][261:]  # the neighbours differ: G and A, read
    texts[5] = texts[5][:99] + "A" + texts[0][200:260].translate(COMPLEMENT)[::-1] + "A" + texts[5][161:]  # as T
    bases, offset, length = store(texts)
    (tmp_path / "sources.seq").write_bytes(bases.tobytes())
    names = [f"s{i}" for i in range(6)]
    label = ["viral", "nonviral"] * 3
    table = {
        "source": names,
        "label": label,
        "kingdom": ["unknown"] * 6,
        "family": pa.nulls(6, pa.string()),
        "cluster": names,
        "split": pa.nulls(6, pa.string()),
        "file": ["x.fa"] * 6,
        "offset": offset,
        "length": length,
        "unambiguous": length,
        "gc": np.full(6, 0.5),
        "fold": np.array([0, 0, 1, 1, 2, 2], np.int8),
    }
    pq.write_table(pa.table(table), tmp_path / "folds.parquet")
    fold = table["fold"]

    def pool(name: str, rows: list[tuple[int, int, int]]) -> None:
        (tmp_path / "windows" / name).mkdir(parents=True)
        s, a, b = (np.array(x, np.int64) for x in zip(*rows, strict=True))
        manifest = {
            "window": [f"s{i}:{p + 1}-{q}(+)" for i, p, q in rows],
            "source": [names[i] for i in s],
            "start": a,
            "end": b,
            "fold": fold[s],
        }
        pq.write_table(pa.table(manifest), tmp_path / "windows" / name / "shard_00000.windows.parquet")

    pool("test/short", [(s, a, a + 150) for s in range(6) for a in (0, 100, 200)])
    pool("train/short", [(s, a, a + 150) for s in range(6) for a in (0, 30, 200)])
    pool("train/scratch", [(5, 120, 150), (5, 125, 165)])
    sets = {
        "train": {"short": {"pools": ["train/short"]}, "scratch": {"pools": ["train/short", "train/scratch"]}},
        "test": {"short": {"pools": ["test/short"]}},
        "folds": 3,
        "test_folds": [0, 1, 2],
    }
    (tmp_path / "window_sets.json").write_text(json.dumps(sets))
    return tmp_path


def audit(folder: Path, sequences: str = "sources.seq") -> subprocess.CompletedProcess:
    return run(
        "audit.py",
        "--windows-root",
        folder / "windows",
        "--window-sets",
        folder / "window_sets.json",
        "--folds",
        folder / "folds.parquet",
        "--sequences",
        folder / sequences,
        "--limit",
        "0.001",
        "--out",
        folder / "leakage.json",
    )


def test_the_audit_names_what_leaks(collection):
    done = audit(collection)
    assert done.returncode == 0, done.stderr
    assert "LEAKAGE ABOVE THE LIMIT" in done.stdout
    found = json.loads((collection / "leakage.json").read_text())
    assert not found["ok"]
    row = {(r["train_set"], r["fold"]): r["shared_windows"] for r in found["sets"]}
    assert row == {
        ("short", 0): 2,
        ("short", 1): 0,
        ("short", 2): 0,  # fold 2 is tested on training fold 1 alone
        ("scratch", 0): 2,
        ("scratch", 1): 0,
        ("scratch", 2): 0,
    }
    assert {(w["window"], w["training_source"]) for w in found["worst"] if w["train_set"] == "short"} == {
        ("s0:101-250(+)", "s5"),
        ("s0:201-350(+)", "s5"),
    }
    assert found["sources"]["shared_kmers"] == 30
    assert found["sources"]["clusters_whole"]


def test_masking_leaves_nothing_to_leak(collection):
    done = run(
        "mask.py", "--folds", collection / "folds.parquet", "--sequences", collection / "sources.seq", "--outdir", collection
    )
    assert done.returncode == 0, done.stderr
    before, after = ((collection / n).read_bytes() for n in ("sources.seq", "masked.seq"))
    assert [i for i in range(len(before)) if before[i] != after[i]] == [*range(200, 260), *range(2100, 2160)]
    assert json.loads((collection / "mask.json").read_text())["masked"] == 120
    assert audit(collection, "masked.seq").returncode == 0
    assert json.loads((collection / "leakage.json").read_text())["ok"]


def test_a_cluster_in_two_folds_is_found(collection):
    table = pq.read_table(collection / "folds.parquet")
    names = pa.array(["s0", "s1", "s2", "s3", "s4", "s1"])
    place = table.column_names.index("cluster")
    pq.write_table(table.set_column(place, "cluster", names), collection / "folds.parquet")
    done = audit(collection)
    assert done.returncode == 1
    assert "cluster s1 is in folds 0 (s1) and 2 (s5)" in done.stderr


def test_a_window_of_another_run_is_found(collection):
    path = collection / "windows/test/short/shard_00000.windows.parquet"
    table = pq.read_table(path).to_pydict()
    table["end"][4] = 999
    pq.write_table(pa.table(table), path)
    done = audit(collection)
    assert done.returncode == 1
    assert "window s1:101-250(+)" in done.stderr


def test_real_genomes_clustered_and_masked_share_nothing(shared):
    """Clustered by what they share, real genomes still share a little between folds; masked, nothing."""
    texts, label = [], []
    for name in ("viral", "nonviral"):
        with gzip.open(shared / "data" / "genomes_small" / f"{name}.fa.gz", "rt") as records:
            texts += [letters.upper() for _, letters in SimpleFastaParser(records)]
        label += [name] * (len(texts) - len(label))
    bases, offset, length = store(texts)
    hashes, owner = sketch_sources(bases, offset, length, 10)
    _, cluster = np.unique(join_pairs(len(texts), [similar_pairs(hashes, owner, len(texts), 0.01)]), return_inverse=True)
    label, kingdom = np.array(label), np.full(len(texts), "unknown")
    fold = deal_clusters(cluster_weights(cluster, label, kingdom, length, 0.05), 5, 42)[cluster]
    masked = bases.copy()
    for a, b in zip(*spans(shared_kmers(bases, offset, length, fold)), strict=True):
        masked[a:b] = ord("N")
    assert 0 < (masked != bases).mean() < 0.02
    assert len(shared_kmers(masked, offset, length, fold).position) == 0
