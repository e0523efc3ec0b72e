"""Ready features, which are VirNucPro's merged files, as windows: which rows belong to a chunk, and which chunks to a contig.

An id is <contig>_chunk_<number><frame>, or <window id of virshort><frame>. A chunk is a window, whose rows are those of its
stop-free frames, and its contig is the source.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from virshort.errors import InputError
from virshort.features.tensors import FRAMES, STRETCH
from virshort.features.virnucpro import DNA, Merged, read_merged
from virshort.labels import LABELS
from virshort.sources.samplesheet import SheetRow

_SOURCE = re.compile(r"(.+)_chunk_\d+|(.+):\d+-\d+\([+-]\)", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """The windows of a file, in the order of their first rows.

    row: the file's row of the sheet; window, source: [windows] names, where source is None if the window's name does not
    contain it; label: [windows] int8; rows: [rows, 2] int32, window and index into FRAMES, sorted by both; data: [rows, d]
    float32."""

    row: SheetRow
    window: list[str]
    source: list[str | None]
    label: np.ndarray
    rows: np.ndarray
    data: np.ndarray


def parse_id(name: str) -> tuple[str, int]:
    """The window and frame (an index into FRAMES) of an id. An id without a frame is that of a whole window."""
    if name[-2:] in FRAMES and len(name) > 2:
        return name[:-2], FRAMES.index(name[-2:])
    return name, STRETCH


def source_of(window: str) -> str | None:
    """The contig in the name of a window, or None if the name does not contain it."""
    found = _SOURCE.fullmatch(window)
    return found and (found[1] or found[2])


def read_blocks(sheet: Sequence[SheetRow], paths: Sequence[Path]) -> Iterator[Block]:
    """Read the files of a sheet, which lie at `paths`, one after the other, in one or two blocks each.

    VirNucPro divides its files by rows, so a chunk may begin at the end of one file and continue in the next; it then belongs
    to the next. Raises InputError if files differ in width, if a label is missing or contradicts another, and if a chunk is in
    files that do not follow each other."""
    inputs: int | None = None
    seen: dict[str, str] = {}
    carried: tuple[SheetRow, _Labelled] | None = None
    for row, path in zip(sheet, paths, strict=True):
        merged = _labelled(row, read_merged(path, inputs))
        inputs = merged.data.shape[1]
        if inputs <= DNA:
            raise InputError(
                f"{row.fasta}: {inputs} numbers per row, but merged features have {DNA} of DNABERT-S and then those of "
                "the protein encoder: merge both modalities"
            )
        if not merged.ids:
            continue
        if carried and _windows(carried[1])[0] in set(_windows(merged)):
            merged = _join(carried[1], merged, row)
        elif carried:
            yield _block(*carried, seen)
        last = _windows(merged)[-1]
        ends = np.array([w == last for w in _windows(merged)])
        carried = row, _part(merged, ends)
        if not ends.all():
            yield _block(row, _part(merged, ~ends), seen)
    if carried:
        yield _block(*carried, seen)


def _windows(merged: Merged) -> list[str]:
    return [parse_id(i)[0] for i in merged.ids]


@dataclass(frozen=True)
class _Labelled(Merged):
    labels: np.ndarray


def _labelled(row: SheetRow, merged: Merged) -> _Labelled:
    """The rows with the label of the sheet or of the file, which must agree if both give one."""
    if row.label is None:
        if merged.labels is None:
            raise InputError(f"{row.fasta}: holds no labels, and the sheet gives none: write viral or nonviral in the sheet")
        return _Labelled(merged.ids, merged.data, merged.labels)
    value = np.int8(LABELS.index(row.label))
    if merged.labels is not None and (merged.labels != value).any():
        odd = merged.ids[int((merged.labels != value).argmax())]
        raise InputError(
            f"{row.fasta}: is {row.label} in the sheet, but the file's own label of {odd} is {1 - value}: correct one "
            "of them, or leave the sheet's empty"
        )
    return _Labelled(merged.ids, merged.data, np.full(len(merged.ids), value))


def _part(merged: _Labelled, which: np.ndarray) -> _Labelled:
    return _Labelled(
        [i for i, w in zip(merged.ids, which.tolist(), strict=True) if w], merged.data[which], merged.labels[which]
    )


def _join(first: _Labelled, second: _Labelled, row: SheetRow) -> _Labelled:
    repeated = set(first.ids) & set(second.ids)
    if repeated:
        raise InputError(f"{row.fasta}: id {min(repeated)} is also in the file before it: list every row once")
    return _Labelled(
        first.ids + second.ids, np.concatenate([first.data, second.data]), np.concatenate([first.labels, second.labels])
    )


def _block(row: SheetRow, merged: _Labelled, seen: dict[str, str]) -> Block:
    parsed = [parse_id(i) for i in merged.ids]
    number: dict[str, int] = {}
    rows = np.array([(number.setdefault(w, len(number)), f) for w, f in parsed], np.int32)
    for window in number:
        if window in seen:
            raise InputError(
                f"{row.fasta}: chunk {window} is also in {seen[window]}: list files that share a chunk one after "
                "the other, and give different contigs different names"
            )
        seen[window] = row.fasta
    label = np.zeros(len(number), np.int8)
    label[rows[:, 0]] = merged.labels
    odd = np.flatnonzero(label[rows[:, 0]] != merged.labels)
    if len(odd):
        raise InputError(f"{row.fasta}: rows of chunk {parsed[odd[0]][0]} have different labels: give a chunk one label")
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    windows = list(number)
    return Block(row, windows, [source_of(w) for w in windows], label, rows[order], merged.data[order])
