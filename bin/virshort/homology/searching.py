"""The best match of windows in the databases of all folds but their own."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from virshort.homology.ahead import take_ready
from virshort.homology.composition import composition_correction
from virshort.homology.databases import Database, blocks, check_folds, encode
from virshort.homology.matching import Translated, best_matches
from virshort.homology.residues import PAD, bits, raw_score
from virshort.homology.seeds import SeedIndex, groups, index_seeds
from virshort.homology.shapes import PATTERNS, SHAPES, kind_of
from virshort.homology.source_list import Matches
from virshort.homology.stretches import stop_free_stretches
from virshort.labels import LABELS

SHORTEST = 20
"""Residues of the shortest stretch of a window that is searched. A window under 60 bases has none, so it never matches."""
BATCH = 1 << 22
"""Bases of the windows that are indexed together (one window may extend beyond it), which bounds the memory."""
LEAST_BITS = 20.0
"""Weaker matches are not reported: any window has them by chance."""
LAYOUT = (
    "fold, label (nonviral, viral), then bit score and identity from 0 to 1; 0 without a match and for the window's own fold"
)

Best = tuple[np.ndarray, np.ndarray, np.ndarray]


def search(
    sequences: Sequence[bytes],
    fold: np.ndarray | None,
    folder: Path,
    databases: Iterable[Database],
    folds: int,
    genetic_code: int,
    shapes: Sequence[int],
    threads: int = 1,
    log: Callable[[str], None] = print,
) -> Matches:
    """Search windows by translation against all databases but those of their own fold.

    sequences: n windows; fold: [n] int, None for reads, which are of no fold and may match all; folder, databases: as written
    by `write_databases`; shapes: how many of the PATTERNS of each kind of windows are used. Neither threads, nor other windows,
    nor the order of anything changes a score. Of equally good matches in a database the first counts. Raises InputError if a
    database is damaged."""
    if fold is None:
        fold = np.full(len(sequences), -1)
    else:
        check_folds(fold, folds)
    found = np.zeros((len(sequences), folds, len(LABELS), 2), np.float32)
    place = np.zeros((len(sequences), folds, len(LABELS)), np.int64)
    databases = list(databases)
    with ThreadPoolExecutor(threads) as pool:
        for kind, batch in _batches(np.array([len(s) for s in sequences], np.int64)):
            used = PATTERNS[kind][: shapes[kind]]
            windows = translated([sequences[w] for w in batch], genetic_code)
            indexes = list(pool.map(partial(index_seeds, windows.codes, windows.correction), used))
            others = [fold[batch] != database.fold for database in databases]
            texts = [blocks(folder, database) for database in databases]
            best = best_in(texts, windows, others, indexes, pool, 2 * threads)
            for database, allowed, (score, identity, start) in zip(databases, others, best, strict=True):
                label = LABELS.index(database.label)
                found[batch, database.fold, label, 0] = np.where(score > 0, bits(score), 0)
                found[batch, database.fold, label, 1] = identity
                place[batch, database.fold, label] = start
                log(
                    f"{len(batch)} of {len(sequences)} windows: fold {database.fold}, {database.label}, {database.residues} "
                    f"residues: {np.count_nonzero(score)} of {np.count_nonzero(allowed)} windows of other folds match"
                )
    return Matches(found, place)


def _batches(length: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Divide windows by their kind, and those of each into runs of at most BATCH bases, or a single window. length: [n] int64.
    Returns kinds and arrays of row numbers; each row is in exactly one."""
    found = []
    for kind in range(len(PATTERNS)):
        rows = np.flatnonzero(kind_of(length) == kind)
        run = (np.cumsum(length[rows]) - 1) // BATCH
        found += [(kind, part) for part in np.split(rows, np.flatnonzero(np.diff(run)) + 1) if len(part)]
    return found


def translated(sequences: Sequence[bytes], genetic_code: int) -> Translated:
    """The stop-free stretches of windows, which are numbered as they come."""
    lines, window = [], []
    for number, sequence in enumerate(sequences):
        for stretch in stop_free_stretches(np.frombuffer(sequence, np.uint8), genetic_code, SHORTEST):
            lines.append(b"%b\n" % stretch)
            window.append(number)
    codes = encode(b"".join(lines))
    of = np.zeros(len(codes), np.int32)
    of[PAD : len(codes) - PAD] = np.repeat(np.array(window, np.int32), [len(line) for line in lines])
    return Translated(codes, composition_correction(codes), of)


def best_in(
    databases: Sequence[Iterable[tuple[int, np.ndarray]]],
    windows: Translated,
    allowed: Sequence[np.ndarray],
    indexes: Sequence[SeedIndex],
    pool: Executor,
    ahead: int,
) -> Iterator[Best]:
    """For each database the raw score [n] int32 and identity [n] float32 of each window's best match in it, as `best_matches`
    finds it, and at which byte of the database it begins [n] int64.

    databases: the texts of each, as `blocks` gives them; allowed: for each [n] bool, other windows match nothing there. A text
    is one task of the pool, and at most `ahead` of them are held at a time, of one database or several, so that no thread waits
    for the last text of a database."""
    n, least = len(allowed[0]), raw_score(LEAST_BITS)

    def none() -> Best:
        return np.zeros(n, np.int32), np.zeros(n, np.float32), np.zeros(n, np.int64)

    def one(number: int, begin: int, text: np.ndarray) -> tuple[int, Best]:
        score, share, start = none()
        group = groups(text)
        for index in indexes:
            best_matches(text, group, windows, index, allowed[number], least, score, share, start)
        return number, (score, share, start + (begin - PAD))

    def in_order() -> Iterator[tuple[int, Best]]:
        waiting: deque[Future[tuple[int, Best]]] = deque()
        for number, texts in enumerate(databases):
            for begin, text in texts:
                waiting.append(pool.submit(one, number, begin, text))
                if len(waiting) == ahead:
                    yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    done, best = 0, none()
    for number, found in in_order():
        while done < number:
            yield best
            done, best = done + 1, none()
        # Texts come in the order of the file, so what is not better begins later
        better = (found[0] > best[0]) | ((found[0] == best[0]) & (found[1] > best[1]))
        for known, new in zip(best, found, strict=True):
            known[better] = new[better]
    while done < len(databases):
        yield best
        done, best = done + 1, none()


def compile_search(seconds: float = 60) -> None:
    """Compile the search into the folder NUMBA_CACHE_DIR, unless it is there or was compiled ahead, by searching nothing in
    nothing. Without such a folder nothing is done.

    Of tasks that start together one compiles, and the others wait, but not longer than so many seconds: where a file system has
    no locks, that of a killed task may have stayed behind."""
    if not (shared := os.environ.get("NUMBA_CACHE_DIR")):
        return
    folder = Path(shared)
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(Timeout), FileLock(folder / "compiling.lock", timeout=seconds):
        take_ready(folder)
        windows = translated([b""], 1)
        indexes = [index_seeds(windows.codes, windows.correction, SHAPES[0])]
        with ThreadPoolExecutor(1) as pool:
            list(best_in([[(0, encode(b""))]], windows, [np.ones(1, bool)], indexes, pool, 1))
