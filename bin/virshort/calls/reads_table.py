"""Rows of tables about reads as lines of bytes: names may hold quotes, spaces, commas and bytes of any encoding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from virshort.calls.decisions import CALLS, UNSCORED
from virshort.calls.records import content, without_tabs
from virshort.heads.metrics import probability_of
from virshort.homology.source_list import SourceName
from virshort.labels import LABELS

COLUMNS = (
    *("read", "mate", "length", "score", "pair_score", "call", "reason", "evidence", "source", "kingdom", "family"),
    *("shares_31mer", "flags"),
)
"""Columns of <sample>.reads.tsv.gz."""
DIGITS = 6
"""Decimals of a score."""
BYTES = pa.large_binary()


def header(columns: Sequence[str]) -> bytes:
    """The first line of a table."""
    return "\t".join(columns).encode() + b"\n"


def lines(columns: Sequence[pa.Array | pa.ChunkedArray]) -> memoryview:
    """Rows as lines with tabs between the columns, each of which is an array of bytes [n]."""
    *others, last = (c.combine_chunks() if isinstance(c, pa.ChunkedArray) else c for c in columns)
    if not len(last):
        return memoryview(b"")
    end = pa.scalar(b"\n", BYTES)
    rows = pc.binary_join_element_wise(
        *others, pc.binary_join_element_wise(last, pa.scalar(b"", BYTES), end), pa.scalar(b"\t", BYTES)
    )
    return content(rows)


def words(codes: np.ndarray, names: Sequence[str]) -> pa.LargeBinaryArray:
    """Each code [n] as its name."""
    return pa.array([n.encode() for n in names], BYTES).take(pa.array(codes.astype(np.int64)))


def whole_numbers(values: np.ndarray) -> pa.LargeBinaryArray:
    """Whole numbers [n] in decimals."""
    return pa.array(values).cast(pa.large_string()).cast(BYTES)


def scores(log_odds: np.ndarray, digits: int = DIGITS) -> pa.LargeBinaryArray:
    """Scores of log-odds [n] in plain decimals, never with an exponent; empty where they are NaN."""
    known = ~np.isnan(log_odds)
    with np.errstate(over="ignore"):
        score = probability_of(log_odds)
    parts = np.where(known, np.rint(np.where(known, score, 0) * 10**digits), 0).astype(np.int64)
    text = pc.utf8_lpad(pa.array(parts).cast(pa.large_string()), digits + 1, "0")
    decimal = pc.binary_join_element_wise(
        pc.utf8_slice_codeunits(text, 0, 1), pc.utf8_slice_codeunits(text, 1, digits + 1), pa.scalar(".", pa.large_string())
    )
    return pc.if_else(pa.array(known), decimal, pa.scalar("", pa.large_string())).cast(BYTES)


def evidence(call: np.ndarray, bits: np.ndarray, identity: np.ndarray) -> pa.LargeBinaryArray:
    """What speaks for each read: its best match, viral or nonviral, as `homology viral 87 bits 64 %`; `composition` if it has
    no match; nothing if it was not scored. call: [n]; bits, identity: [n, labels]."""
    which = bits.argmax(axis=1)
    rows = np.arange(len(bits))
    best, same = bits[rows, which], identity[rows, which]
    matched = (best > 0) & (call != UNSCORED)
    out = words(np.where(call == UNSCORED, 0, 1), ("", "composition"))
    if not matched.any():
        return out
    found = np.flatnonzero(matched)
    kind = words(which[found], [f"homology {name}" for name in LABELS])
    measured = [whole_numbers(np.rint(values).astype(np.int64)) for values in (best[found], 100 * same[found])]
    units = [pa.scalar(unit, BYTES) for unit in (b" ", b" bits", b" %")]
    space, bit, percent = units
    nothing = pa.scalar(b"", BYTES)
    texts = [pc.binary_join_element_wise(m, unit, nothing) for m, unit in zip(measured, (bit, percent), strict=True)]
    return pc.replace_with_mask(out, pa.array(matched), pc.binary_join_element_wise(kind, *texts, space))


@dataclass(frozen=True)
class SourceCells:
    """What the table says of each source of a model: [1 + sources] cells of bytes each, the first of which are empty."""

    source: pa.LargeBinaryArray
    kingdom: pa.LargeBinaryArray
    family: pa.LargeBinaryArray


def source_cells(names: Sequence[SourceName]) -> SourceCells:
    """The cells of sources. White space in a name becomes one space, since a tab or line break would end the cell."""
    columns = zip(("", "", ""), *names, strict=True)
    return SourceCells(*(pa.array([" ".join((text or "").split()).encode() for text in column], BYTES) for column in columns))


def read_lines(
    names: pa.LargeBinaryArray,
    mate: np.ndarray,
    length: np.ndarray,
    log_odds: np.ndarray,
    pair_log_odds: np.ndarray,
    call: np.ndarray,
    reason: pa.Array,
    bits: np.ndarray,
    identity: np.ndarray,
    source: np.ndarray,
    cells: SourceCells,
    shares_31mer: np.ndarray,
    flags: pa.Array,
) -> memoryview:
    """Lines of <sample>.reads.tsv.gz, one for each read. names: the first lines of records; pair_log_odds: NaN for reads that
    are not called together with their mate; reason, flags: text; source: the row of the best match's source, or -1; cells: of
    the sources; all [n] or, by label, [n, 2]."""
    row = pa.array(source + 1)
    return lines(
        [
            without_tabs(names),
            whole_numbers(mate),
            whole_numbers(length),
            scores(log_odds),
            scores(pair_log_odds),
            words(call, CALLS),
            reason.cast(BYTES),
            evidence(np.where(np.isnan(log_odds), UNSCORED, call), bits, identity),
            *(column.take(row) for column in (cells.source, cells.kingdom, cells.family)),
            words(shares_31mer.astype(np.int64), ("no", "yes")),
            flags.cast(BYTES),
        ]
    )
