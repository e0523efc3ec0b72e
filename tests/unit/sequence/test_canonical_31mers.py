"""Canonical 31-mers, compared with strings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic_sources import canonical, store, texts_that_share
from virshort.sequence.canonical_31mers import CHUNK, distinct, overlapping_pieces, pack, scan, scatter


def number(word: str) -> int:
    return int(word.translate(str.maketrans("ACGT", "0123")), 4)


@given(texts_that_share())
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


@given(texts_that_share(), st.integers(1, 70))
def test_scan_and_pieces_return_every_word_of_a_source_once(texts, size):
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


def test_no_31mer_is_lost_or_repeated_between_chunks():
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


@given(st.lists(st.one_of(st.integers(0, 5), st.integers(0, 2**64 - 1))))
def test_distinct_values_are_those_of_a_set(values):
    assert distinct(np.array(values, np.uint64)).tolist() == sorted(set(values))
