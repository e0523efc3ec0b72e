"""Simulated reads: of unseen genomes, with errors as often as their qualities say, and adapters after short fragments."""

import csv
import gzip
import sys
from pathlib import Path

import numpy as np
import pytest

import simulate_reads as script
from virshort.sources import simulated_reads as module
from virshort.sources.simulated_reads import ADAPTERS, LENGTH, SimulatedPairs, simulate_pairs
from virshort.sources.simulation import KINGDOMS, lineages, simulate_unseen


@pytest.fixture(scope="module")
def genome() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 4, 20_000, np.uint8)


@pytest.fixture(scope="module")
def pairs(genome: np.ndarray) -> SimulatedPairs:
    return simulate_pairs([genome], np.zeros(2000, np.int64), np.random.default_rng(2))


def call(outdir: Path, seed: int) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["simulate_reads.py", "--seed", str(seed), "--outdir", str(outdir)])
        script.main()
    return {path.name: path.read_bytes() for path in outdir.iterdir()}


def test_unseen_genomes_are_of_two_known_families_and_a_new_one_of_each_kingdom() -> None:
    records = list(simulate_unseen(42))
    for number, kingdom in enumerate(KINGDOMS):
        known = {family for family, _ in lineages(42, number, kingdom)}
        families = {r.lineage: r.family for r in records if r.kingdom == kingdom.name}
        assert len(families) == 3 and len(set(families.values())) == 3
        assert sum(family in known for family in families.values()) == 2


def test_same_seed_same_bytes_and_a_label_for_every_pair(tmp_path: Path) -> None:
    first, again, other = (call(tmp_path / name, seed) for name, seed in (("a", 7), ("b", 7), ("c", 8)))
    assert first == again and first["mixed_R1.fastq.gz"] != other["mixed_R1.fastq.gz"]
    truth = list(csv.DictReader(first["truth.tsv"].decode().splitlines(), delimiter="\t"))
    sheet = list(csv.DictReader(first["reads.csv"].decode().splitlines()))
    for row in sheet:
        of_sample = [t for t in truth if t["sample"] == row["sample"]]
        for mate, column in enumerate(("fastq_1", "fastq_2"), 1):
            lines = gzip.decompress(first[row[column]]).decode().splitlines()
            assert lines[::4] == [f"@{t['read']}/{mate}" for t in of_sample]
            assert {len(s) for s in lines[1::4]} == {len(q) for q in lines[3::4]} == {LENGTH}
        viral = np.mean([t["label"] == "viral" for t in of_sample])
        assert viral == pytest.approx(script.SAMPLES[row["sample"]], abs=1e-3)
    assert {t["group"] for t in truth} == {"known family", "new family"}


def test_errors_are_as_frequent_as_qualities_say_and_increase_along_the_read(
    genome: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SHORT_INSERTS", "POLY_G", "MANY_N", "SIMPLE"):
        monkeypatch.setattr(module, name, 0)
    pairs = simulate_pairs([genome], np.zeros(3000, np.int64), np.random.default_rng(3))
    expected = (10 ** (pairs.quality / -10.0)).mean(axis=(0, 1))
    monkeypatch.setattr(module, "QUALITIES", (93, 93))
    clean = simulate_pairs([genome], np.zeros(3000, np.int64), np.random.default_rng(3))
    wrong = (pairs.letters != clean.letters).mean(axis=(0, 1))
    for part in (slice(0, 50), slice(50, 100), slice(100, 150)):
        assert wrong[part].mean() == pytest.approx(expected[part].mean(), rel=0.25)
    assert wrong[:50].mean() < wrong[100:].mean() / 2


def test_some_reads_go_on_into_adapters_or_end_in_g_and_some_cannot_be_judged(pairs: SimulatedPairs) -> None:
    text = [[pairs.letters[i, m].tobytes() for m in (0, 1)] for i in range(len(pairs.genome))]
    for mate, adapter in enumerate(ADAPTERS):
        assert 20 < sum(adapter[:12] in reads[mate] for reads in text) < 200
    assert 20 < sum(read.endswith(b"G" * 20) for reads in text for read in reads) < 200
    assert 2 <= sum(all(read.count(b"N") > 30 for read in reads) for reads in text) < 40
    assert 2 <= sum(len({read[i : i + 3] for i in range(0, 30, 3)}) == 1 for reads in text for read in reads[:1]) < 60


def test_mates_face_each_other_in_their_genome(genome: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHORT_INSERTS", "POLY_G", "MANY_N", "SIMPLE"):
        monkeypatch.setattr(module, name, 0)
    monkeypatch.setattr(module, "QUALITIES", (93, 93))
    pairs = simulate_pairs([genome], np.zeros(200, np.int64), np.random.default_rng(4))
    plus, minus = (np.frombuffer(b"ACGT", np.uint8)[g].tobytes() for g in (genome, 3 - genome[::-1]))
    insert = []
    for one, other in pairs.letters:
        strand, opposite = (plus, minus) if one.tobytes() in plus else (minus, plus)
        insert.append(len(genome) - opposite.index(other.tobytes()) - strand.index(one.tobytes()))
    assert np.mean(insert) == pytest.approx(350, abs=20) and np.std(insert) == pytest.approx(75, abs=12)
