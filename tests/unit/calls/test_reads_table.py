"""Rows of tables about reads."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from virshort.calls.decisions import NONVIRAL, UNSCORED, VIRAL
from virshort.calls.reads_table import BYTES, COLUMNS, evidence, read_lines, scores, source_cells
from virshort.homology.source_list import SourceName


@given(st.lists(st.one_of(st.just(float("nan")), st.floats(-900, 900)), min_size=1))
def test_scores_are_plain_decimals(odds: list[float]) -> None:
    for value, text in zip(odds, scores(np.array(odds)).to_pylist(), strict=True):
        if np.isnan(value):
            assert text == b""
        else:
            assert len(text) == 8 and b"e" not in text
            assert abs(float(text) - 1 / (1 + np.exp(-np.clip(value, -700, 700)))) <= 5.1e-7


def test_infinite_log_odds_are_zero_and_one() -> None:
    assert scores(np.array([-np.inf, np.inf])).to_pylist() == [b"0.000000", b"1.000000"]


def test_evidence_is_the_best_match() -> None:
    bits = np.array([[0, 0], [40.4, 87.6], [90, 20], [90, 20]])
    identity = np.array([[0, 0], [0.3, 0.641], [0.99, 0.5], [0.99, 0.5]])
    found = evidence(np.array([VIRAL, VIRAL, NONVIRAL, UNSCORED]), bits, identity).to_pylist()
    assert found == [b"composition", b"homology viral 88 bits 64 %", b"homology nonviral 90 bits 99 %", b""]


def test_each_read_is_one_line_whatever_its_name() -> None:
    wild = [b'"quoted" name, with \xff\xfe\x00 and \xc3\xa9', b"", b"x" * 5000, b"tab\tBC:Z:ACGT"]
    n = len(wild)
    text = read_lines(
        pa.array(wild, BYTES),
        np.array([1, 2, 1, 2]),
        np.full(n, 150),
        np.array([0.0, np.nan, 30, -30]),
        np.array([np.nan, np.nan, 1, 1]),
        np.array([VIRAL, UNSCORED, NONVIRAL, NONVIRAL]),
        pa.array(["", "too_short", "", ""]),
        np.zeros((n, 2)),
        np.zeros((n, 2)),
        np.array([1, -1, 0, -1]),
        source_cells([SourceName("p1", "phage", "tailed\tones "), SourceName("b1", "bacteria", None)]),
        np.array([True, False, False, False]),
        pa.array(["", "", "adapter,poly_g", ""]),
    )
    rows = [line.split(b"\t") for line in bytes(text).split(b"\n")[:-1]]
    assert [len(row) for row in rows] == [len(COLUMNS)] * n
    assert [row[0] for row in rows] == [*wild[:3], b"tab"]
    assert rows[0][1:] == [b"1", b"150", b"0.500000", b"", b"viral", b"", b"composition", b"b1", b"bacteria", b"", b"yes", b""]
    assert rows[1][1:] == [b"2", b"150", b"", b"", b"unscored", b"too_short", b"", b"", b"", b"", b"no", b""]
    assert rows[2][8:11] == [b"p1", b"phage", b"tailed ones"]
    assert rows[2][3:5] == [b"1.000000", b"0.731059"] and rows[2][-1] == b"adapter,poly_g"


def test_no_reads_are_no_lines() -> None:
    nothing = np.zeros(0)
    none = pa.array([], pa.large_string())
    table = read_lines(
        pa.array([], BYTES), nothing.astype(int), nothing.astype(int), nothing, nothing, nothing.astype(int), none,
        np.zeros((0, 2)), np.zeros((0, 2)), nothing.astype(int), source_cells([]), nothing.astype(bool), none,
    )  # fmt: skip
    assert bytes(table) == b""
