"""Seeds: where windows and a database may have relatives.

A seed is a pattern of positions ("shape", with gaps, so that a mutation at a gap does not matter) at which two stretches have
residues of the same group. This is how DIAMOND finds matches (Buchfink et al., Nat. Methods 12:59, 2015); as in its double
index, the windows are indexed and the database streams by, so the memory does not depend on the database.
"""

from dataclasses import dataclass

import numba
import numpy as np

from virshort.homology.residues import ALPHABET, PAD

GROUPS = (b"A", b"KR", b"EDNQ", b"C", b"G", b"H", b"ILVM", b"FYW", b"P", b"ST")
"""Residues that mutate into each other: the ten groups of Murphy et al., Protein Eng. 13:149 (2000), without L apart."""
NO_GROUP = 16
"""Stands for the group of a residue that no seed may have."""
GROUP = np.full(32, NO_GROUP, np.uint8)
"""[32] code of a residue -> its group, from 0 to 9, or NO_GROUP."""
for _number, _letters in enumerate(GROUPS):
    GROUP[[ALPHABET.index(letter) for letter in _letters]] = _number
MEMBER = np.zeros(32, np.uint8)
"""[32] code of a residue -> which residue of its group it is, from 0 to 3."""
for _letters in GROUPS:
    MEMBER[[ALPHABET.index(letter) for letter in _letters]] = range(len(_letters))
_GROUP_OF_BYTE = bytes(GROUP) + bytes([NO_GROUP]) * (256 - len(GROUP))

MOST_BUCKETS, MOST_FILTER = 21, 24
"""The most bits of a hash that choose a bucket and a bit of the filter, which then take 8 and 2 MB."""
MULTIPLIER = np.uint32(0x9E3779B1)
"""Odd, so that the seeds of a shape, which are less than 2^32, have different hashes."""


GAPS_AT, CORRECTION_AT = np.uint64(20), np.uint64(50)
"""Where the bits begin that tell the residues in the gaps of a seed, and those that tell the sum of all corrections."""
CORRECTION_BIAS = 1 << 12
_ONE, _TWO, _THREE, _FIVE, _SEVEN, _HALF = (np.uint64(n) for n in (1, 2, 3, 5, 7, 32))
_POSITION, _NO_ENTRY, _RADIX = np.uint64(2**32 - 1), np.uint64(2**64 - 1), np.uint64(len(GROUPS))


@dataclass(frozen=True)
class SeedIndex:
    """The seeds of one shape in a text of codes, by hash.

    shape, gaps: the positions of a seed's residues, and those between them, uint64; first: [2^b + 1] uint32, where the entries
    begin whose hash begins with each b bits; entry: [entries + 1, 2] uint64, in order; the last is none. Its first number has
    the hash of the seed in the upper half and its position in the text in the lower. The second holds all that scoring the seed
    takes: MEMBER of its residues with 2 bits each, from GAPS_AT the codes of the residues in the gaps with 5 bits each, and
    from CORRECTION_AT the sum of all corrections plus CORRECTION_BIAS. filter: [2^f / 8] uint8, a bit for each beginning of f
    bits that occurs."""

    shape: np.ndarray
    gaps: np.ndarray
    first: np.ndarray
    entry: np.ndarray
    filter: np.ndarray


def groups(codes: np.ndarray) -> np.ndarray:
    """The group of each residue, or NO_GROUP. codes: [n] uint8. Returns [n] uint8."""
    return np.frombuffer(codes.tobytes().translate(_GROUP_OF_BYTE), np.uint8)


def index_seeds(codes: np.ndarray, correction: np.ndarray, shape: np.ndarray) -> SeedIndex:
    """Index all seeds of a shape. codes: [n] uint8, which begin and end with PAD gaps; correction: [n] int8."""
    gaps = np.setdiff1d(np.arange(shape[-1], dtype=np.uint64), shape)
    key = np.sort(_keys(groups(codes), shape))
    size = max(len(key).bit_length(), 8)
    bucket_bits, filter_bits = min(size, MOST_BUCKETS), min(size + 4, MOST_FILTER)
    entry = np.empty((len(key) + 1, 2), np.uint64)
    first, occurs = np.zeros((1 << bucket_bits) + 1, np.uint32), np.zeros(1 << filter_bits >> 3, np.uint8)
    _fill(key, codes, correction, shape, gaps, bucket_bits, filter_bits, entry, first, occurs)
    np.cumsum(first, out=first)
    return SeedIndex(shape, gaps, first, entry, occurs)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _keys(group, shape):
    """The hash and position of all seeds, as in SeedIndex.entry, but in the order of positions."""
    key = np.empty(len(group), np.uint64)
    n = np.uint64(0)
    for at in range(np.uint64(PAD), np.uint64(len(group) - PAD)):
        number, seen = np.uint64(0), np.uint8(0)
        for i in range(len(shape)):
            number = number * _RADIX + group[at + shape[i]]
            seen |= group[at + shape[i]]
        key[n] = np.uint64(np.uint32(np.uint32(number) * MULTIPLIER)) << _HALF | at
        n += np.uint64(seen < NO_GROUP)
    return key[:n]


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _fill(key, codes, correction, shape, gaps, bucket_bits, filter_bits, entry, first, occurs):
    """Writes the entries, how many there are in each bucket (one place further on), and the filter."""
    to_bucket, to_bit = np.uint64(64 - bucket_bits), np.uint64(64 - filter_bits)
    for e in range(np.uint64(len(key))):
        at = key[e] & _POSITION
        total = np.int64(CORRECTION_BIAS)
        for i in range(shape[-1] + _ONE):
            total += correction[at + i]
        seed = np.uint64(total) << CORRECTION_AT
        for i in range(np.uint64(len(shape))):
            seed |= np.uint64(MEMBER[codes[at + shape[i]]]) << (_TWO * i)
        for i in range(np.uint64(len(gaps))):
            seed |= np.uint64(codes[at + gaps[i]]) << (GAPS_AT + _FIVE * i)
        entry[e, 0], entry[e, 1] = key[e], seed
        first[(key[e] >> to_bucket) + _ONE] += np.uint32(1)
        bit = key[e] >> to_bit
        occurs[bit >> _THREE] |= np.uint8(_ONE << (bit & _SEVEN))
    entry[len(key), :] = _NO_ENTRY
