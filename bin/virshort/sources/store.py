"""The sources of a run: a table with one row per source, and one file with the bases of all sources, one after the other."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("label", pa.string()),
        ("kingdom", pa.string()),
        ("family", pa.string()),
        ("cluster", pa.string()),
        ("split", pa.string()),
        ("file", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
        ("unambiguous", pa.int64()),
        ("gc", pa.float64()),
    ]
)


class Source(TypedDict):
    """A row of sources.parquet, by SCHEMA.

    source: the id; cluster, split: None unless the user gave them; file: the path as the samplesheet writes it; offset, length:
    where its bases are in sources.seq (of a contig of ready features: 0, and the number of its windows); unambiguous: bases
    that are A, C, G or T; gc: the share of G and C among these."""

    source: str
    label: str
    kingdom: str
    family: str | None
    cluster: str | None
    split: str | None
    file: str
    offset: int
    length: int
    unambiguous: int
    gc: float | None


class SkippedRecord(TypedDict):
    """A row of skipped.tsv (source, file, reason), with the label and kingdom under which it is counted."""

    source: str
    file: str
    reason: str
    label: str
    kingdom: str


class LabelCount(TypedDict):
    """Records of a label and kingdom, for input.json. bases: None for ready features."""

    label: str
    kingdom: str
    records: int
    bases: int | None
    skipped: int


def write_sources(path: Path, rows: Sequence[Source]) -> None:
    """Write sources.parquet."""
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path, compression="zstd")


def write_skipped(path: Path, rows: Sequence[SkippedRecord]) -> None:
    """Write skipped.tsv."""
    lines = [("source", "file", "reason"), *((r["source"], r["file"], r["reason"]) for r in rows)]
    path.write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
