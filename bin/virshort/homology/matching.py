"""The best match of every window in a text: seeds, extended without gaps. Compiled by Numba when it is first called.

All arithmetic of positions is unsigned, which spares Numba the check for negative indices.
"""

from dataclasses import dataclass

import numba
import numpy as np

from virshort.homology.residues import SCORE
from virshort.homology.seeds import BUCKET_BITS, FILTER_BITS, GROUP, GROUPS, MULTIPLIER, NO_SEED, PAD, SeedIndex

DROP = 16
"""An extension ends where its score is so far below its best: 7 bits."""
SEED_SCORE = 20
"""What the residues below a seed must score before it is extended."""
CHUNK, HITS = 4096, 8192
"""Positions of the text, and hits, that are worked on at a time."""

_ONE, _SEVEN, _FIVE, _THREE = (np.uint64(n) for n in (1, 7, 5, 3))
_PAD, _RADIX = np.uint64(PAD), np.uint64(len(GROUPS))
_TO_BUCKET, _TO_FILTER = np.uint64(64 - BUCKET_BITS), np.uint64(64 - FILTER_BITS)


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
    _search(text, *query, index.shape, index.first, index.seed, index.place, index.filter, least, best, identity)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _search(text, windows, correction, window, allowed, shape, first, seed, place, occurs, least, best, identity):
    """Works through the text in chunks, and in each in steps over arrays: the loads of a step do not wait for one another,
    which makes it much faster than one position after another."""
    at, number_at, bucket_at = np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint32)
    begin, end = np.empty(CHUNK, np.uint32), np.empty(CHUNK, np.uint32)
    hit_text, hit_windows = np.empty(HITS, np.uint32), np.empty(HITS, np.uint32)
    last = np.uint64(len(text)) - _PAD
    hits = 0
    for chunk in range(_PAD, last, np.uint64(CHUNK)):
        n = 0
        for t in range(chunk, min(chunk + np.uint64(CHUNK), last)):
            number = np.uint64(0)
            for i in range(len(shape)):
                number = number * _RADIX + GROUP[text[t + shape[i]]]
            hashed = number * MULTIPLIER
            bit = hashed >> _TO_FILTER
            at[n], number_at[n], bucket_at[n] = t, number, hashed >> _TO_BUCKET
            n += (number < NO_SEED) & ((occurs[bit >> _THREE] >> np.uint8(bit & _SEVEN)) & 1)
        for j in range(n):
            begin[j], end[j] = first[bucket_at[j]], first[bucket_at[j] + 1]
        for j in range(n):
            for entry in range(begin[j], end[j]):
                hit_text[hits], hit_windows[hits] = at[j], place[entry]
                hits += seed[entry] == number_at[j]
                if hits == HITS:
                    _extend(
                        text, windows, correction, window, allowed, shape, hit_text, hit_windows, hits, least, best, identity
                    )
                    hits = 0
    _extend(text, windows, correction, window, allowed, shape, hit_text, hit_windows, hits, least, best, identity)


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
