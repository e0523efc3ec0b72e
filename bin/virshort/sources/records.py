"""FASTA and FASTQ as they come: plain or compressed, any line ends, any header in UTF-8.

dnaio refuses headers beyond ASCII, a byte order mark and blank first lines, and holds every line of a chromosome as an
object of its own; so only its opener (xopen) is taken, FASTA is read as bytes, and FASTQ by Biopython.
"""

import io
import lzma
import zlib
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from Bio.SeqIO.QualityIO import FastqGeneralIterator
from xopen import xopen

from virshort.errors import InputError
from virshort.sequence.bases import LETTERS, MASKS

SPACE = b" \t\r\n\v\f"
CANONICAL = LETTERS[MASKS].tobytes()
"""[256] letter -> upper-case IUPAC letter (U as T, X as N), '-' for what is no base."""
GAPS = b"-.~"
PROTEIN = b"EFILPQefilpq"
"""Amino acids whose letters are no IUPAC base."""
_BROKEN = (
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    *(import_module(name).error for name in ("isal.isal_zlib", "zlib_ng.zlib_ng") if find_spec(name.split(".")[0])),
)
"""What xopen raises for a damaged file, by the decompressor that it finds on a machine."""


def read_records(path: Path, shown: str) -> Iterator[tuple[str, bytes | bytearray]]:
    """Yield (id, bases) of each record, one in memory at a time: bases in upper case, U as T, X as N, no white space.

    path: where the file lies; shown: what messages call it. The format follows from the content. Raises InputError with
    file and record where the file is missing, broken, empty or no nucleotide FASTA or FASTQ, or a record has no id.
    """
    number, name = 0, ""
    try:
        with xopen(str(path), "rb") as raw:
            stream = io.BufferedReader(raw)
            for header, letters in _records(stream, shown):
                name = _identifier(header, f"{shown}, record {number + 1}")
                number += 1
                yield name, canonical(letters, f"{shown}, record {name}")
    except FileNotFoundError:
        raise InputError(f"{shown}: there is no such file: mend its path in the samplesheet") from None
    except (IsADirectoryError, PermissionError) as e:
        raise InputError(f"{shown}: can't be read ({e.strerror}): give a file that you may read") from None
    except _BROKEN as e:
        raise InputError(
            f"{shown}, {_after(number, name)}: the file is truncated or damaged ({e}): fetch or compress it again"
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{shown}, {_after(number, name)}: the file is not UTF-8 text: convert it") from None
    except ValueError as e:
        raise InputError(f"{shown}, {_after(number, name)}: broken or truncated FASTQ ({e}): fetch or write it again") from None
    if not number:
        raise InputError(f"{shown}: holds no record: give a file with sequences, or take its row out of the sheet")


def canonical(letters: bytes | bytearray, where: str) -> bytes | bytearray:
    """Bases in upper case, U as T, X as N, without white space. Raises InputError naming `where` for other letters."""
    bases = letters.translate(CANONICAL, SPACE)
    if b"-" in bases:
        raise InputError(f"{where}: {_what_is_wrong(letters)}")
    return bases


def _what_is_wrong(letters: bytes | bytearray) -> str:
    bad = bytes(sorted({x for x in letters.translate(None, SPACE) if CANONICAL[x] == ord("-")}))
    if found := bytes(x for x in bad if x in PROTEIN):
        return f"looks like protein (it holds {', '.join(found.decode())}): give nucleotide sequences"
    if found := bytes(x for x in bad if x in GAPS):
        return f"holds gaps ({found.decode()}), as alignments do: take them out"
    return f"holds {', '.join(repr(chr(x)) for x in bad[:5])}, which is no IUPAC base: mend or remove the record"


def _after(number: int, name: str) -> str:
    return f"after record {name} (number {number})" if number else "first record"


def _identifier(header: bytes | str, where: str) -> str:
    """The id: the header up to the first white space."""
    if isinstance(header, bytes):
        if b"\r" in header.rstrip():
            raise InputError(f"{where}: lines end in CR alone: convert the file to LF or CRLF")
        header = header.decode("utf-8")
    words = header.split(maxsplit=1)
    if not words:
        raise InputError(f"{where}: has no id: give every record one, behind the '>' or '@'")
    if not words[0].isprintable():
        raise InputError(f"{where}: its id {words[0]!a} holds a character that can't be printed: rename it")
    return words[0]


def _records(stream: io.BufferedReader, shown: str) -> Iterator[tuple[bytes | str, bytes | bytearray]]:
    """(header, letters) of each record, by the format that the first character tells."""
    if stream.peek(3)[:3] == b"\xef\xbb\xbf":
        stream.read(3)
    while (first := stream.peek(1)[:1]) and first in SPACE:
        stream.read(1)
    if first == b">":
        yield from _fasta(stream)
    elif first == b"@":
        text = io.TextIOWrapper(stream, encoding="utf-8")
        for title, letters, _ in FastqGeneralIterator(text):
            yield title, letters.encode("utf-8")
    elif first:
        raise InputError(f"{shown}: is neither FASTA nor FASTQ: it starts with {first!r}, not with '>' or '@'")


def _fasta(lines: io.BufferedReader) -> Iterator[tuple[bytes, bytearray]]:
    """lines: from the first '>' on."""
    header, letters = next(lines)[1:], bytearray()
    for line in lines:
        if line.startswith(b">"):
            yield header, letters
            header, letters = line[1:], bytearray()
        else:
            letters += line
    yield header, letters
