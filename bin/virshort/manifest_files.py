"""Manifests on disk: a row for each window of a shard, with checksums of the pages and the digest of the windows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from virshort.files import damaged, whole

_DIGEST_KEY, _SHAPE_KEY = b"windows_digest", b"shape"


@dataclass(frozen=True)
class ManifestSummary:
    """windows: how many a manifest lists; columns: their names; digest: of the windows and their order, which features repeat
    that follow them."""

    windows: int
    columns: Sequence[str]
    digest: str


def write_manifest(path: Path, table: pa.Table, windows_digest: str) -> None:
    """Write the manifest of the windows that have this digest."""
    with whole(path) as temporary:
        metadata = {_DIGEST_KEY: windows_digest, _SHAPE_KEY: _shape(table.schema, table.num_rows)}
        pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd", write_page_checksum=True)


def _shape(schema: pa.Schema, rows: int) -> str:
    """What the checksums of a manifest's pages do not cover: the number of rows, and the names and types of the columns."""
    return f"{rows} rows: " + ", ".join(f"{c.name} {c.type}" for c in schema)


@contextmanager
def open_manifest(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a manifest, whose pages are verified as they are read. Raises InputError naming the file if it is damaged."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as manifest:
            yield manifest
    except (pa.ArrowException, OSError, UnicodeDecodeError) as e:
        raise damaged(path, e) from e


def summarize_manifest(path: Path) -> ManifestSummary:
    """What a manifest says of itself. Raises InputError if it is damaged, or was not written by `write_manifest`."""
    with open_manifest(path) as manifest:
        schema, rows = manifest.schema_arrow, manifest.metadata.num_rows
    metadata = schema.metadata or {}
    if metadata.get(_SHAPE_KEY) != _shape(schema, rows).encode() or _DIGEST_KEY not in metadata:
        raise damaged(path, "its columns are not those that were written")
    return ManifestSummary(rows, schema.names, metadata[_DIGEST_KEY].decode(errors="replace"))


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Some columns of a manifest. Raises InputError if their pages are damaged."""
    with open_manifest(path) as manifest:
        return manifest.read(columns=list(columns))


def read_manifest(path: Path) -> tuple[pa.Table, str]:
    """Read a whole manifest, and the digest of the windows that it lists. Raises InputError if it is damaged."""
    summary = summarize_manifest(path)
    return read_columns(path, summary.columns), summary.digest
