"""Records of FASTA and FASTQ files: plain or compressed, with any line ends and with any UTF-8 header.

Of dnaio only the opener, xopen, is used (see decompression.py). dnaio itself refuses headers with non-ASCII letters, byte order
marks and blank first lines, and keeps each line of a chromosome as an object of its own. FASTA is therefore read as bytes, and
FASTQ by Biopython.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from Bio.SeqIO.QualityIO import FastqGeneralIterator

from virshort.errors import InputError
from virshort.sequence.bases import LETTERS, MASKS
from virshort.sources.decompression import BYTE_ORDER_MARK, DAMAGED, open_decompressed

SPACE = b" \t\r\n\v\f"
CANONICAL = LETTERS[MASKS].tobytes()
"""[256] letter -> upper-case IUPAC letter (U becomes T, and X becomes N), or '-' for anything that is not a base."""
GAPS = b"-.~"
PROTEIN = b"EFILPQefilpq"
"""One-letter codes of amino acids that are not IUPAC bases."""
_NO_SEQUENCE = re.compile(rb"[>;]|" + BYTE_ORDER_MARK + rb"|\x1f\x8b|[\0-\x08\x0e-\x1f\x7f]")
"""What shows that a sequence was broken by joining files or by comments."""


class _Record(NamedTuple):
    """header: the line without its first character; letters: the sequence with its line ends; line: the number of the header's
    line, None for FASTQ."""

    header: bytes | str
    letters: bytes | bytearray
    line: int | None


def read_records(path: Path, shown: str) -> Iterator[tuple[str, bytes | bytearray]]:
    """Yield (id, bases) of each record; only one is in memory at a time. Bases are as `canonical` returns them.

    path: where the file is; shown: what messages call it. The content decides on the format and the compression, and the name
    does not matter. Raises InputError, with file and record, if the file is missing, damaged, empty or neither FASTA nor FASTQ
    of nucleotides, and if a record has no id.
    """
    number, name = 0, ""
    try:
        with open_decompressed(path) as stream:
            for record in _records(stream, shown):
                name = _identifier(record.header, f"{shown}, record {number + 1}")
                number += 1
                yield name, canonical(record.letters, f"{shown}, record {name}", record.line)
    except FileNotFoundError:
        raise InputError(f"{shown}: there is no such file: correct its path in the samplesheet") from None
    except (IsADirectoryError, PermissionError) as e:
        raise InputError(f"{shown}: cannot be read ({e.strerror}): give a file that you may read") from None
    except DAMAGED as e:
        raise InputError(
            f"{shown}, {_place(number, name)}: the file is truncated or damaged ({e}): download or compress it again"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{shown}, {_place(number, name)}: the file is not UTF-8 text: convert it") from None
    except ValueError as e:
        raise InputError(
            f"{shown}, {_place(number, name)}: damaged or truncated FASTQ ({e}): download or write the file again"
        ) from None
    if not number:
        raise InputError(f"{shown}: the file has no record: give a file with sequences, or remove its row from the samplesheet")


def canonical(letters: bytes | bytearray, where: str, header_line: int | None = None) -> bytes | bytearray:
    """Bases in upper case, with T for U and N for X, and without white space.

    where: the file and record, for messages; header_line: the number of the line before the first of `letters`, if known.
    Raises InputError for anything that is not a base.
    """
    bases = letters.translate(CANONICAL, SPACE)
    if b"-" in bases:
        raise InputError(_complaint(letters, where, header_line))
    return bases


def _complaint(letters: bytes | bytearray, where: str, header_line: int | None) -> str:
    """The message about a sequence that has letters other than bases."""
    if broken := _NO_SEQUENCE.search(letters):
        at = broken.start()
        lines_before = letters.count(b"\n", 0, at)
        line = "" if header_line is None else f", line {header_line + 1 + lines_before}"
        first_in_line = at == 0 or letters[at - 1 : at] in (b"\n", b"\r")
        return f"{where}{line}: {_what_broke_it(broken[0], first_in_line)}"
    bad = bytes(sorted({x for x in letters.translate(None, SPACE) if CANONICAL[x] == ord("-")}))
    if found := bytes(x for x in bad if x in PROTEIN):
        return f"{where}: looks like protein (it has the letters {', '.join(found.decode())}): give nucleotide sequences"
    if found := bytes(x for x in bad if x in GAPS):
        return f"{where}: has gaps ({found.decode()}), as an alignment does: remove them"
    return f"{where}: has {', '.join(repr(chr(x)) for x in bad[:5])}, which is not an IUPAC base: correct or remove the record"


def _what_broke_it(found: bytes, first_in_line: bool) -> str:
    if found == b">":
        return (
            "a '>' is in the middle of a line, as when files are joined and one of them does not end with a line break: insert "
            "a line break before the '>'"
        )
    if found == b";" and first_in_line:
        return "a line within the sequence begins with ';', which marks a comment: remove the line"
    if found == b";":
        return "a ';' is within the sequence: remove it and the text that follows it"
    if found == BYTE_ORDER_MARK:
        return "a byte order mark is inside the file, as when text files are joined: remove it"
    return (
        "binary data is within the sequence, as when a compressed file is appended to plain text: decompress files before you "
        "join them"
    )


def _place(number: int, name: str) -> str:
    return f"after record {name} (number {number})" if number else "first record"


def _identifier(header: bytes | str, where: str) -> str:
    """The id, which is the header up to the first white space."""
    if isinstance(header, bytes):
        if b"\r" in header.rstrip():
            raise InputError(f"{where}: lines end with CR only: convert the file to LF or CRLF")
        header = header.decode("utf-8")
    words = header.split(maxsplit=1)
    if not words:
        raise InputError(f"{where}: has no id: give every record an id, directly after the '>' or '@'")
    if not words[0].isprintable():
        raise InputError(f"{where}: its id {words[0]!a} has a character that cannot be printed: rename it")
    return words[0]


def _records(stream: io.BufferedReader, shown: str) -> Iterator[_Record]:
    """Records of FASTA or FASTQ; the first character of the file decides which it is."""
    if stream.peek(len(BYTE_ORDER_MARK))[: len(BYTE_ORDER_MARK)] == BYTE_ORDER_MARK:
        stream.read(len(BYTE_ORDER_MARK))
    line = 1
    while (first := stream.peek(1)[:1]) and first in SPACE:
        line += stream.read(1) == b"\n"
    if first == b">":
        yield from _fasta(stream, line)
    elif first == b"@":
        text = io.TextIOWrapper(stream, encoding="utf-8")
        for title, letters, _ in FastqGeneralIterator(text):
            yield _Record(title, letters.encode("utf-8"), None)
    elif first:
        raise InputError(f"{shown}: is neither FASTA nor FASTQ: it starts with {first!r}, not with '>' or '@'")


def _fasta(lines: io.BufferedReader, first: int) -> Iterator[_Record]:
    """lines: from the first '>' on; first: the number of that line."""
    header, letters, start = next(lines)[1:], bytearray(), first
    for number, line in enumerate(lines, first + 1):
        if line.startswith(b">"):
            yield _Record(header, letters, start)
            header, letters, start = line[1:], bytearray(), number
        else:
            letters += line
    yield _Record(header, letters, start)
