"""The best match of every window in a text: seeds, extended without gaps. Compiled by Numba when it is first called.

All arithmetic of positions is unsigned, which spares Numba the check for negative indices.
"""

from dataclasses import dataclass

import numba
import numpy as np

from virshort.homology.residues import ALPHABET, SCORE
from virshort.homology.seeds import (
    CORRECTION_AT,
    CORRECTION_BIAS,
    GAPS_AT,
    GROUP,
    GROUPS,
    MULTIPLIER,
    NO_GROUP,
    PAD,
    SeedIndex,
    groups,
)

DROP = 16
"""An extension ends where its score is so far below its best: 7 bits."""
SEED_SCORE = 20
"""What the residues below a seed must score before it is extended."""
CHUNK, HITS = 4096, 8192
"""Positions of the text, and hits, that are worked on at a time."""

MEMBER_SCORE = np.zeros((32, 4), np.int8)
"""[32, 4] the score of a residue with each member of its own group."""
for _code, _group in enumerate(GROUP[: len(ALPHABET)]):
    for _member, _letter in enumerate(GROUPS[_group]):
        MEMBER_SCORE[_code, _member] = SCORE[32 * _code + ALPHABET.index(_letter)]
NONE = 31
"""No residue: it scores 0."""
PAIR_SCORE = (MEMBER_SCORE[:, None, None, :] + MEMBER_SCORE[None, :, :, None]).reshape(-1)
"""[32 * 32 * 16] the score of two residues with a member of the first's group (two bits) and of the second's (two more)."""

_ONE, _FOUR, _FIVE, _HALF, _NONE = (np.uint64(n) for n in (1, 4, 5, 32, NONE))
_TWO_MEMBERS, _RESIDUE = np.uint64(15), np.uint64(31)
_RADIX = np.uint32(len(GROUPS))


@dataclass(frozen=True)
class Translated:
    """The stretches of windows as one text. codes: [..] uint8, which begin and end with PAD gaps; correction: [..] int8, what
    is added to the scores of each residue; window: [..] int32, the number of the window that each residue is of."""

    codes: np.ndarray
    correction: np.ndarray
    window: np.ndarray


