"""The scores of a chunk: one row for each read, whether it is scored or not."""

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pyarrow as pa

from virshort.errors import RowError
from virshort.labels import LABELS
from virshort.model.scoring import Scored
from virshort.reads.hygiene import FLAGS, REASONS, Cleaned

_FLAG_WORDS = pa.array([",".join(f for i, f in enumerate(FLAGS) if bits >> i & 1) for bits in range(1 << len(FLAGS))])
"""[8] bits of flags -> their names."""


def score_reads(reads: Cleaned, score: Callable[[list[bytes]], Scored]) -> tuple[np.ndarray, Scored]:
    """Score the reads that have no reason against it. Reads whose stretches are equal are scored once, and get the same score.

    Returns their rows, and what `score` says of each of them. Raises RowError, with the row of the read, where `score` does."""
    rows = np.flatnonzero(reads.reason == 0)
    stretches = reads.stretches(rows)
    place: dict[bytes, int] = {}
    which = np.array([place.setdefault(bases, len(place)) for bases in stretches], np.int64)
    try:
        found = score(list(place))
    except RowError as e:
        raise RowError(int(rows[np.argmax(which == e.row)]), e.why) from e
    return rows, Scored(*(getattr(found, f.name)[which] for f in fields(Scored)))


def score_table(reads: Cleaned, rows: np.ndarray, scored: Scored, mates: int, first_record: int) -> pa.Table:
    """All reads of a chunk in the order of input, mates of a pair one after the other.

    rows: the numbers of the reads that are scored; mates: 1 for single reads, 2 for pairs; first_record: the number of the
    chunk's first fragment within the sample. The columns are described in docs/reads.md."""
    n = len(reads.first)
    numbers = np.arange(n)
    known, source = np.zeros(n, bool), np.full(n, -1, np.int32)
    known[rows], source[rows] = True, scored.source

    def spread(values: np.ndarray) -> np.ndarray:
        out = np.zeros(n, values.dtype)
        out[rows] = values
        return out

    def by_label(kind: str, values: np.ndarray) -> dict[str, pa.Array]:
        return {f"{kind}_{label}": pa.array(spread(values[:, y])) for y, label in reversed([*enumerate(LABELS)])}

    return pa.table(
        {
            "record": pa.array(first_record + numbers // mates, pa.int64()),
            "mate": pa.array((numbers % 2 + 1 if mates == 2 else np.zeros(n)).astype(np.int8)),
            "length": pa.array(reads.length.astype(np.int32)),
            "scored_length": pa.array(np.where(known, reads.last - reads.first, 0).astype(np.int32)),
            "reason": pa.DictionaryArray.from_arrays(pa.array(reads.reason.astype(np.int8)), pa.array(REASONS)),
            "flags": _FLAG_WORDS.take(pa.array(reads.flags)),
            "log_odds": pa.array(spread(scored.log_odds), mask=~known),
            **by_label("bits", scored.bits),
            **by_label("identity", scored.identity),
            "source": pa.array(source, mask=source < 0),
            "shares_31mer": pa.array(spread(scored.shares_31mer)),
            "gc": pa.array(reads.gc),
            "overlap": pa.array(reads.overlap),
        }
    )
