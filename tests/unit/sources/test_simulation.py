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
from virshort.sources.simulation import (
    _AMINO,
    BASES,
    IDENTITY,
    KINGDOMS,
    SENSE,
    Composition,
    Record,
    ancestral_proteins,
    genome,
    inherited_codons,
    lineages,
    markov,
    mutate,
    simulate,
)


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
    codes = genome(kingdom, Composition(), 20_000, np.random.default_rng(0), [])
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


def test_some_families_have_one_lineage_and_most_have_several():
    sizes = Counter(name for name, _ in lineages(42, 0, KINGDOMS[0]))
    assert min(sizes.values()) == 1 and max(sizes.values()) == 4 and sum(sizes.values()) == KINGDOMS[0].lineages


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_an_inherited_gene_keeps_its_residues_but_not_its_codons(seed, other):
    chances = Composition().deviate("label", np.random.default_rng(seed)).codon_chances()
    protein = _AMINO[np.random.default_rng(other).choice(len(SENSE), 2000, p=chances)]
    a, b = (inherited_codons(protein, chances, np.random.default_rng([seed, other, n])) for n in (1, 2))
    low, high = IDENTITY
    for codons in (a, b):
        assert low - 0.05 < np.mean(_AMINO[codons] == protein) < high + 0.05
    same = _AMINO[a] == _AMINO[b]
    assert low * low - 0.05 < same.mean() < high * high + 0.06
    assert np.mean(a[same] == b[same]) < 0.75, "codons are drawn again"


def test_a_search_for_proteins_finds_relatives_in_the_family_only(records):
    """Segments of eight residues that any two lineages share, in genomes that share no 31-mer."""
    words: dict[str, set[str]] = {}
    family = {r.lineage: r.family for r in records if r.kingdom == "phage"}
    for r in records:
        if r.lineage in family and "strain1" in r.source:
            text = Seq(re.sub("[^ACGT]", "N", r.letters.tobytes().decode().upper()))
            strands = (text, text.reverse_complement())
            frames = [str(s[f : len(s) - (len(s) - f) % 3].translate()) for s in strands for f in range(3)]
            runs = [run for frame in frames for run in re.split("[*X]", frame) if len(run) >= 60]
            words.setdefault(r.lineage, set()).update(run[i : i + 8] for run in runs for i in range(len(run) - 7))
    pairs = {(a, b): len(words[a] & words[b]) for a in words for b in words if a < b}
    within = [n for (a, b), n in pairs.items() if family[a] == family[b]]
    between = [n for (a, b), n in pairs.items() if family[a] != family[b]]
    assert min(within) > 50 and max(between) < 10


def test_the_genomes_of_a_family_use_the_same_ancestral_proteins_up():
    kingdom = KINGDOMS[0]
    proteins = ancestral_proteins(kingdom, Composition(), np.random.default_rng(0))
    before = len(proteins)
    codes = genome(kingdom, Composition(), 30_000, np.random.default_rng(0), proteins)
    assert len(proteins) < before and 30_000 <= len(codes) < 40_000


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
