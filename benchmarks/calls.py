"""COLLECT: reads per second of one core against a plain loop, memory, and a sample of many small chunks."""

import csv
import gzip
import json
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from common import ROOT, Line, command, cpu_seconds, report
from isal import igzip

sys.path.insert(0, str(ROOT / "tests" / "helpers"))
from scored_reads import DIGEST, write_model

LENGTH, PAIRS, CHUNK = 150, 100_000, 50_000
PLAIN = 20_000  # pairs of the plain loop
CHUNKS = 2000


def fastq(rng: np.random.Generator, first: int, n: int, mate: int) -> bytes:
    """Records of a sequencer, with random bases and qualities."""
    bases = rng.choice(np.frombuffer(b"ACGT", np.uint8), (n, LENGTH))
    quality = rng.choice(np.frombuffer(b"FFFFFF:,#", np.uint8), (n, LENGTH))
    return b"".join(
        b"@A00123:45:HXXYYDSX2:1:1101:%d:%d %d:N:0:ACGTACGT\n%s\n+\n%s\n"
        % (1000 + i % 30_000, i, mate, bases[i - first].tobytes(), quality[i - first].tobytes())
        for i in range(first, first + n)
    )


def scores(rng: np.random.Generator, first: int, n: int) -> pa.Table:
    """Rows of scores.parquet for n pairs, with some unscored reads and matches."""
    rows = 2 * n
    odds = rng.normal(-3, 3, rows).astype(np.float32)
    known = rng.random(rows) < 0.97
    bits = [np.where(known & (rng.random(rows) < 0.3), rng.uniform(30, 90, rows), 0).astype(np.float32) for _ in range(2)]
    return pa.table(
        {
            "record": np.repeat(np.arange(first, first + n), 2),
            "mate": np.tile(np.array([1, 2], np.int8), n),
            "length": np.full(rows, LENGTH, np.int32),
            "scored_length": np.where(known, LENGTH, 0).astype(np.int32),
            "reason": pa.array(np.where(known, "", "low_complexity")).dictionary_encode(),
            "flags": pa.array(np.where(rng.random(rows) < 0.05, "adapter", "")),
            "log_odds": pa.array(odds, mask=~known),
            "bits_viral": bits[1],
            "bits_nonviral": bits[0],
            "identity_viral": bits[1] / 100,
            "identity_nonviral": bits[0] / 100,
            "source": pa.array(rng.integers(0, 4, rows), pa.int32(), mask=(bits[0] == 0) & (bits[1] == 0)),
            "shares_31mer": bits[1] > 60,
            "gc": np.full(rows, 0.45, np.float32),
            "overlap": np.repeat(np.where(rng.random(n) < 0.5, 0.3, 0), 2).astype(np.float32),
        },
        metadata={"model": DIGEST},
    )


def make(folder: Path, pairs: int, size: int) -> list[object]:
    """A sample in chunks of `size` pairs. Returns the command that collects it."""
    chunks = folder / "chunks"
    chunks.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number, first in enumerate(range(0, pairs, size)):
        n = min(size, pairs - first)
        for mate in (1, 2):
            data = igzip.compress(fastq(rng, first, n, mate), 1)
            (chunks / f"s.chunk_{number:05d}.R{mate}.fastq.gz").write_bytes(data)
        pq.write_table(scores(rng, first, n), chunks / f"s.chunk_{number:05d}.scores.parquet", compression="zstd")
    record = {"sample": "s", "layout": "paired", "form": "fastq", "records": pairs, "chunks": -(-pairs // size)}
    (folder / "s.reads.json").write_text(json.dumps(record))
    model = write_model(folder / "model.json")
    return ["collect.py", "--reads", folder / "s.reads.json", "--chunks", chunks, "--model", model, "--out", folder / "out"]


def plain(folder: Path, pairs: int) -> None:
    """The same table and viral reads by a loop over reads with Python's gzip and csv at the same level of compression."""
    rows = pq.read_table(folder / "chunks" / "s.chunk_00000.scores.parquet").slice(0, 2 * pairs).to_pylist()
    with ExitStack() as stack:
        inputs = [stack.enter_context(gzip.open(folder / "chunks" / f"s.chunk_00000.R{m}.fastq.gz", "rt")) for m in (1, 2)]
        viral = [stack.enter_context(gzip.open(folder / f"plain_R{m}.fastq.gz", "wt", 1)) for m in (1, 2)]
        f = stack.enter_context(gzip.open(folder / "plain.tsv.gz", "wt", 1))
        table = csv.writer(f, delimiter="\t")
        for i in range(pairs):
            records = [[next(file) for _ in range(4)] for file in inputs]
            odds = [rows[2 * i + m]["log_odds"] for m in (0, 1)]
            known = [o for o in odds if o is not None]
            call = "unscored" if not known else "viral" if 0.8 * sum(known) >= 2.5 else "nonviral"
            for m, record in enumerate(records):
                row = rows[2 * i + m]
                score = "" if odds[m] is None else f"{1 / (1 + np.exp(-odds[m])):.6f}"
                which = max(("viral", "nonviral"), key=lambda label: row[f"bits_{label}"])
                match = f"homology {which} {row[f'bits_{which}']:.0f} bits {100 * row[f'identity_{which}']:.0f} %"
                evidence = match if row[f"bits_{which}"] else "composition"
                table.writerow([record[0][1:-1], m + 1, row["length"], score, call, row["reason"], evidence, row["flags"]])
                if call == "viral":
                    viral[m].write("".join(record))


def main() -> None:
    work = Path(sys.argv[1])
    start = command(*make(work / "none", 1, 1))
    one = command(*make(work / "one", PAIRS, CHUNK))
    ten = command(*make(work / "ten", 10 * PAIRS, CHUNK))
    all_formats = command(*make(work / "formats", PAIRS, CHUNK), "--formats", "lyra,kraken,virnucpro")
    slow = cpu_seconds(lambda: plain(work / "one", PLAIN)) / (2 * PLAIN)
    many = command(*make(work / "many", 2 * CHUNKS, 2))

    fast = 18 * PAIRS / (ten.cpu_seconds - one.cpu_seconds)
    with_formats = 2 * PAIRS / (all_formats.cpu_seconds - one.cpu_seconds + 2 * PAIRS / fast)
    grown = ten.peak_bytes / one.peak_bytes
    each = (many.cpu_seconds - start.cpu_seconds) / CHUNKS
    report(
        [
            Line(
                "calls, table and viral reads of gz pairs, one core",
                f"{1 / slow:,.0f} reads/s, a loop over reads",
                ">= 3x",
                f"{fast:,.0f} reads/s ({with_formats:,.0f} with all formats)",
                f"{fast * slow:.1f}",
                fast * slow >= 3,
            ),
            Line(
                "memory of COLLECT, ten times the pairs",
                f"{one.peak_mb:,.0f} MB for {PAIRS:,} pairs",
                "<= 1.5x",
                f"{ten.peak_mb:,.0f} MB",
                f"{grown:.2f}",
                grown <= 1.5,
            ),
            Line(
                f"COLLECT of {CHUNKS:,} chunks of two pairs",
                "-",
                "<= 20 ms a chunk",
                f"{1000 * each:.1f} ms a chunk, {many.peak_mb:,.0f} MB",
                f"{each / 0.02:.2f}",
                each <= 0.02,
            ),
        ]
    )


if __name__ == "__main__":
    main()
