"""The best match of every window in a text: seeds, extended without gaps. Compiled by Numba when it is first called.

All arithmetic of positions is unsigned, which spares Numba the check for negative indices.
"""

from dataclasses import dataclass

import numba
import numpy as np

from virshort.homology.residues import SCORE
from virshort.homology.seeds import GROUPS, MULTIPLIER, NO_GROUP, PAD, SeedIndex, groups

DROP = 16
"""An extension ends where its score is so far below its best: 7 bits."""
SEED_SCORE = 20
"""What the residues below a seed must score before it is extended."""
CHUNK, HITS = 4096, 8192
"""Positions of the text, and hits, that are worked on at a time."""

_ONE, _FIVE = np.uint64(1), np.uint64(5)
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
    windows: Translated,
    index: SeedIndex,
    allowed: np.ndarray,
    least: int,
    best: np.ndarray,
    identity: np.ndarray,
) -> None:
    """Raise each window's best score and identity to those of its best match in a text.

    text: [..] uint8 codes, which begin and end with PAD gaps; index: the seeds of `windows`; allowed: [n] bool, the windows
    that may match this text; least: the smallest raw score that counts; best: [n] int32, 0 for none; identity: [n] float32,
    the share of equal residues in the match. Of matches with equal scores the one with the greater identity counts, so the
    order of texts, of shapes and of windows changes nothing."""
    query = windows.codes, windows.correction, windows.window, allowed
    _search(text, groups(text), *query, index.shape, index.first, index.entry, index.filter, least, best, identity)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _search(text, group, windows, correction, window, allowed, shape, first, entry, occurs, least, best, identity):
    """Works through the text in chunks, and in each in steps over arrays: such a loop is compiled to vector instructions, or its
    loads at least do not wait for one another, which is much faster than one position after another."""
    number, seen = np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint8)
    at, hash_at = np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint32)
    begin, end = np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint32)
    hit_text, hit_windows = np.empty(HITS, np.uint32), np.empty(HITS, np.uint32)
    to_bit = np.uint32(32 - _log2(len(occurs) * 8))
    to_bucket = np.uint32(32 - _log2(len(first) - 1))
    last = len(text) - PAD
    hits = 0
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
        for j in range(n):
            for e in range(begin[j], end[j]):
                hit_text[hits], hit_windows[hits] = at[j] + chunk, entry[e]
                hits += (entry[e] >> np.uint64(32)) == hash_at[j]
                if hits == HITS:
                    _extend(
                        text, windows, correction, window, allowed, shape, hit_text, hit_windows, hits, least, best, identity
                    )
                    hits = 0
    _extend(text, windows, correction, window, allowed, shape, hit_text, hit_windows, hits, least, best, identity)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _log2(n):
    bits = 0
    while n > 1:
        n >>= 1
        bits += 1
    return bits


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _extend(text, windows, correction, window, allowed, shape, hit_text, hit_windows, hits, least, best, identity):
    span = shape[-1] + _ONE
    kept = 0
    scores = np.empty(hits, np.int32)
    for h in range(hits):
        t, w = np.uint64(hit_text[h]), np.uint64(hit_windows[h])
        near = 0
        for i in range(np.uint64(0), span):
            near += SCORE[(np.uint64(windows[w + i]) << _FIVE) | np.uint64(text[t + i])] + correction[w + i]
        hit_text[kept], hit_windows[kept], scores[kept] = t, w, near
        kept += near >= SEED_SCORE
    for h in range(kept):
        t, w, score = np.uint64(hit_text[h]), np.uint64(hit_windows[h]), np.int64(scores[h])
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
