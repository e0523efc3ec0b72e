"""Trimming and complexity of one read by plain loops, for tests and benchmarks."""

from collections import Counter

import numpy as np

from virshort.reads.trimming import ADAPTERS


def plain_adapter_start(read: bytes) -> int:
    """Where the first adapter begins, or the length of the read."""
    for start in range(len(read) - 8 + 1):
        for adapter in ADAPTERS:
            size = min(len(adapter), len(read) - start)
            if sum(a != b for a, b in zip(read[start:], adapter, strict=False)) <= size // 12:
                return start
    return len(read)


def plain_poly_g_start(read: bytes) -> int:
    """Where a tail of G begins, or the length of the read."""
    end = len(read)
    for n in range(1, len(read) + 1):
        strange = sum(base != ord("G") for base in read[-n:])
        if strange > 5 or (strange > n // 8 and n >= 10):
            break
        if read[-n] == ord("G"):
            end = len(read) - n
    return end if len(read) - end >= 10 else len(read)


def plain_dust(read: bytes) -> float:
    """The DUST score."""
    starts = sorted({*range(0, len(read) - 63, 32), max(len(read) - 64, 0)})
    scores = []
    for start in starts:
        window = read[start : start + 64]
        triplets = [window[i : i + 3] for i in range(len(window) - 2)]
        n = len(triplets)
        if n >= 2:
            pairs = sum(c * (c - 1) / 2 for t, c in Counter(triplets).items() if not set(t) - set(b"ACGT"))
            scores.append(100 * pairs / (n * (n - 1) / 2))
    return float(np.mean(scores)) if scores else 0.0
