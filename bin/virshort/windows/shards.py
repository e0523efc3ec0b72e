"""Shards: a FASTA file of windows and its manifest, in the same order, which a digest fixes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from isal import igzip, isal_zlib

from virshort.errors import InputError
from virshort.files import damaged, whole
from virshort.manifest_files import summarize_manifest, write_manifest
from virshort.sequence.bases import COMPLEMENT_LETTER

_GATHER = 1 << 22
_IS_GC = np.isin(np.arange(256), list(b"GC"))
_IS_BASE = np.isin(np.arange(256), list(b"ACGT"))


def extract(bases: np.ndarray, start: np.ndarray, end: np.ndarray, minus: np.ndarray) -> tuple[list[bytes], np.ndarray]:
    """The sequences of windows, read 5' to 3' on their own strand, and the share of G and C among their unambiguous bases.

    bases: [total] uint8 upper-case letters (may be a memmap); start, end: [n] int64; minus: [n] bool.
    Returns n sequences and [n] float32.
    """
    sequences, gc = [], np.empty(len(start), np.float32)
    length = end - start
    first = 0
    while first < len(start):
        last = max(first + 1, int(np.searchsorted(np.cumsum(length[first:]), _GATHER, side="right")) + first)
        rows = slice(first, last)
        n = length[rows]
        ends = np.cumsum(n)
        within = np.arange(ends[-1]) - np.repeat(ends - n, n)
        back = np.repeat(minus[rows], n)
        letters = bases[np.where(back, np.repeat(end[rows] - 1, n) - within, np.repeat(start[rows], n) + within)]
        letters = np.where(back, COMPLEMENT_LETTER[letters], letters)
        sums = [np.add.reduceat(kind[letters], ends - n, dtype=np.int64) for kind in (_IS_GC, _IS_BASE)]
        gc[rows] = sums[0] / np.maximum(sums[1], 1)
        text = letters.tobytes()
        sequences += [text[e - k : e] for e, k in zip(ends.tolist(), n.tolist(), strict=True)]
        first = last
    return sequences, gc


@dataclass
class Shard:
    """Windows as read from FASTA: ids (n strings), sequences (n byte strings), and the digest of both in this order."""

    ids: list[str]
    sequences: list[bytes]
    digest: str


def _fasta(ids: list[str], sequences: list[bytes]) -> bytes:
    return b"".join(b">%b\n%b\n" % (i.encode(), s) for i, s in zip(ids, sequences, strict=True))


def write_shard(folder: Path, number: int, sequences: list[bytes], manifest: pa.Table) -> str:
    """Write shard_<number>.fa.gz and its manifest, whose column `window` holds the ids. Returns the digest.

    The digest is the SHA-256 of the FASTA text. It covers the ids, the bases and their order, but not the compression."""
    text = _fasta(manifest["window"].to_pylist(), sequences)
    found = hashlib.sha256(text).hexdigest()
    name = f"shard_{number:05d}"
    with whole(folder / f"{name}.fa.gz") as path:
        path.write_bytes(igzip.compress(text, 1, mtime=0))
    write_manifest(folder / f"{name}.windows.parquet", manifest, found)
    return found


def read_shard(path: Path) -> Shard:
    """Read the FASTA file of a shard. If it is damaged, raises InputError naming the file and, where possible, the record."""
    try:
        text = igzip.decompress(path.read_bytes())
    except (OSError, EOFError, isal_zlib.error) as e:  # type: ignore[misc]  # its stub calls this class an instance
        raise damaged(path, e) from e
    lines = text.split(b"\n")
    if lines.pop() or len(lines) % 2:
        raise damaged(path, "it ends in the middle of a record")
    for number, header in enumerate(lines[::2]):
        if not header.startswith(b">"):
            raise damaged(path, f"record {number + 1} has no header")
    return Shard([h[1:].decode() for h in lines[::2]], lines[1::2], hashlib.sha256(text).hexdigest())


def read_listed_shard(path: Path, manifest: Path) -> Shard:
    """Read a shard whose windows are to be those that a manifest lists. Raises InputError as `read_shard` does, and where the
    manifest is damaged or lists others."""
    shard = read_shard(path)
    if summarize_manifest(manifest).digest != shard.digest:
        raise InputError(f"{manifest.name}: lists windows other than those of {path.name}: resume the run")
    return shard
