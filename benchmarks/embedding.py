"""Both k-mer encoders on one shard and one core: reading, embedding and writing."""

import contextlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from common import Line, command, medians, report

import embed
from virshort.encoders.catalogue import KMERS
from virshort.windows.shards import write_shard

WINDOWS, LENGTH, REPEATS = 8192, 150, 9


def words(shard: Path, encoders: Sequence[str], out: Path) -> tuple[object, ...]:
    return "--shard", shard, "--encoders", *(f"{name}={KMERS}" for name in encoders), "--out", out


def step(shard: Path, encoders: Sequence[str], out: Path) -> None:
    """bin/embed.py in this process, so that the start of Python is not counted."""
    sys.argv = ["embed.py", *map(str, words(shard, encoders, out))]
    with contextlib.redirect_stdout(io.StringIO()):
        embed.main()


def main() -> None:
    work = Path(sys.argv[1])
    letters = np.random.default_rng(1).choice(np.frombuffer(b"ACGTN", np.uint8), WINDOWS * LENGTH, p=[*[0.2495] * 4, 0.002])
    text = letters.tobytes()
    ids = [f"NC_{i:06d}.1:{i + 1}-{i + LENGTH}(+)" for i in range(WINDOWS)]
    write_shard(work, 0, [text[i : i + LENGTH] for i in range(0, len(text), LENGTH)], pa.table({"window": ids}))
    shard = work / "shard_00000.fa.gz"

    names = ("kmer-dna", "kmer-protein")
    step(shard, names, work)
    both, *each = medians([lambda: step(shard, names, work), *(lambda n=n: step(shard, [n], work) for n in names)], REPEATS)
    rate = WINDOWS / both
    whole = command("embed.py", *words(shard, names, work / "whole")).cpu_seconds
    note = ", ".join(f"{name} {WINDOWS / s:,.0f}/s" for name, s in zip(names, each, strict=True))
    report(
        [
            Line(
                "kmer-dna + kmer-protein: read a shard, embed, write, one core",
                "-",
                ">= 50,000 windows/s",
                f"{rate:,.0f} windows/s",
                f"{rate / 50_000:.2f}",
                rate >= 50_000,
                f"{note}; starting Python adds {whole - both:.1f} s per shard of {WINDOWS} windows",
            )
        ]
    )


if __name__ == "__main__":
    main()
