"""Reads of low complexity, and of what letters reads consist."""

import numba
import numpy as np

THRESHOLD = 10.0
"""The DUST score above which a read is of low complexity. It keeps 99.9 % of 150 bp windows of viral genomes and 99.7 %
of nonviral ones (157 Mbp), and finds at least 95 % of reads that repeat 8 bases or fewer. The 7 that PRINSEQ suggests would
keep 99.1 % of the nonviral ones, and only 92.6 % of those with less than 30 % G and C."""
WINDOW, STEP = 64, 32
_CODE = np.full(256, 4, np.uint8)
_CODE[list(b"ACGT")] = range(4)
_STRONG, _WEAK, _AMBIGUOUS = range(3)
_KIND = np.full(256, _AMBIGUOUS, np.uint8)
_KIND[list(b"GC")] = _STRONG
_KIND[list(b"AT")] = _WEAK


def dust_scores(letters: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """The DUST score of reads, from 0 to 100 (one base repeated): [n] float64. Random bases score 1.6 on average.

    letters: [bases] uint8 upper-case letters; first, last: [n] int64, where each read begins and ends in them. A window of 64
    bases with c_t occurrences of each triplet t, l in all, scores sum of c_t (c_t - 1) / 2 / (l - 1) (Morgulis et al., J.
    Comput. Biol. 13:1028, 2006). As in PRINSEQ (Schmieder & Edwards, Bioinformatics 27:863, 2011), the score of a read is the
    mean over windows that begin every 32 bases, in percent of the largest possible; here the last window ends with the read.
    Triplets with another letter than A, C, G and T count as different from all others."""
    return _dust_scores(letters, first, last, _CODE)


def composition(letters: np.ndarray, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of G and C among the unambiguous bases, [n] float32, and that of ambiguous ones among all, [n] float64; 0 for
    reads without any. letters, first, last: as above."""
    counts = _counts(letters, first, last, _KIND)
    gc = counts[:, _STRONG] / np.maximum(counts[:, _STRONG] + counts[:, _WEAK], 1)
    return gc.astype(np.float32), counts[:, _AMBIGUOUS] / np.maximum(last - first, 1)


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _counts(letters: np.ndarray, first: np.ndarray, last: np.ndarray, kind: np.ndarray) -> np.ndarray:
    found = np.zeros((len(first), 3), np.int64)
    for row in range(len(first)):
        for at in range(first[row], last[row]):
            found[row, kind[letters[at]]] += 1
    return found


@numba.njit(nogil=True, cache=True, boundscheck=False)
def _dust_scores(letters: np.ndarray, first: np.ndarray, last: np.ndarray, code: np.ndarray) -> np.ndarray:
    scores = np.zeros(len(first))
    counts = np.zeros(64, np.int64)
    for row in range(len(first)):
        length = last[row] - first[row]
        windows, total = 0, 0.0
        for begin in range(0, max(length - WINDOW + STEP, 1), STEP):
            start = max(min(begin, length - WINDOW), 0)
            size = min(WINDOW, length) - 2  # triplets
            if size < 2:
                continue
            counts[:] = 0
            pairs = 0
            for at in range(first[row] + start, first[row] + start + size):
                a, b, c = code[letters[at]], code[letters[at + 1]], code[letters[at + 2]]
                if a < 4 and b < 4 and c < 4:
                    triplet = np.int64(a) * 16 + np.int64(b) * 4 + np.int64(c)
                    pairs += counts[triplet]
                    counts[triplet] += 1
            total += 100 * pairs / (size * (size - 1) / 2)
            windows += 1
        if windows:
            scores[row] = total / windows
    return scores
