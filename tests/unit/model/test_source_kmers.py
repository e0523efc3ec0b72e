"""Whether reads share sequence with the sources: exact at a step of 1, and otherwise never wrong where it says yes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virshort.model.shared_kmers import SourceKmers
from virshort.model.source_kmers import EXACT, LARGEST_STEP, spaced_kmers, step_for

COMPLEMENT = bytes.maketrans(b"ACGTN", b"TGCAN")
BASES = st.text("ACGTN", max_size=120).map(str.encode)


def kmers_of(sequence: bytes) -> set[bytes]:
    """The canonical 31-mers of a sequence, one after another."""
    found = (sequence[i : i + 31] for i in range(len(sequence) - 30))
    return {min(k, k.translate(COMPLEMENT)[::-1]) for k in found if b"N" not in k}


def kept(sources: list[bytes], step: int) -> SourceKmers:
    length = np.array([len(s) for s in sources], np.int64)
    return SourceKmers(spaced_kmers(np.frombuffer(b"".join(sources), np.uint8), np.cumsum(length) - length, length, step))


@given(st.lists(BASES, min_size=1, max_size=4), st.data())
def test_with_a_step_of_one_the_answer_is_exact(sources: list[bytes], data: st.DataObject) -> None:
    joined = b"".join(sources)
    first = data.draw(st.integers(0, len(joined)))
    reads = [*data.draw(st.lists(BASES, max_size=3)), joined[first : first + 60], joined[::-1].translate(COMPLEMENT)]
    known = set().union(*(kmers_of(s) for s in sources))
    assert kept(sources, 1).shared_by(reads).tolist() == [bool(known & kmers_of(r)) for r in reads]


@pytest.mark.parametrize("step", [2, 5, 16])
def test_a_stretch_of_30_and_a_step_of_bases_is_always_found(step: int) -> None:
    rng = np.random.default_rng(step)
    sources = [rng.choice(list(b"ACGT"), 400).astype(np.uint8).tobytes() for _ in range(3)]
    long = [s[i : i + 30 + step] for s in sources for i in range(400 - 30 - step + 1)]
    short = [s[i : i + 31] for s in sources for i in range(370)]
    other = [rng.choice(list(b"ACGT"), 150).astype(np.uint8).tobytes() for _ in range(300)]
    kmers = kept(sources, step)
    assert kmers.shared_by(long).all() and kmers.shared_by([s[::-1].translate(COMPLEMENT) for s in long]).all()
    assert kmers.shared_by(short).mean() == pytest.approx(1 / step, abs=0.01)
    assert not kmers.shared_by(other).any()
    assert len(kmers.kmers) == 3 * -(-370 // step)


def test_the_step_bounds_the_size() -> None:
    assert [step_for(n) for n in (0, 1, EXACT, EXACT + 1, 10 * EXACT, 100 * EXACT)] == [1, 1, 1, 2, 10, LARGEST_STEP]
    assert kept([b""], 1).shared_by([b"ACGT" * 20, b""]).tolist() == [False, False]
