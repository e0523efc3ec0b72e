"""The genomes of the demo: the same seed gives the same bytes, and they have everything that the demo needs to show."""

import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from Bio.Seq import Seq
from hypothesis import given, settings
from hypothesis import strategies as st

import simulate as script
from virshort.sources.simulation import BASES, KINGDOMS, Composition, Record, genome, lineages, markov, mutate, simulate


def call(outdir: Path, seed: int) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["simulate.py", "--seed", str(seed), "--outdir", str(outdir)])
        script.main()
    return {path.name: path.read_bytes() for path in outdir.iterdir()}


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return list(simulate(42))


def kmers(letters: np.ndarray, k: int = 31) -> set[str]:
    text = letters.tobytes().decode()
    both = text, str(Seq(text).reverse_complement())
    return {s[i : i + k] for s in both for i in range(len(s) - k + 1)}


def test_same_seed_same_bytes(tmp_path):
    first, again, other = (call(tmp_path / name, seed) for name, seed in (("a", 7), ("b", 7), ("c", 8)))
    assert first == again and first["viral.fa.gz"] != other["viral.fa.gz"]
    assert set(first) == {"samplesheet.csv", "sources.tsv", "viral.fa.gz", "nonviral.fa.gz"}
    assert first["samplesheet.csv"] == b"fasta,label\nviral.fa.gz,viral\nnonviral.fa.gz,nonviral\n"
    assert first["sources.tsv"].splitlines()[0] == b"id\tkingdom\tfamily"


def test_enough_of_everything(records):
    assert len({r.source for r in records}) == len(records)
    assert 2e6 < sum(len(r.letters) for r in records) < 5e6
    for label in ("viral", "nonviral"):
        assert len({r.lineage for r in records if r.label == label}) >= 35
        assert sum(len(r.letters) for r in records if r.label == label) > 8e5
    assert max(Counter(r.lineage for r in records).values()) >= 4
    kinds = set(np.unique(np.concatenate([r.letters for r in records])).tobytes())
    assert kinds > set(b"ACGTNacgt") and kinds & set(b"RYSWKM") and kinds <= set(b"ACGTNRYSWKMacgtnryswkm")


def test_one_too_short_and_one_nearly_all_n(records):
    assert [r.source for r in records if len(r.letters) < 150] == ["phage_01_fragment"]
    assert [r.source for r in records if np.mean(r.letters == ord("N")) > 0.5] == ["bacteria_01_gap"]


def test_only_relatives_and_prophages_share_31mers(records):
    """Only 31-mers that begin with ACG are compared, on both strands."""
    holders: dict[str, set[str]] = {}
    for r in records:
        text = r.letters.tobytes().decode().upper()
        for strand in (text, str(Seq(text).reverse_complement())):
            for word in re.findall("(?=(ACG[ACGT]{28}))", strand):
                holders.setdefault(word, set()).add(r.lineage)
    shared = {tuple(sorted(lineages)) for lineages in holders.values() if len(lineages) > 1}
    assert shared == {(f"bacteria_0{i}", f"phage_0{i}") for i in (1, 2, 3)}


def longest_stretch(text: str) -> int:
    """Codons of the longest stop-free stretch over three frames."""
    frames = (text[f : len(text) - (len(text) - f) % 3] for f in range(3))
    return max(len(run) for frame in frames for run in str(Seq(frame).translate()).split("*"))


def test_genes_are_open_reading_frames():
    kingdom = replace(KINGDOMS[0], both_strands=False, spacer=1)
    codes = genome(kingdom, Composition(), 20_000, np.random.default_rng(0))
    text = BASES[codes].tobytes().decode()
    shuffled = BASES[np.random.default_rng(0).permutation(codes)].tobytes().decode()
    assert longest_stretch(text) > 300 > longest_stretch(shuffled)


def test_lineages_of_a_family_are_more_alike_than_others():
    families = [(name, c.codon_chances()) for name, c in lineages(42, 0, KINGDOMS[0])]
    within, between = [], []
    for i, (a, x) in enumerate(families):
        for b, y in families[:i]:
            (within if a == b else between).append(np.abs(x - y).sum())
    assert len(within) == 13 and np.mean(within) < np.mean(between)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.floats(0, 0.1), st.integers(1, 3000))
def test_mutate_returns_bases_and_leaves_its_input_alone(seed, rate, length):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, length, np.uint8)
    before = codes.copy()
    after = mutate(codes, rate, rng)
    assert after.dtype == np.uint8 and after.max(initial=0) < 4 and np.array_equal(codes, before)
    if not rate:
        assert np.array_equal(after, codes)


def test_mutation_rate():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, 200_000, np.uint8)
    after = mutate(codes, 0.02, rng)
    shared = len(kmers(BASES[codes][:20_000]) & kmers(BASES[after][:20_000])) / len(kmers(BASES[codes][:20_000]))
    assert shared == pytest.approx(0.98**31, abs=0.08)
    assert abs(len(after) - len(codes)) < 1000


def test_markov_follows_its_chances():
    follow = np.zeros((16, 4))
    follow[np.arange(16), (np.arange(16) % 4 + 1) % 4] = 1
    chain = markov(follow, 1000, np.random.default_rng(0))
    assert np.array_equal(chain[1:], (chain[:-1] + 1) % 4)
    assert len(markov(follow, 0, np.random.default_rng(0))) == 0
