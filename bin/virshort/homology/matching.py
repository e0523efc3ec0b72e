"""The best match of every window in a text: seeds, extended without gaps. Compiled by Numba when it is first called.

What takes time is memory, not arithmetic: the indexes of a batch of windows are much larger than the caches of a processor. So
the work is done in steps over arrays. In each step a load does not wait for the one before, or is of what an earlier step has
fetched. All arithmetic of positions is unsigned, which spares Numba the check for negative indices.
"""

from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np

from virshort.homology.residues import ALPHABET, PAD, SCORE
from virshort.homology.seeds import (
    CORRECTION_AT,
    CORRECTION_BIAS,
    GAPS_AT,
    GROUP,
    GROUPS,
    MULTIPLIER,
    NO_GROUP,
    SeedIndex,
)

DROP = 16
"""An extension ends where its score is so far below its best: 7 bits."""
SEED_SCORE = 20
"""What the residues below a seed must score before it is extended."""
CHUNK, HITS = 4096, 1024
"""Positions of the text, and hits, that are worked on at a time. What these need fits into the caches."""
STEP = 4
"""Residues of an extension after which it is asked whether to go on."""
BIAS = 32
"""Makes a correction positive."""

MEMBER_SCORE = np.zeros((32, 4), np.int8)
"""[32, 4] the score of a residue with each member of its own group."""
for _code, _group in enumerate(GROUP[: len(ALPHABET)]):
    for _member, _letter in enumerate(GROUPS[_group]):
        MEMBER_SCORE[_code, _member] = SCORE[32 * _code + ALPHABET.index(_letter)]
PAIR_SCORE = (MEMBER_SCORE[:, None, None, :] + MEMBER_SCORE[None, :, :, None]).reshape(-1)
"""[32 * 32 * 16] the score of two residues with a member of the first's group (two bits) and of the second's (two more)."""

_ONE, _TWO, _FOUR, _FIVE, _TEN, _HALF = (np.uint64(n) for n in (1, 2, 4, 5, 10, 32))
_ROW, _TWO_MEMBERS, _RESIDUE = np.uint64(0x3FF), np.uint64(15), np.uint64(31)
_NONE = np.uint64(31)  # stands for no residue, and scores 0
_PAIRS, _RESIDUES = np.uint64(5), np.uint64(6)  # the most of any shape, so that the loops over them are unrolled
_BACK, _AHEAD = np.uint64(12), np.uint64(20)
_RADIX = np.uint32(len(GROUPS))


@dataclass(frozen=True)
class Translated:
    """The stretches of windows as one text. codes: [n] uint8, which begin and end with PAD gaps; correction: [n] int8, what
    is added to the scores of each residue; window: [n] int32, the number of the window that each residue is of."""

    codes: np.ndarray
    correction: np.ndarray
    window: np.ndarray

    @cached_property
    def residue(self) -> np.ndarray:
        """[n] uint16: where the scores of the residue begin in SCORE (ten bits), and its correction plus BIAS."""
        return self.codes.astype(np.uint16) << 5 | (self.correction.astype(np.int16) + BIAS).astype(np.uint16) << 10


