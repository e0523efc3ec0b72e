"""Looking up the 31-mers of reads among those of a model's sources (virshort.model.source_kmers)."""

from collections.abc import Sequence

import numba
import numpy as np

from virshort.sequence.canonical_31mers import ALL_BITS, CODE, MIX, K

_BITS = 2 * K
_PER_BUCKET = 3
"""log2 of the 31-mers of a bucket: eight of them fill a line of the processor's cache."""
_PER_FILTER = 4
"""log2 of the bits of the filter for each 31-mer: one 31-mer in 16 that is not there passes."""


class SourceKmers:
    """The 31-mers of the sources, ready to be looked up.

    kmers: [k] uint64 as `spaced_kmers` gives them (may be a memmap). One look at a bit dismisses nearly all 31-mers that are
    not there. The others are sought among the few that begin with the same bits. Both tables are made in one pass, since the
    numbers are in order."""

    def __init__(self, kmers: np.ndarray):
        self.kmers = kmers
        size = len(kmers).bit_length()
        filter_bits, bucket_bits = min(size + _PER_FILTER, 30), max(size - _PER_BUCKET, 0)
        self._to_bit, self._to_bucket = np.uint64(_BITS - filter_bits), np.uint64(_BITS - bucket_bits)
        self._filter = np.zeros((1 << filter_bits >> 3) + 1, np.uint8)
        self._first = np.empty((1 << bucket_bits) + 1, np.uint32)
        _index(kmers, self._to_bit, self._to_bucket, self._filter, self._first)

    def shared_by(self, sequences: Sequence[bytes]) -> np.ndarray:
        """Whether each sequence has one of the 31-mers, on either strand. sequences: n, upper case. Returns [n] bool."""
        letters = np.frombuffer(b"".join(sequences), np.uint8)
        last = np.cumsum(np.array([len(s) for s in sequences], np.int64))
        return _shared(letters, last, CODE, self.kmers, self._to_bit, self._to_bucket, self._filter, self._first)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _index(kmers: np.ndarray, to_bit: np.uint64, to_bucket: np.uint64, found: np.ndarray, first: np.ndarray) -> None:
    """Fill the filter, and where each bucket begins, from increasing numbers."""
    buckets = 0
    for at in range(len(kmers)):
        bit = kmers[at] >> to_bit
        found[bit >> np.uint64(3)] |= np.uint8(1) << np.uint8(bit & np.uint64(7))
        while buckets <= np.int64(kmers[at] >> to_bucket):
            first[buckets] = at
            buckets += 1
    first[buckets:] = len(kmers)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _shared(
    letters: np.ndarray,
    last: np.ndarray,
    code: np.ndarray,
    kmers: np.ndarray,
    to_bit: np.uint64,
    to_bucket: np.uint64,
    found: np.ndarray,
    first: np.ndarray,
) -> np.ndarray:
    """[n] bool. letters: [bases] uint8, one sequence after the other; last: [n], where each ends."""
    shares = np.zeros(len(last), np.bool_)
    begin = 0
    for row in range(len(last)):
        forward = reverse = np.uint64(0)
        known = 0  # unambiguous bases in a row
        for at in range(begin, last[row]):
            base = np.uint64(code[letters[at]])
            if base > np.uint64(3):
                known = 0
                continue
            known += 1
            forward = ((forward << np.uint64(2)) | base) & ALL_BITS
            reverse = (reverse >> np.uint64(2)) | ((np.uint64(3) - base) << np.uint64(_BITS - 2))
            if known < K:
                continue
            kmer = (min(forward, reverse) * MIX) & ALL_BITS
            bit = kmer >> to_bit
            if not (found[bit >> np.uint64(3)] >> np.uint8(bit & np.uint64(7))) & np.uint8(1):
                continue  # nearly all end here
            bucket = kmer >> to_bucket
            for place in range(first[bucket], first[bucket + np.uint64(1)]):
                if kmers[place] == kmer:
                    shares[row] = True
            if shares[row]:
                break
        begin = last[row]
    return shares
