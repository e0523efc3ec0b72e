"""CHECK_READS and hygiene: reads per second of one core against plain loops, and memory."""

import gzip
import json
import sys
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import numpy as np
from common import Line, command, cpu_seconds, report
from isal import igzip

from fastq_text import random_bases, reverse_complement
from plain_hygiene import plain_adapter_start, plain_dust, plain_poly_g_start
from virshort.reads.chunks import read_chunk
from virshort.reads.hygiene import Limits, clean

LENGTH, PAIRS, CHUNK = 150, 100_000, 50_000
PLAIN = 200  # reads of the plain loops
TIMES = 10  # as many pairs for the measurement of memory


def make(folder: Path) -> list[Path]:
    """Mates of fragments of 160 to 500 bases, so that one pair in three overlaps."""
    rng = np.random.default_rng(0)
    (genome,) = random_bases(rng, 1, 1_000_000)
    start, size = rng.integers(0, 999_000, PAIRS), rng.integers(160, 500, PAIRS)
    quality = [row.tobytes() for row in rng.choice(np.frombuffer(b"FFFFFF:,#", np.uint8), (1000, LENGTH))]
    paths = []
    for mate in (1, 2):
        records = []
        for i, (at, n) in enumerate(zip(start.tolist(), size.tolist(), strict=True)):
            fragment = genome[at : at + n]
            read = (fragment if mate == 1 else reverse_complement(fragment))[:LENGTH]
            name = b"A00123:45:HXXYYDSX2:1:1101:%d:%d %d:N:0:ACGT" % (at, i, mate)
            records.append(b"@%b\n%b\n+\n%b\n" % (name, read, quality[(i + mate) % 1000]))
        paths.append(folder / f"reads_{mate}.fastq.gz")
        paths[-1].write_bytes(igzip.compress(b"".join(records), 1))
    return paths


def check(folder: Path, name: str, lanes: int, files: list[Path]) -> list[object]:
    """The command that checks a sample of so many lanes, each with the same files."""
    given = folder / f"{name}.json"
    given.write_text(json.dumps([[[f.name, str(f)] for f in files]] * lanes))
    options = ["--sample", "s", "--reads-per-chunk", CHUNK, "--outdir", folder / name]
    return ["check_reads.py", "--files", given, *options]


def plain_check(folder: Path, files: list[Path]) -> None:
    """Read pairs line by line, compare names and lengths, look for other letters, and write the records again."""
    with ExitStack() as stack:
        inputs = [stack.enter_context(gzip.open(path)) for path in files]
        outputs = [stack.enter_context(gzip.open(folder / f"plain_{mate}.gz", "wb", 1)) for mate in (1, 2)]
        while (pair := [list(islice(file, 4)) for file in inputs])[0]:
            for record, out in zip(pair, outputs, strict=True):
                name, bases, _, qualities = record
                if name.split()[0] != pair[0][0].split()[0] or len(bases) != len(qualities) or bases.strip(b"ACGTN\n"):
                    raise ValueError(name)
                out.write(b"".join(record))


def main() -> None:
    work = Path(sys.argv[1])
    files = make(work)
    empty = work / "empty.fastq"
    empty.write_bytes(b"")
    command(*check(work, "compiled", 1, files))  # compiles what is measured
    start = command(*check(work, "none", 1, [empty, empty]))
    one = command(*check(work, "one", 1, files))
    many = command(*check(work, "many", TIMES, files))
    fast = 2 * PAIRS / (one.cpu_seconds - start.cpu_seconds)
    slow = 2 * PAIRS / cpu_seconds(lambda: plain_check(work, files))
    mates = tuple(read_chunk(work / "one" / f"s.chunk_00000.R{mate}.fastq.gz") for mate in (1, 2))
    clean(tuple(mate.part(0, 9) for mate in mates), Limits(quality=20))
    cleaned = 2 * len(mates[0]) / cpu_seconds(lambda: clean(mates, Limits(quality=20)))
    reads = [mates[0].letters[a:b].tobytes() for a, b in zip(mates[0].bases_first, mates[0].bases_last, strict=True)][:PLAIN]

    def plain_clean() -> None:
        for read in reads:
            plain_adapter_start(read), plain_poly_g_start(read), plain_dust(read)

    looped = PLAIN / cpu_seconds(plain_clean)
    grown = many.peak_bytes / one.peak_bytes
    report(
        [
            Line(
                "reads checked and cut into chunks, gz pairs, one core",
                f"{slow:,.0f} reads/s, a loop over lines",
                ">= 2x",
                f"{fast:,.0f} reads/s",
                f"{fast / slow:.1f}",
                fast >= 2 * slow,
            ),
            Line(
                "hygiene of pairs with overlap and qualities, one core",
                f"{looped:,.0f} reads/s, loops for adapters, poly-G and DUST alone",
                ">= 100x",
                f"{cleaned:,.0f} reads/s",
                f"{cleaned / looped:,.0f}",
                cleaned >= 100 * looped,
            ),
            Line(
                f"memory of CHECK_READS, {TIMES} times the pairs",
                f"{one.peak_mb:,.0f} MB for {PAIRS:,} pairs",
                "<= 1.5x",
                f"{many.peak_mb:,.0f} MB",
                f"{grown:.2f}",
                grown <= 1.5,
            ),
        ]
    )


if __name__ == "__main__":
    main()
