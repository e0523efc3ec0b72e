"""scores.parquet of a chunk: what PREDICT says of each read, in input order, as arrays with a column for each mate."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from virshort.errors import InputError
from virshort.files import damaged
from virshort.labels import LABELS

COLUMNS = (
    "record",
    "mate",
    "length",
    "scored_length",
    "reason",
    "flags",
    "log_odds",
    *(f"bits_{label}" for label in LABELS),
    *(f"identity_{label}" for label in LABELS),
    "source",
    "shares_31mer",
    "gc",
    "overlap",
)
BLOCK = 1 << 14
"""Fragments that are handled at a time."""


@dataclass(frozen=True)
class ScoredReads:
    """n fragments of single reads (m = 1) or of two mates (m = 2).

    length, scored_length: [n, m] bp, as it came and after trimming; log_odds: [n, m], calibrated, NaN where a read was not
    scored; bits, identity: [n, m, labels] of the best match, 0 where there is none; source: [n, m] int64, the row of its source
    in the list of the model, -1 where there is none; shares_31mer: [n, m] bool; gc: [n, m]; overlap: [n], the share of a mate's
    bases that the other reads too; reason, flags: text of n * m reads, mate by mate."""

    length: np.ndarray
    scored_length: np.ndarray
    log_odds: np.ndarray
    bits: np.ndarray
    identity: np.ndarray
    source: np.ndarray
    shares_31mer: np.ndarray
    gc: np.ndarray
    overlap: np.ndarray
    reason: pa.Array
    flags: pa.Array

    def __len__(self) -> int:
        return len(self.length)

    @property
    def mates(self) -> int:
        """1 for single reads, 2 for pairs."""
        return self.length.shape[1]


def read_scores(path: Path, mates: int, first: int, model: str) -> Iterator[ScoredReads]:
    """The fragments of a chunk, block by block. first: the number of its first record within the sample; model: the
    digest of the model.

    Raises InputError where the scores are of another model, a row is missing or out of place, or a read has neither a score nor
    a reason."""
    try:
        table = pq.read_table(path, columns=list(COLUMNS), page_checksum_verification=True)
    except (OSError, pa.ArrowInvalid) as e:
        raise damaged(path, e) from None
    missing = [c for c in COLUMNS if c not in table.column_names]
    if missing:
        raise damaged(path, f"it has no column {missing[0]}")
    scored_by = (table.schema.metadata or {}).get(b"model", b"none").decode()
    if scored_by != model:
        raise InputError(f"{path.name}: was scored by the model {scored_by}, not by {model}: run again with -resume")
    rows = np.arange(table.num_rows)
    wanted = {"record": first + rows // mates, "mate": rows % mates + (mates > 1)}
    for name, values in wanted.items():
        if table.num_rows % mates or not np.array_equal(table[name].to_numpy(), values):
            raise damaged(path, f"its rows are not those of records {first} and following, in order ({name})")
    for start in range(0, table.num_rows, BLOCK * mates):
        yield _scored_reads(path, table.slice(start, BLOCK * mates), mates)


def _scored_reads(path: Path, table: pa.Table, mates: int) -> ScoredReads:
    def numbers(name: str) -> np.ndarray:
        return table[name].to_numpy().reshape(-1, mates)

    def text(name: str) -> pa.Array:
        return table[name].cast(pa.large_string()).fill_null("").combine_chunks()

    by_label = {
        kind: np.stack([np.nan_to_num(numbers(f"{kind}_{label}")) for label in LABELS], axis=-1)
        for kind in ("bits", "identity")
    }
    log_odds, reason = numbers("log_odds").astype(float), text("reason")
    unexplained = np.isnan(log_odds).ravel() != (reason.to_numpy(zero_copy_only=False) != "")
    if unexplained.any():
        raise damaged(path, f"{int(unexplained.sum())} reads have neither a score nor a reason for none, or both")
    return ScoredReads(
        numbers("length"),
        numbers("scored_length"),
        log_odds,
        by_label["bits"],
        by_label["identity"],
        table["source"].fill_null(-1).to_numpy().reshape(-1, mates).astype(np.int64),
        table["shares_31mer"].fill_null(False).to_numpy().reshape(-1, mates),
        numbers("gc"),
        np.nan_to_num(numbers("overlap"))[:, 0],
        reason,
        text("flags"),
    )