def best_matches(
    text: np.ndarray,
    group: np.ndarray,
    windows: Translated,
    index: SeedIndex,
    allowed: np.ndarray,
    least: int,
    best: np.ndarray,
    identity: np.ndarray,
    start: np.ndarray,
) -> None:
    """Raise each window's best score and identity to those of its best match in a text, and say where in the text it begins.

    text: [n] uint8 codes, which begin and end with PAD gaps; group: [n] uint8, their groups; index: the seeds of `windows`;
    allowed: [n] bool, the windows that may match this text; least: the smallest raw score that counts; best: [n] int32, 0 for
    none; identity: [n] float32, the share of equal residues in the match; start: [n] int64. Of matches with equal scores the
    one with the greater identity counts, and of those the first in the text, so the order of shapes and of windows changes
    nothing."""
    query = windows.residue, windows.window, allowed
    seeds = index.shape, index.gaps, index.first, index.entry, index.filter
    _search(text, group, *query, *seeds, PAIR_SCORE, least, best, identity, start)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _search(text, group, residue, window, allowed, shape, gaps, first, entry, occurs, pair_score, least, best, identity, start):
    at, hash_at = np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint32)
    begin, end = np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint32)
    pair_row, gap_row = np.full(_PAIRS, (_NONE << _FIVE | _NONE) << _FOUR), np.full(_RESIDUES, _NONE << _FIVE)
    hit_text, hit_windows, score = np.empty(HITS + 1, np.uint32), np.empty(HITS, np.uint32), np.empty(HITS, np.int32)
    query = residue, window, allowed
    hits = np.uint64(0)
    for chunk in range(PAD, len(text) - PAD, CHUNK):
        n = _find_text_seeds(group, chunk, shape, occurs, at, hash_at)
        n = _find_entries(n, first, entry, at, hash_at, begin, end)
        for j in range(n):
            e, stop, hashed = np.uint64(begin[j]), np.uint64(end[j]), hash_at[j]
            if entry[e, 0] >> _HALF != hashed:
                continue
            t = np.uint64(at[j])
            for i in range(np.uint64((len(shape) + 1) // 2)):
                one = np.uint64(text[t + shape[_TWO * i]])
                other = np.uint64(text[t + shape[_TWO * i + _ONE]]) if _TWO * i + _ONE < len(shape) else _NONE
                pair_row[i] = (one << _FIVE | other) << _FOUR
            for i in range(len(gaps)):
                gap_row[i] = np.uint64(text[t + gaps[i]]) << _FIVE
            while e < stop and entry[e, 0] >> _HALF == hashed:
                seed = entry[e, 1]
                near = np.int64(seed >> CORRECTION_AT) - CORRECTION_BIAS
                for i in range(_PAIRS):
                    near += pair_score[pair_row[i] | ((seed >> (i * _FOUR)) & _TWO_MEMBERS)]
                for i in range(_RESIDUES):
                    near += SCORE[gap_row[i] | ((seed >> (GAPS_AT + i * _FIVE)) & _RESIDUE)]
                hit_text[hits], hit_windows[hits], score[hits] = t, entry[e, 0], near
                hits += np.uint64(near >= SEED_SCORE)
                if hits == HITS:
                    _extend(text, *query, shape, hit_text, hit_windows, score, hits, least, best, identity, start)
                    hits = np.uint64(0)
                e += _ONE
    _extend(text, *query, shape, hit_text, hit_windows, score, hits, least, best, identity, start)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _find_text_seeds(group, chunk, shape, occurs, at, hash_at):
    """Where in a chunk of a text a seed begins that probably occurs in the windows, and its hash. Returns how many there are.

    The first loops become vector instructions."""
    number, seen = np.zeros(CHUNK, np.uint32), np.zeros(CHUNK, np.uint8)
    length = min(CHUNK, len(group) - PAD - chunk)
    for i in range(len(shape)):
        start = chunk + np.int64(shape[i])
        part = group[start : start + length]
        for t in range(np.uint64(length)):
            number[t] = number[t] * _RADIX + part[t]
            seen[t] |= part[t]
    to_bit = np.uint32(32 - _log2(len(occurs) * 8))
    n = np.uint64(0)
    for t in range(np.uint64(length)):
        hashed = np.uint32(number[t] * MULTIPLIER)
        bit = hashed >> to_bit
        at[n], hash_at[n] = t + np.uint64(chunk), hashed
        n += np.uint64((seen[t] < NO_GROUP) & (occurs[bit >> 3] >> (bit & 7)))
    return n


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _find_entries(n, first, entry, at, hash_at, begin, end):
    """For seeds of the text, the first entry of the index that has the same hash or a greater one, and where its bucket ends.

    Seeds without such an entry are left out, in place. Returns how many are left."""
    to_bucket = np.uint32(32 - _log2(len(first) - 1))
    for j in range(n):
        bucket = hash_at[j] >> to_bucket
        begin[j], end[j] = first[bucket], first[bucket + _ONE]
    likely = np.uint64(0)
    for j in range(n):
        e, stop, hashed = begin[j], end[j], hash_at[j]
        at[likely], hash_at[likely], begin[likely], end[likely] = at[j], hashed, e, stop
        likely += np.uint64((e < stop) & (entry[e, 0] >> _HALF <= hashed))
    found = np.uint64(0)
    for j in range(likely):
        e, stop, hashed = np.uint64(begin[j]), np.uint64(end[j]), hash_at[j]
        while e < stop and entry[e, 0] >> _HALF < hashed:
            e += _ONE
        at[found], hash_at[found], begin[found], end[found] = at[j], hashed, e, stop
        found += np.uint64(e < stop)
    return found


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _extend(text, residue, window, allowed, shape, hit_text, hit_windows, hit_score, hits, least, best, identity, start):
    """Extends hits, first in steps that only tell the most that a match can score; few need more."""
    span = shape[-1] + _ONE
    fetched = np.uint64(0)
    for h in range(hits):
        w = np.uint64(hit_windows[h])
        fetched += residue[w - _BACK] + residue[w + _AHEAD]
    hit_text[hits] = fetched  # it is stored so that the loads are not left out
    for h in range(hits):
        t, w, score = np.uint64(hit_text[h]), np.uint64(hit_windows[h]), np.int64(hit_score[h])
        gain, ahead, k = np.int64(0), np.int64(0), span
        while gain >= ahead - DROP:
            for _ in range(STEP):
                here = residue[w + k]
                gain += SCORE[(here & _ROW) | text[t + k]] + np.int64(here >> _TEN) - BIAS
                ahead = max(ahead, gain)
                k += _ONE
        gain, back, k = np.int64(0), np.int64(0), _ONE
        while gain >= back - DROP:
            for _ in range(STEP):
                here = residue[w - k]
                gain += SCORE[(here & _ROW) | text[t - k]] + np.int64(here >> _TEN) - BIAS
                back = max(back, gain)
                k += _ONE
        most = score + ahead + back
        if most < least:
            continue
        of = window[w]
        if most < best[of] or not allowed[of]:
            continue
        top, k, right = score, span, span
        while score >= top - DROP:
            here = residue[w + k]
            score += SCORE[(here & _ROW) | text[t + k]] + np.int64(here >> _TEN) - BIAS
            k += _ONE
            if score > top:
                top, right = score, k
        score, k, left = top, _ONE, np.uint64(0)
        while score >= top - DROP:
            here = residue[w - k]
            score += SCORE[(here & _ROW) | text[t - k]] + np.int64(here >> _TEN) - BIAS
            if score > top:
                top, left = score, k
            k += _ONE
        if top < least or top < best[of]:
            continue
        same = 0
        for i in range(left + right):
            same += residue[w - left + i] >> _FIVE & _RESIDUE == text[t - left + i]
        share = np.float32(same / (left + right))
        begins = np.int64(t - left)
        if top > best[of] or share > identity[of] or (share == identity[of] and begins < start[of]):
            best[of], identity[of], start[of] = top, share, begins


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _log2(n):
    """The base-two logarithm of a power of two."""
    bits = 0
    while n > 1:
        n >>= 1
        bits += 1
    return bits
