"""Valid window starts, compared with plain loops."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from virshort.windows.start_positions import AmbiguousRuns, position_space

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
        b = np.arange(a, len(text) + 1)
        expected = np.cumsum([0, *(c not in "ACGT" for c in text[a:])])
        np.testing.assert_array_equal(runs.count(np.full(len(b), a), b), expected)


@given(sequences, st.integers(1, 12), st.integers(0, 4), st.data())
def test_positions_are_those_of_a_plain_loop(parts, window, most, data):
    bases, offset, length = store(parts)
    unit = np.array([data.draw(st.integers(-1, 2)) for _ in parts], np.int64)
    space = position_space(offset, length, unit, 3, window, most, AmbiguousRuns(bases))
    for u in range(3):
        expected = [
            (s, offset[s] + i)
            for s, part in enumerate(parts)
            if unit[s] == u
            for i in range(len(part) - window + 1)
            if sum(c not in "ACGT" for c in part[i : i + window]) <= most
        ]
        n = int(space.first[u + 1] - space.first[u])
        source, start = space.locate(np.full(n, u), np.arange(n))
        assert list(zip(source.tolist(), start.tolist(), strict=True)) == expected
