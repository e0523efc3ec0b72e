"""Chunks: files with a fixed number of fragments of a sample, byte for byte as they came in."""

from pathlib import Path

from isal import igzip

from virshort.files import whole
from virshort.reads.reading import read_file
from virshort.reads.records import Records, join

MATES = ("R1", "R2")


def chunk_name(sample: str, number: int, mate: int, form: str) -> str:
    """The name of a chunk's file. mate: 0 for single reads and first mates, 1 for second mates; form: fastq or fasta."""
    return f"{sample}.chunk_{number:05d}.{MATES[mate]}.{form}.gz"


def write_chunk(folder: Path, sample: str, number: int, mates: tuple[Records, ...]) -> None:
    """Write the records of single reads, or of each mate, to a file of its own."""
    for mate, records in enumerate(mates):
        form = "fasta" if records.quality_first is None else "fastq"
        with whole(folder / chunk_name(sample, number, mate, form)) as path:
            path.write_bytes(igzip.compress(records.text, 1, mtime=0))


def read_chunk(path: Path) -> Records:
    """All records of a file of a chunk. Raises InputError as `read_file` does."""
    return join(list(read_file(path, path.name)))
