"""Valid positions and the lattice, against plain loops."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from virshort.windows.start_positions import AmbiguousRuns, lattice_step, position_space, uniform

sequences = st.lists(st.text("ACGTNR", min_size=0, max_size=60), min_size=1, max_size=6)


def store(parts: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    length = np.array([len(p) for p in parts], np.int64)
    return np.frombuffer("".join(parts).encode(), np.uint8), np.cumsum(length) - length, length


@given(sequences)
def test_ambiguous_bases_are_counted(parts):
    bases, _, _ = store(parts)
    runs = AmbiguousRuns(bases)
    text = "".join(parts)
    for a in range(len(text) + 1):
        for b in range(a, len(text) + 1):
            expected = sum(c not in "ACGT" for c in text[a:b])
            assert runs.count(np.array([a]), np.array([b]))[0] == expected


@given(sequences, st.integers(1, 12), st.integers(0, 4), st.data())
def test_positions_are_those_of_a_plain_loop(parts, window, most, data):
    bases, offset, length = store(parts)
    group = np.array([data.draw(st.integers(-1, 2)) for _ in parts], np.int64)
    space = position_space(offset, length, group, 3, window, most, AmbiguousRuns(bases))
    for g in range(3):
        expected = [
            (s, offset[s] + i)
            for s, part in enumerate(parts)
            if group[s] == g
            for i in range(len(part) - window + 1)
            if sum(c not in "ACGT" for c in part[i : i + window]) <= most
        ]
        n = int(space.first[g + 1] - space.first[g])
        source, start = space.locate(np.full(n, g), np.arange(n))
        assert list(zip(source.tolist(), start.tolist(), strict=True)) == expected


@given(st.integers(1, 5000))
def test_the_lattice_visits_every_position_once(size):
    step = lattice_step(size)
    assert len(set((np.arange(size) * step % size).tolist())) == size


@given(st.integers(200, 100_000))
def test_the_lattice_is_spread_out(size):
    """Every tenth of the positions gets its share of the first hundred draws, give or take a few."""
    drawn = np.arange(100) * lattice_step(size) % size
    assert np.histogram(drawn, 10, (0, size))[0].min() >= 4


def test_uniform_numbers_are_uniform():
    u = uniform(np.full(100_000, 7, np.uint64), np.arange(100_000, dtype=np.uint64))
    counts = np.histogram(u, 20, (0, 1))[0]
    assert abs(counts - 5000).max() < 5 * np.sqrt(5000)
