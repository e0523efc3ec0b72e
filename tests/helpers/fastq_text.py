"""FASTQ as text and as records, for tests of reads."""

from collections.abc import Sequence

import numpy as np

from virshort.reads.parsing import parse_fastq
from virshort.reads.records import Records

COMPLEMENT = bytes.maketrans(b"ACGTN", b"TGCAN")


def fastq(reads: Sequence[bytes], names: Sequence[str] = (), qualities: Sequence[bytes] = (), end: bytes = b"\n") -> bytes:
    """FASTQ text of some reads, called read_0, read_1, ... and of quality I, unless said otherwise."""
    names = names or [f"read_{i}" for i in range(len(reads))]
    qualities = qualities or [b"I" * len(read) for read in reads]
    lines = [[b"@" + name.encode(), read, b"+", quality] for name, read, quality in zip(names, reads, qualities, strict=True)]
    return b"".join(line + end for record in lines for line in record)


def fastq_records(reads: Sequence[bytes], names: Sequence[str] = (), qualities: Sequence[bytes] = ()) -> Records:
    return parse_fastq(np.frombuffer(fastq(reads, names, qualities), np.uint8))[0]


def reverse_complement(read: bytes) -> bytes:
    return read.translate(COMPLEMENT)[::-1]


def random_bases(rng: np.random.Generator, n: int, length: int) -> list[bytes]:
    """n reads of random bases."""
    return [row.tobytes() for row in rng.choice(np.frombuffer(b"ACGT", np.uint8), (n, length))]
