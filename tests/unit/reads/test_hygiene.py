"""Trimming, overlap and complexity against plain loops, and what generated reads come to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastq_text import fastq_records, random_bases, reverse_complement
from plain_hygiene import plain_adapter_start, plain_dust, plain_poly_g_start
from virshort.reads.complexity import composition, dust_scores
from virshort.reads.hygiene import FLAGS, REASONS, Cleaned, Limits, clean
from virshort.reads.overlap import BASES_PER_MISMATCH, SHORTEST, fragment_lengths, overlaps
from virshort.reads.trimming import ADAPTERS, before_adapters, before_low_quality, before_poly_g

few_examples = settings(max_examples=40)
reads = st.lists(st.text("ACGTN", max_size=150).map(str.encode), min_size=1, max_size=4)
TRUSEQ = b"AGATCGGAAGAGCACACGTCTGAACTCCAGTCAC"


def places(found: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """letters, first, last"""
    last = np.cumsum([len(read) for read in found])
    return np.frombuffer(b"".join(found), np.uint8), last - [len(read) for read in found], last


@few_examples
@given(
    st.lists(
        st.tuples(st.text("ACGTN", max_size=60), st.sampled_from(ADAPTERS), st.integers(0, 40), st.data()),
        min_size=1,
        max_size=4,
    )
)
def test_adapters_with_a_mismatch_or_cut_off(drawn: list) -> None:
    found = []
    for start, adapter, kept, data in drawn:
        tail = bytearray((adapter + b"ACGTACGTTTTTGCATGCAATCGA")[:kept])
        for _ in range(data.draw(st.integers(0, 2)) if tail else 0):
            tail[data.draw(st.integers(0, len(tail) - 1))] = data.draw(st.sampled_from(b"ACGTN"))
        found.append(start.encode() + bytes(tail))
    letters, first, last = places(found)
    assert (before_adapters(letters, first, last) - first).tolist() == [plain_adapter_start(read) for read in found]


@few_examples
@given(reads, st.integers(0, 40), st.integers(0, 3))
def test_poly_g_tails(found: list[bytes], size: int, others: int) -> None:
    tail = bytearray(b"G" * size)
    tail[2 : 2 + 9 * others : 9] = b"T" * len(tail[2 : 2 + 9 * others : 9])
    found = [read + bytes(tail) for read in found]
    letters, first, last = places(found)

    assert (before_poly_g(letters, first, last) - first).tolist() == [plain_poly_g_start(read) for read in found]


@few_examples
@given(st.lists(st.lists(st.integers(0, 60), max_size=30), min_size=1, max_size=4), st.integers(1, 40))
def test_low_qualities(qualities: list[list[int]], cutoff: int) -> None:
    def plain(values: list[int]) -> int:
        total, most, end = 0, 0, len(values)
        for i in reversed(range(len(values))):
            total += cutoff - values[i]
            if total < 0:
                break
            if total > most:
                total, most, end = total, total, i
        return end

    text = np.frombuffer(b"".join(bytes(33 + v for v in values) for values in qualities), np.uint8)
    last = np.cumsum([len(values) for values in qualities])
    first = last - [len(values) for values in qualities]
    found = before_low_quality(text, first, first + 7, last + 7, cutoff) - first - 7
    assert found.tolist() == [plain(values) for values in qualities]


@few_examples
@given(st.integers(0, 2**32 - 1), st.integers(1, 120), st.integers(20, 90), st.integers(20, 90), st.floats(0, 0.15))
def test_overlaps_of_mates(seed: int, fragment: int, one: int, other: int, errors: float) -> None:
    rng = np.random.default_rng(seed)
    (bases,) = random_bases(rng, 1, 300)
    with_adapter = bases[:fragment] + TRUSEQ + bases[200:]
    back = reverse_complement(bases[:fragment]) + TRUSEQ + bases[:200]
    pair = [bytearray(with_adapter[:one]), bytearray(back[:other])]
    for mate in pair:
        for at in np.flatnonzero(rng.random(len(mate)) < errors):
            mate[at] = rng.choice(list(b"ACGTN"))
    turned = reverse_complement(bytes(pair[1]))

    def plain() -> int:
        best, found = 0, 0
        for length in range(one + other - SHORTEST, SHORTEST - 1, -1):
            begin, end = max(0, length - other), min(one, length)
            mine, its = pair[0][begin:end], turned[begin - length + other : end - length + other]
            wrong = sum(a != b for a, b in zip(mine, its, strict=True))
            if wrong <= (end - begin) // BASES_PER_MISMATCH and end - begin - 5 * wrong > best:
                best, found = end - begin - 5 * wrong, length
        return found

    letters, first, last = places([bytes(pair[0])])
    its_letters, its_first, its_last = places([bytes(pair[1])])
    found = fragment_lengths(letters, first, last, its_letters, its_first, its_last)
    assert found.tolist() == [plain()]


def test_the_share_that_both_mates_read() -> None:
    share = overlaps(np.array([0, 100, 150, 200, 60]), np.array([100, 100, 100, 100, 60]), np.array([100, 100, 100, 50, 60]))
    assert share == pytest.approx([0, 1, 0.5, 0, 1])


@few_examples
@given(reads)
def test_dust_and_composition(found: list[bytes]) -> None:
    letters, first, last = places(found)
    assert dust_scores(letters, first, last) == pytest.approx([plain_dust(read) for read in found])
    gc, ambiguous = composition(letters, first, last)
    for row, read in enumerate(found):
        known = len(read) - read.count(b"N")
        assert gc[row] == pytest.approx((read.count(b"G") + read.count(b"C")) / max(known, 1))
        assert ambiguous[row] == pytest.approx(read.count(b"N") / max(len(read), 1))


def cleaned(*mates: list[bytes], quality: int = 0, qualities: list[bytes] = ()) -> Cleaned:  # type: ignore[assignment]
    return clean(tuple(fastq_records(mate, qualities=qualities) for mate in mates), Limits(quality=quality))


def share_with(found: Cleaned, word: str) -> float:
    if word in REASONS:
        return float((found.reason == REASONS.index(word)).mean())
    return float((found.flags >> FLAGS.index(word) & 1).mean())


def with_errors(rng: np.random.Generator, read: bytes, rate: float = 0.005) -> bytes:
    letters = np.frombuffer(read, np.uint8).copy()
    wrong = rng.random(len(letters)) < rate
    letters[wrong] = rng.choice(np.frombuffer(b"ACGT", np.uint8), wrong.sum())
    return letters.tobytes()


def test_generated_reads_get_their_reason_or_flag_and_clean_reads_their_score() -> None:
    """At least 95 % of the former; at most 1 % of the latter lose it."""
    rng = np.random.default_rng(15)
    n = 1000
    clean_reads = random_bases(rng, n, 150)
    found = cleaned(clean_reads)
    assert (found.reason == 0).mean() >= 0.99 and (found.flags == 0).mean() >= 0.99
    poly_g = [read[:cut] + b"G" * (150 - cut) for read, cut in zip(clean_reads, rng.integers(0, 135, n), strict=True)]
    assert share_with(cleaned([with_errors(rng, read) for read in poly_g]), "poly_g") >= 0.95
    adapter = [(read[:cut] + TRUSEQ + read)[:150] for read, cut in zip(clean_reads, rng.integers(0, 138, n), strict=True)]
    found = cleaned([with_errors(rng, read) for read in adapter])
    assert share_with(found, "adapter") >= 0.95
    many_n = [bytearray(read) for read in clean_reads]
    for read in many_n:
        for at in rng.choice(150, rng.integers(20, 150), replace=False):
            read[at] = ord("N")
    assert share_with(cleaned([bytes(read) for read in many_n]), "n") >= 0.95
    repeats = [(unit * 150)[:150] for period in range(1, 9) for unit in random_bases(rng, n // 8, period)]
    assert share_with(cleaned([with_errors(rng, read) for read in repeats]), "low_complexity") >= 0.95
    assert (
        share_with(cleaned([read[:cut] for read, cut in zip(clean_reads, rng.integers(0, 60, n), strict=True)]), "too_short")
        == 1
    )


def test_mates_show_where_their_fragment_ends() -> None:
    rng = np.random.default_rng(3)
    fragments = random_bases(rng, 300, 100)
    one = [(fragment + b"TTTTTTTTTTACGACGATTTTTTT" * 3)[:150] for fragment in fragments]  # an adapter that is not known
    other = [(reverse_complement(fragment) + b"CATCATTCACCCCTATCAAGTTGA" * 3)[:150] for fragment in fragments]
    found = cleaned([with_errors(rng, read) for read in one], [with_errors(rng, read) for read in other])
    assert share_with(found, "adapter") >= 0.95
    assert ((found.last - found.first) == 100).mean() >= 0.95
    assert found.overlap.min() > 0.95
    assert found.length.tolist() == [150] * 600
    apart = cleaned(random_bases(rng, 300, 150), random_bases(rng, 300, 150))
    assert apart.overlap.max() == 0 and (apart.flags == 0).mean() > 0.99


def test_a_read_is_judged_by_itself_and_its_mate_alone() -> None:
    rng = np.random.default_rng(4)
    fragments = [with_errors(rng, read) for read in random_bases(rng, 60, 180)]
    one = [read[:150] for read in fragments]
    other = [reverse_complement(read)[:150] for read in fragments]
    together = cleaned(one, other)
    turned = cleaned(other, one)
    for row in range(60):
        alone = cleaned(one[row : row + 1], other[row : row + 1])
        both = slice(2 * row, 2 * row + 2)
        assert alone.stretches(np.arange(2)) == together.stretches(np.arange(2 * row, 2 * row + 2))
        assert (alone.reason == together.reason[both]).all() and (alone.flags == together.flags[both]).all()
        assert (alone.overlap == together.overlap[both]).all() and (alone.gc == together.gc[both]).all()
    assert (turned.overlap == together.overlap).all()
    assert (turned.last - turned.first).reshape(-1, 2)[:, ::-1].ravel().tolist() == (together.last - together.first).tolist()


def test_quality_trimming_is_optional() -> None:
    rng = np.random.default_rng(5)
    found = random_bases(rng, 20, 150)
    qualities = [b"I" * 100 + b"#" * 50] * 20
    untrimmed = cleaned(found, qualities=qualities)
    assert (untrimmed.last == cleaned(found).last).all() and (untrimmed.flags >> FLAGS.index("quality") & 1 == 0).all()
    trimmed = cleaned(found, quality=20, qualities=qualities)
    assert (trimmed.last - trimmed.first == 100).all() and share_with(trimmed, "quality") == 1


def test_no_reads() -> None:
    assert len(cleaned([]).first) == len(cleaned([], []).first) == 0
