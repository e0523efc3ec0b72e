"""Chunks of reads with scores, as CHECK_READS and PREDICT leave them, for tests of what follows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from isal import igzip

from virshort.homology.source_list import SourceList, SourceName, write_sources

SEQUENCE = b"ACGTTGCA" * 100
DIGEST = "0123456789abcdef"
"""Of the model that `write_model` writes."""
STEMS = (b'"q" u,o;te', b"caf\xe9 \xff", b"A00:1:H:1 1:N:0:ACGT", b"x" * 300, b"@plain", b"a'b$(c)`d`")

SOURCES = SourceList(
    np.array([0, 1, 1, 1]),
    np.array([0, 0, 900, 2000]),
    [SourceName("b1", "bacteria", None), *(SourceName(f"p{i}", "phage", f"family {i % 2}") for i in (1, 2, 3))],
)
"""Of the model that `write_model` writes."""


@dataclass(frozen=True)
class Sample:
    """Records of each mate (one list for single reads), and the rows that PREDICT would write of them."""

    name: str
    records: list[list[bytes]]
    rows: pa.Table

    @property
    def mates(self) -> int:
        return len(self.records)

    def __len__(self) -> int:
        return len(self.records[0])


def make_sample(name: str, fragments: int, mates: int, seed: int = 0, odds: np.ndarray | None = None) -> Sample:
    """A sample with wild names, some unscored reads, flags and matches. odds: [fragments, mates] log-odds, NaN: unscored."""
    rng = np.random.default_rng(seed)
    if odds is None:
        odds = rng.normal(-1, 3, (fragments, mates))
        odds[rng.random(odds.shape) < 0.1] = np.nan
    length = rng.integers(30, 400, (fragments, mates))
    length[np.isnan(odds)] = 30
    records = [
        [
            b"@%s %d/%d\n%s\n+\n%s\n" % (STEMS[i % len(STEMS)], i, m + 1, SEQUENCE[: length[i, m]], b"@" * int(length[i, m]))
            for i in range(fragments)
        ]
        for m in range(mates)
    ]
    n = fragments * mates
    flat = odds.ravel()
    known = ~np.isnan(flat)
    matched = known & (rng.random(n) < 0.4)
    rng_of_sources = np.random.default_rng([seed, 1])
    rows = {
        "record": np.repeat(np.arange(fragments), mates),
        "mate": np.tile(np.arange(mates) + (mates > 1), fragments).astype(np.int8),
        "length": length.ravel().astype(np.int32),
        "scored_length": np.where(known, length.ravel(), 0).astype(np.int32),
        "reason": pa.array(np.where(known, "", "too_short")).dictionary_encode(),
        "flags": pa.array(np.where(rng.random(n) < 0.1, "adapter,duplicate", "")),
        "log_odds": pa.array(flat.astype(np.float32), mask=~known),
        "bits_viral": np.where(matched, rng.uniform(30, 90, n), 0).astype(np.float32),
        "bits_nonviral": np.where(matched, rng.uniform(30, 90, n), 0).astype(np.float32),
        "identity_viral": np.where(matched, 0.6, 0).astype(np.float32),
        "identity_nonviral": np.where(matched, 0.5, 0).astype(np.float32),
        "source": pa.array(rng_of_sources.integers(0, len(SOURCES.names), n), pa.int32(), mask=~matched),
        "shares_31mer": known & (rng.random(n) < 0.2),
        "gc": np.full(n, 0.5, np.float32),
        "overlap": np.repeat(np.where(rng.random(fragments) < 0.5, 0.4, 0), mates).astype(np.float32),
    }
    return Sample(name, records, pa.table(rows).replace_schema_metadata({"model": DIGEST}))


def write_chunks(folder: Path, sample: Sample, size: int) -> Path:
    """Write the chunks of a sample, of so many fragments each. Returns its reads.json."""
    folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(sample), size)
    for number, start in enumerate(starts):
        stem = f"{sample.name}.chunk_{number:05d}"
        for mate, records in enumerate(sample.records):
            data = igzip.compress(b"".join(records[start : start + size]), 1, mtime=0)
            (folder / f"{stem}.R{mate + 1}.fastq.gz").write_bytes(data)
        rows = sample.rows.slice(start * sample.mates, size * sample.mates)
        pq.write_table(rows, folder / f"{stem}.scores.parquet")
    record = {
        "sample": sample.name, "layout": "single" if sample.mates == 1 else "paired", "form": "fastq", "files": [],
        "records": len(sample), "reads": len(sample) * sample.mates, "chunks": len(starts), "lengths": [],
    }  # fmt: skip
    path = folder.parent / f"{sample.name}.reads.json"
    path.write_text(json.dumps(record))
    return path


def write_model(path: Path, thresholds: Sequence[float] = (0.0, 1.5, 3.0), held_out: object = None) -> Path:
    """A model.json with what calling needs, and its list of sources. thresholds: balanced, fpr_1e-2, fpr_1e-3, of reads under
    200 bp; others need half a unit more."""
    names = ("balanced", "fpr_1e-2", "fpr_1e-3")
    bins = ([0, 200], [200, 500], [500, 1000], [1000, None])
    by_bin = [
        {"lengths": b, "own": True, "thresholds": {n: t + 0.5 * (b[0] > 0) for n, t in zip(names, thresholds, strict=True)}}
        for b in bins
    ]  # fmt: skip
    own = {name: t + 1 for name, t in zip(names, thresholds, strict=True)}
    calibration = [{"lengths": None, "windows": 1000, "temperature": 1.0, "bias": 0.0, "thresholds": own}]
    pairs = {
        "temperature": 1.0, "bias": 0.0, "factor": 1.6, "threshold": 0.5, "calibration": calibration, "pairs": 1000,
        "overlapping": 0.1,
    }  # fmt: skip
    record = {
        "format": 2, "arm": "codon", "digest": DIGEST, "trained_on": {"scratch": [150, 150]},
        "thresholds": by_bin, "pairs": pairs, "held_out": held_out, "search": {"folds": 5, "sensitivity": "default"},
    }  # fmt: skip
    path.write_text(json.dumps(record))
    write_sources(path.parent / "homology", SOURCES)
    return path