def best_matches(
    text: np.ndarray,
    group: np.ndarray,
    windows: Translated,
    index: SeedIndex,
    allowed: np.ndarray,
    least: int,
    best: np.ndarray,
    identity: np.ndarray,
) -> None:
    """Raise each window's best score and identity to those of its best match in a text.

    text: [n] uint8 codes, which begin and end with PAD gaps; group: [n] uint8, their groups; index: the seeds of `windows`; allowed: [n] bool, the windows
    that may match this text; least: the smallest raw score that counts; best: [n] int32, 0 for none; identity: [n] float32,
    the share of equal residues in the match. Of matches with equal scores the one with the greater identity counts, so the
    order of texts, of shapes and of windows changes nothing."""
    query = windows.codes, windows.correction, windows.window, allowed
    seeds = index.shape, index.gaps, index.first, index.entry, index.filter
    _search(text, group, *query, *seeds, PAIR_SCORE, least, best, identity)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _search(
    text, group, windows, correction, window, allowed, shape, gaps, first, entry, occurs, pair_score, least, best, identity
):
    """Works through the text in chunks, and in each in steps over arrays: such a loop is compiled to vector instructions, or its
    loads at least do not wait for one another, which is much faster than one position after another."""
    number, seen = np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint8)
    at, hash_at = np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint32)
    begin, end = np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint32)
    pairs, residues = np.uint64((len(shape) + 1) // 2), np.uint64(len(gaps))
    pair_row, residue_row = np.empty(pairs, np.uint64), np.empty(residues, np.uint64)
    hit_text, hit_windows, score = np.empty(HITS, np.uint32), np.empty(HITS, np.uint32), np.empty(HITS, np.int32)
    to_bit = np.uint32(32 - _log2(len(occurs) * 8))
    to_bucket = np.uint32(32 - _log2(len(first) - 1))
    last = len(text) - PAD
    hits = np.uint64(0)
    for chunk in range(PAD, last, CHUNK):
        length = min(CHUNK, last - chunk)
        number[:] = 0
        seen[:] = 0
        for i in range(len(shape)):
            start = chunk + np.int64(shape[i])
            part = group[start : start + length]
            for t in range(np.uint64(length)):
                number[t] = number[t] * _RADIX + part[t]
                seen[t] |= part[t]
        n = np.uint64(0)
        for t in range(np.uint64(length)):
            hashed = np.uint32(number[t] * MULTIPLIER)
            bit = hashed >> to_bit
            at[n], hash_at[n] = t, hashed
            n += np.uint64((seen[t] < NO_GROUP) & (occurs[bit >> 3] >> (bit & 7)))
        for j in range(n):
            bucket = hash_at[j] >> to_bucket
            begin[j], end[j] = first[bucket], first[bucket + _ONE]
        found = np.uint64(0)
        for j in range(n):
            e, stop, hashed = np.uint64(begin[j]), np.uint64(end[j]), hash_at[j]
            while e < stop and entry[e, 0] >> _HALF < hashed:
                e += _ONE
            at[found], hash_at[found], begin[found], end[found] = at[j], hashed, e, stop
            found += np.uint64(e < stop)
        for j in range(found):
            e, stop, hashed = np.uint64(begin[j]), np.uint64(end[j]), hash_at[j]
            if entry[e, 0] >> _HALF != hashed:
                continue
            t = np.uint64(at[j]) + np.uint64(chunk)
            for i in range(pairs):
                one = np.uint64(text[t + shape[2 * i]])
                other = np.uint64(text[t + shape[2 * i + _ONE]]) if 2 * i + _ONE < len(shape) else _NONE
                pair_row[i] = (one << _FIVE | other) << _FOUR
            for i in range(residues):
                residue_row[i] = np.uint64(text[t + gaps[i]]) << _FIVE
            while e < stop and entry[e, 0] >> _HALF == hashed:
                rest = entry[e, 1]
                near = np.int64(rest >> CORRECTION_AT) - CORRECTION_BIAS
                for i in range(pairs):
                    near += pair_score[pair_row[i] | ((rest >> (i * _FOUR)) & _TWO_MEMBERS)]
                for i in range(residues):
                    near += SCORE[residue_row[i] | ((rest >> (GAPS_AT + i * _FIVE)) & _RESIDUE)]
                hit_text[hits], hit_windows[hits], score[hits] = t, entry[e, 0], near
                hits += np.uint64(near >= SEED_SCORE)
                if hits == HITS:
                    _extend(
                        text, windows, correction, window, allowed, shape, hit_text, hit_windows, score, hits, least, best, identity
                    )
                    hits = np.uint64(0)
                e += _ONE
    _extend(text, windows, correction, window, allowed, shape, hit_text, hit_windows, score, hits, least, best, identity)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _extend(text, windows, correction, window, allowed, shape, hit_text, hit_windows, score_of, hits, least, best, identity):
    span = shape[-1] + _ONE
    for h in range(hits):
        t, w, score = np.uint64(hit_text[h]), np.uint64(hit_windows[h]), np.int64(score_of[h])
        of = window[w]
        if not allowed[of]:
            continue
        top, k, right = score, span, span
        while score >= top - DROP:
            score += SCORE[(np.uint64(windows[w + k]) << _FIVE) | np.uint64(text[t + k])] + correction[w + k]
            k += _ONE
            if score > top:
                top, right = score, k
        score, k, left = top, _ONE, np.uint64(0)
        while score >= top - DROP:
            score += SCORE[(np.uint64(windows[w - k]) << _FIVE) | np.uint64(text[t - k])] + correction[w - k]
            if score > top:
                top, left = score, k
            k += _ONE
        if top < least or top < best[of]:
            continue
        same = 0
        for i in range(left + right):
            same += windows[w - left + np.uint64(i)] == text[t - left + np.uint64(i)]
        share = np.float32(same / (left + right))
        if top > best[of] or share > identity[of]:
            best[of], identity[of] = top, share


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _log2(n):
    bits = 0
    while n > 1:
        n >>= 1
        bits += 1
    return bits
