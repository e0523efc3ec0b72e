"""Files of reads: FASTQ, FASTA or unaligned BAM, plain or compressed, read in pieces of a few megabytes."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from virshort.errors import InputError, RowError
from virshort.reads import bam
from virshort.reads.parsing import parse_fasta, parse_fastq
from virshort.reads.records import Records
from virshort.sources.decompression import BYTE_ORDER_MARK, DAMAGED, open_decompressed

BLOCK = 1 << 22
"""Bytes that are read at a time."""
LONGEST = 1 << 28
"""Bytes of the longest record that is taken for a read."""


def read_file(path: Path, shown: str) -> Iterator[Records]:
    """Yield the records of a file in pieces, at least one, which is empty if the file is. Records of BAM come as FASTQ.

    path: where the file is; shown: what messages call it. The content decides on form and compression. Raises InputError, with
    file and record, for whatever `parse_fastq`, `parse_fasta` and `bam.fastq_text` refuse, and if the file is missing, damaged,
    truncated or none of the three forms.
    """
    place = _Place(shown)
    with place.named_errors(), open_decompressed(path) as stream:
        if stream.peek(len(BYTE_ORDER_MARK))[: len(BYTE_ORDER_MARK)] == BYTE_ORDER_MARK:
            stream.read(len(BYTE_ORDER_MARK))
        start = stream.peek(len(bam.MAGIC))[: len(bam.MAGIC)]
        if start == bam.MAGIC:
            bam.check_end(path)
            texts, fasta = bam.fastq_text(stream, BLOCK), False
        elif start[:1] in (b"@", b">", b""):
            texts, fasta = _pieces(stream), start[:1] == b">"
        else:
            raise InputError(f"{shown}: is neither FASTQ nor FASTA nor BAM: it starts with {start[:1]!r}, not with '@' or '>'")
        for records in records_of(texts, fasta):
            yield records
            place.passed(records)


def form(path: Path) -> str:
    """`fastq`, `fasta` or `bam`, for a file that `read_file` has accepted."""
    with open_decompressed(path) as stream:
        start = stream.read(len(BYTE_ORDER_MARK) + len(bam.MAGIC)).removeprefix(BYTE_ORDER_MARK)
    return "bam" if start.startswith(bam.MAGIC) else "fasta" if start.startswith(b">") else "fastq"


class _Place:
    """Where the reader of a file is."""

    def __init__(self, shown: str):
        self.shown, self.number, self.name = shown, 0, ""

    def passed(self, records: Records) -> None:
        if len(records):
            self.number, self.name = self.number + len(records), records.name(-1)

    @contextmanager
    def named_errors(self) -> Iterator[None]:
        """Errors from reading become InputError, with the file and the record."""
        try:
            yield
        except RowError as e:
            raise InputError(f"{self.shown}, record {e.row + 1}: {e.why}") from None
        except FileNotFoundError:
            raise InputError(f"{self.shown}: there is no such file: correct its path in the sheet of reads") from None
        except (IsADirectoryError, PermissionError) as e:
            raise InputError(f"{self.shown}: cannot be read ({e.strerror}): give a file that you may read") from None
        except DAMAGED as e:
            after = f"after record {self.number} ({self.name})" if self.number else "first record"
            raise InputError(
                f"{self.shown}, {after}: the file is truncated or damaged ({e}): download or compress it again"
            ) from None


def _pieces(stream: io.BufferedReader) -> Iterator[bytes]:
    while piece := stream.read(BLOCK):
        yield piece


def records_of(texts: Iterable[bytes], fasta: bool) -> Iterator[Records]:
    """The records of FASTQ or FASTA text that comes in pieces, at least one part, which is empty if the text is.

    Raises RowError, with the number of the record within the text, as `parse_fastq` and `parse_fasta` do, and EOFError where
    the text ends in the middle of a record."""
    rest, done = b"", 0

    def parsed(last: bool) -> tuple[Records, int]:
        letters = np.frombuffer(rest, np.uint8)
        try:
            return parse_fasta(letters, last) if fasta else parse_fastq(letters)
        except RowError as e:
            raise RowError(done + e.row, e.why) from None

    for text in texts:
        rest += text
        records, used = parsed(last=False)
        rest = rest[used:]
        if len(rest) > LONGEST:
            raise RowError(done + len(records), "is longer than any read: give reads")
        if len(records):
            done += len(records)
            yield records
    if rest and not rest.endswith(b"\n"):
        rest += b"\n"
    if not fasta and rest.count(b"\n") % 4 == 3:
        rest += b"\n"  # the last read is empty, or lacks its qualities
    if fasta or rest.strip() or not done:
        records, used = parsed(last=True)
        if rest[used:].strip():
            raise EOFError("it ends in the middle of a record")
        if len(records) or not done:
            yield records
