"""What of each read is scored: the stretch that remains after trimming, or a reason why there is none."""

from dataclasses import dataclass

import numpy as np

from virshort.reads.complexity import THRESHOLD, composition, dust_scores
from virshort.reads.overlap import fragment_lengths, overlaps
from virshort.reads.records import Records
from virshort.reads.trimming import before_adapters, before_low_quality, before_poly_g

REASONS = ("", "too_short", "n", "low_complexity")
"""Why a read is not scored; empty if it is."""
FLAGS = ("quality", "poly_g", "adapter")
"""What was trimmed."""


@dataclass(frozen=True)
class Limits:
    """What reads are scored. shortest: bases that must remain; most_n: the largest share of ambiguous bases in these; quality:
    trim the 3' end where lower qualities prevail, 0 for no such trimming."""

    shortest: int = 60
    most_n: float = 0.1
    quality: int = 0


@dataclass(frozen=True)
class Cleaned:
    """n reads, each with the stretch that remains of it. Both mates of a pair are neighbours: rows 2i and 2i + 1.

    letters: [bases] uint8, upper case; first: [n] int64, where each read begins in them; last: [n] int64, where its stretch
    ends; length: [n] int64, of the whole read; reason: [n] uint8, a place in REASONS; flags: [n] uint8, a bit for each of
    FLAGS; gc: [n] float32, of the stretch; overlap: [n] float32, of a pair, 0 for single reads."""

    letters: np.ndarray
    first: np.ndarray
    last: np.ndarray
    length: np.ndarray
    reason: np.ndarray
    flags: np.ndarray
    gc: np.ndarray
    overlap: np.ndarray

    def stretches(self, rows: np.ndarray) -> list[bytes]:
        """The bases of some reads that remain. rows: their numbers."""
        text = self.letters.tobytes()
        return [text[a:b] for a, b in zip(self.first[rows].tolist(), self.last[rows].tolist(), strict=True)]


def clean(mates: tuple[Records, ...], limits: Limits) -> Cleaned:
    """Trim reads, and say which are not scored. mates: one Records of single reads, or one for each mate, in step.

    In this order the 3' end is trimmed: low qualities, a poly-G tail, and an adapter, which mates show where they overlap and
    read on beyond their fragment, and single reads by its bases. Then the stretch that remains is judged. A read is judged by
    itself and by its mate; no other read matters."""
    trimmed = [_trim_tail(mate, limits.quality) for mate in mates]
    fragment = np.zeros(len(mates[0]), np.int64)
    if len(mates) == 2:
        one, other = mates
        (one_last, _), (other_last, _) = trimmed
        fragment = fragment_lengths(one.letters, one.bases_first, one_last, other.letters, other.bases_first, other_last)
    cut = [_trim_adapter(mate, *tail, fragment) for mate, tail in zip(mates, trimmed, strict=True)]
    lasts = [last for last, _ in cut]
    overlap = np.zeros(len(mates[0]), np.float32)
    if len(mates) == 2:
        overlap = overlaps(fragment, *(last - mate.bases_first for mate, last in zip(mates, lasts, strict=True)))
    starts = np.cumsum([0, *(len(mate.letters) for mate in mates)])[:-1].tolist()
    letters = mates[0].letters if len(mates) == 1 else np.concatenate([mate.letters for mate in mates])
    first = _neighbours([mate.bases_first + start for mate, start in zip(mates, starts, strict=True)])
    last = _neighbours([end + start for end, start in zip(lasts, starts, strict=True)])
    gc, ambiguous = composition(letters, first, last)
    reason = np.select(
        [last - first < limits.shortest, ambiguous > limits.most_n, dust_scores(letters, first, last) > THRESHOLD],
        [REASONS.index("too_short"), REASONS.index("n"), REASONS.index("low_complexity")],
        0,
    ).astype(np.uint8)
    length = _neighbours([mate.lengths for mate in mates])
    flags = _neighbours([found for _, found in cut])
    return Cleaned(letters, first, last, length, reason, flags, gc, np.repeat(overlap, len(mates)))


def _neighbours(of_mates: list[np.ndarray]) -> np.ndarray:
    """One array with the values of both mates side by side."""
    return np.stack(of_mates, axis=1).ravel()


def _trim_tail(mate: Records, quality: int) -> tuple[np.ndarray, np.ndarray]:
    """Where reads end without low qualities and poly-G, and their flags."""
    last, flags = mate.bases_last, np.zeros(len(mate), np.uint8)
    if quality and mate.quality_first is not None:
        shorter = before_low_quality(mate.text, mate.quality_first, mate.bases_first, last, quality)
        last, flags = shorter, flags | _flag("quality", shorter < last)
    shorter = before_poly_g(mate.letters, mate.bases_first, last)
    return shorter, flags | _flag("poly_g", shorter < last)


def _trim_adapter(mate: Records, last: np.ndarray, flags: np.ndarray, fragment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same without adapters. fragment: [n] bp, 0 where it is not known."""
    shorter = np.where(fragment > 0, np.minimum(last, mate.bases_first + fragment), last)
    shorter = before_adapters(mate.letters, mate.bases_first, shorter)
    return shorter, flags | _flag("adapter", shorter < last)


def _flag(name: str, rows: np.ndarray) -> np.ndarray:
    return (rows << FLAGS.index(name)).astype(np.uint8)
