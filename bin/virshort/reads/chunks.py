"""Chunks: files with a fixed number of fragments of a sample, byte for byte as they came in, and of their scores."""

from collections.abc import Iterator
from pathlib import Path

from isal import igzip

from virshort.errors import RowError
from virshort.files import damaged, whole
from virshort.reads.reading import BLOCK, records_of
from virshort.reads.records import Records, join
from virshort.sources.decompression import DAMAGED

MATES = ("R1", "R2")


def chunk_name(sample: str, number: int) -> str:
    """What the names of all files of a chunk begin with."""
    return f"{sample}.chunk_{number:05d}"


def reads_name(sample: str, number: int, mate: int, fasta: bool) -> str:
    """The name of a chunk's reads. mate: 0 for single reads and first mates, 1 for second mates."""
    return f"{chunk_name(sample, number)}.{MATES[mate]}.{'fasta' if fasta else 'fastq'}.gz"


def scores_name(sample: str, number: int) -> str:
    """The name of a chunk's scores, which is the same in modules/predict."""
    return f"{chunk_name(sample, number)}.scores.parquet"


def write_chunk(folder: Path, sample: str, number: int, mates: tuple[Records, ...]) -> None:
    """Write the records of single reads, or of each mate, to a file of its own."""
    for mate, records in enumerate(mates):
        with whole(folder / reads_name(sample, number, mate, records.quality_first is None)) as path:
            path.write_bytes(igzip.compress(records.text, 1, mtime=0))


def read_parts(path: Path) -> Iterator[Records]:
    """The records of a chunk's file in pieces of a few megabytes, at least one. Raises InputError where the file is not as it
    was written."""
    try:
        with igzip.open(path, "rb") as f:
            yield from records_of(iter(lambda: f.read(BLOCK), b""), path.name.endswith(".fasta.gz"))
    except (RowError, OSError, *DAMAGED) as e:
        raise damaged(path, e) from None


def read_chunk(path: Path) -> Records:
    """All records of a chunk's file. Raises InputError as `read_parts` does."""
    return join(list(read_parts(path)))
