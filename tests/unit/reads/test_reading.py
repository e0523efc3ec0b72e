"""Records of FASTQ, FASTA and BAM: byte for byte as they came in, whatever the size of the pieces, or one line of complaint."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastq_text import fastq
from virshort.errors import InputError
from virshort.reads import reading
from virshort.reads.reading import form, read_file
from virshort.reads.records import Records, join, rebatch

READS = Path(__file__).resolve().parents[4] / "shared/data/reads"
header = st.binary(min_size=1, max_size=30).filter(lambda name: not set(name) & set(b"\r\n") and name[:1].strip())
bases = st.text("ACGTNacgtnRYSWKMBDHVU.", max_size=40).map(str.encode)


@st.composite
def fastq_records(draw: st.DrawFn) -> list[tuple[bytes, bytes, bytes]]:
    """(header, bases, qualities)"""
    return [
        (
            draw(header),
            read,
            draw(st.binary(min_size=len(read), max_size=len(read)).map(lambda q: bytes(33 + b % 94 for b in q))),
        )
        for read in draw(st.lists(bases, min_size=1, max_size=12))
    ]


def read(path: Path, monkeypatch: pytest.MonkeyPatch | None = None, block: int = 1 << 22) -> Records:
    if monkeypatch:
        monkeypatch.setattr(reading, "BLOCK", block)
    return join(list(read_file(path, path.name)))


def letters_of(records: Records) -> list[bytes]:
    text = records.letters.tobytes()
    return [text[a:b] for a, b in zip(records.bases_first, records.bases_last, strict=True)]


def canonical(read: bytes) -> bytes:
    return read.upper().replace(b"U", b"T").replace(b".", b"N")


@settings(max_examples=40)
@given(fastq_records(), st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.integers(1, 200), st.booleans())
def test_fastq_comes_back_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, records: list, end: bytes, last_end: bool, block: int, squeezed: bool
) -> None:
    text = b"".join(b"@" + name + end + read + end + b"+" + end + quality + end for name, read, quality in records)
    path = tmp_path_factory.mktemp("fastq") / "reads.txt"
    given_text = text if last_end else text.removesuffix(end)
    path.write_bytes(gzip.compress(given_text[:9]) + gzip.compress(given_text[9:]) if squeezed else given_text)
    with pytest.MonkeyPatch.context() as patch:
        found = read(path, patch, block)
    whole = text if last_end or end == b"\n" else text.removesuffix(end) + b"\n"
    assert found.text.tobytes() == whole
    assert letters_of(found) == [canonical(read) for _, read, _ in records]
    for row, (name, _, quality) in enumerate(records):
        assert found.text[found.first[row] + 1 : found.name_last[row]].tobytes() == name.rstrip(b"\r")
        start = found.quality_first[row]
        assert found.text[start : start + len(quality)].tobytes() == quality
    assert form(path) == "fastq"


@settings(max_examples=40)
@given(st.lists(st.tuples(header, st.lists(bases, max_size=4)), min_size=1, max_size=8), st.integers(1, 99))
def test_fasta_may_spread_over_lines(tmp_path_factory: pytest.TempPathFactory, records: list, block: int) -> None:
    text = b"".join(b">" + name + b"\n" + b"".join(line + b"\n" for line in lines) for name, lines in records)
    path = tmp_path_factory.mktemp("fasta") / "reads.fa"
    path.write_bytes(text)
    with pytest.MonkeyPatch.context() as patch:
        found = read(path, patch, block)
    assert found.text.tobytes() == text
    assert letters_of(found) == [canonical(b"".join(lines)) for _, lines in records]
    assert found.quality_first is None and form(path) == "fasta"


@settings(max_examples=40)
@given(fastq_records(), st.integers(1, 5), st.integers(0, 12), st.integers(0, 12))
def test_batches_and_parts_hold_the_same_records(records: list, size: int, start: int, stop: int) -> None:
    reads, names = [r for _, r, _ in records], [f"r{i}" for i in range(len(records))]
    text = fastq(reads, names)
    lines = text.split(b"\n")
    each = [b"\n".join(lines[4 * i : 4 * i + 4]) + b"\n" for i in range(len(reads))]
    whole = reading.parse_fastq(np.frombuffer(text, np.uint8))[0]
    batches = [batch for (batch,) in rebatch(((whole.part(i, i + 3),) for i in range(0, len(whole), 3)), size)]
    assert [len(b) for b in batches] == [min(size, len(reads) - i) for i in range(0, len(reads), size)]
    assert b"".join(b.text.tobytes() for b in batches) == text
    assert letters_of(join(batches)) == letters_of(whole)
    assert whole.part(start, stop).text.tobytes() == b"".join(each[start:stop])
    for odd in (False, True):
        half = whole.every_other(odd)
        assert half.text.tobytes() == b"".join(each[odd::2])
        assert letters_of(half) == letters_of(whole)[odd::2]
        assert [half.name(i) for i in range(len(half))] == names[odd::2]


def bam(records: list[tuple[bytes, int, bytes, bytes]]) -> bytes:
    """An unaligned BAM file of (name, flags, bases, qualities as numbers)."""
    code = {letter: i for i, letter in enumerate(b"=ACMGRSVTWYHKDBN")}
    out = (
        b"BAM\1"
        + struct.pack("<i", 4)
        + b"@CO\n"
        + struct.pack("<i", 1)
        + struct.pack("<i", 3)
        + b"c1\0"
        + struct.pack("<i", 99)
    )
    for name, flags, read, quality in records:
        packed = bytes(code[a] << 4 | code[b] for a, b in zip(read[::2], read[1::2] + b"=", strict=False))
        body = struct.pack("<iiBBHHHiiii", -1, -1, len(name) + 1, 0, 0, 0, flags, len(read), -1, -1, 0)
        body += name + b"\0" + packed + quality + b"RGZx\0"
        out += struct.pack("<i", len(body)) + body
    return gzip.compress(out)


@pytest.mark.parametrize("block", [1, 50, 1 << 20])
def test_unaligned_bam_becomes_fastq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    path = tmp_path / "reads.bam"
    path.write_bytes(
        bam(
            [
                (b"a", 77, b"ACGTN", bytes([0, 1, 2, 3, 40])),
                (b"a", 141, b"GG", b"\xff\xff"),
                (b"b", 77, b"", b""),
                (b"b", 141, b"T", b"\x1e"),
            ]
        )
    )
    found = read(path, monkeypatch, block)
    assert found.text.tobytes() == b'@a\nACGTN\n+\n!"#$I\n@a\nGG\n+\n""\n@b\n\n+\n\n@b\nT\n+\n?\n'
    assert form(path) == "bam"


@pytest.mark.parametrize(
    ("records", "complaint"),
    [
        ([(b"a", 0, b"ACG", b"III")], "record 1: is aligned"),
        ([(b"a", 77, b"ACG", b"III"), (b"b", 141, b"ACG", b"III")], "record 1: its mate does not stand beside it"),
        ([(b"a", 77, b"ACG", b"III"), (b"a", 77, b"ACG", b"III")], "record 2: its mate does not stand beside it"),
        ([(b"a", 77, b"ACG", b"III")], "truncated or damaged"),
    ],
)
def test_bam_that_cannot_be_used(tmp_path: Path, records: list, complaint: str) -> None:
    path = tmp_path / "reads.bam"
    path.write_bytes(bam(records))
    with pytest.raises(InputError, match=f"reads.bam.*{complaint}"):
        read(path)


def test_a_bam_record_that_is_shorter_than_its_fields(tmp_path: Path) -> None:
    path = tmp_path / "reads.bam"
    path.write_bytes(bam([(b"a", 4, b"ACG" * 30, b"I")]))
    with pytest.raises(InputError, match=r"record 1: is damaged"):
        read(path)


GOOD = fastq([b"ACGT", b"GGCC"])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (GOOD[:-8], "after record 1 .read_0.: the file is truncated"),
        (gzip.compress(GOOD, mtime=0)[:-9], "the file is truncated or damaged"),
        (gzip.compress(GOOD * 999, mtime=0)[:90], "the file is truncated or damaged"),
        (GOOD.replace(b"GGCC", b"GGC"), "record 2: read_1 has 3 bases but 4 qualities"),
        (GOOD.replace(b"GGCC", b"GG*C"), r"record 2: read_1 has '\*', which is not an IUPAC base"),
        (GOOD.replace(b"@read_1", b"read_1"), "record 2: does not begin with '@'"),
        (GOOD.replace(b"GGCC\n+", b"GG\nCC\n+"), "record 2: the third line does not begin with"),
        (GOOD.replace(b"@read_1", b"@ read_1"), "record 2: has no name"),
        (b">a\nACGT\n>b\nAC!T\n", "record 2: b has as base 3 a character, which is not"),
        (b">\nACGT\n", "record 1: has no name"),
        (b"sample,fastq_1\n", "is neither FASTQ nor FASTA nor BAM"),
        (b"PK\3\4", "is neither FASTQ nor FASTA nor BAM"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_record(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"lane1.fq, .*{complaint}|lane1.fq: {complaint}"):
        list(read_file(path, "lane1.fq"))


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lane1.fq: there is no such file"):
        list(read_file(tmp_path / "none", "lane1.fq"))
    with pytest.raises(InputError, match=r"lane1.fq: cannot be read"):
        list(read_file(tmp_path, "lane1.fq"))


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0), b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_reads(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    (found,) = read_file(path, "x")
    assert len(found) == 0 and form(path) == "fastq"


@pytest.mark.skipif(not READS.exists(), reason=f"needs the reads in {READS}")
def test_real_bam() -> None:
    found = read(READS / "viral-ngs/G5012.3.testreads.bam")
    assert len(found) == 2 * 9355 and set(found.lengths) == {101}
    assert found.name(0) == found.name(1) == "HAVA0ADXX:1:1101:10627:67264"
    with pytest.raises(InputError, match=r"broken.bam, first record: the file is truncated or damaged"):
        read(READS / "viral-ngs/broken.bam")


@pytest.mark.skipif(not READS.exists(), reason=f"needs the reads in {READS}")
def test_bam_that_was_cut_between_two_blocks(tmp_path: Path) -> None:
    path = tmp_path / "cut.bam"
    path.write_bytes((READS / "viral-ngs/almost-empty.bam").read_bytes()[:-28])
    with pytest.raises(InputError, match=r"cut.bam, first record: .* lacks the mark at the end"):
        read(path)
