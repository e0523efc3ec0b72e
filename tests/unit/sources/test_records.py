"""Reading FASTA and FASTQ: every valid header and sequence is read, and everything else is named."""

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from virshort.errors import InputError
from virshort.sources.records import CANONICAL, canonical, read_records

wild = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Ids: anything that prints and is no white space, in any script; '>' and '@' too.
ids = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
bases = st.text("ACGTUNRYSWKMBDHVacgtunryswkmbdhvXx", max_size=200)
rests = st.sampled_from(["", " a description", "\ttab > @ +"])
records = st.lists(st.tuples(ids, rests, bases), min_size=1, max_size=6)


def read(path: Path, content: bytes) -> list[tuple[str, bytes]]:
    path.write_bytes(content)
    return list(read_records(path, "given.fa"))


def expected(entries: list[tuple[str, str, str]]) -> list[tuple[str, bytes]]:
    return [(name, sequence.upper().replace("U", "T").replace("X", "N").encode()) for name, _, sequence in entries]


@wild
@given(records, st.integers(1, 80), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.booleans())
def test_fasta_comes_back(tmp_path, entries, width, end, blank, bom, pack):
    text = ""
    for name, rest, sequence in entries:
        lines = [f">{name}{rest}", *(sequence[i : i + width] for i in range(0, len(sequence), width)), *[""] * blank]
        text += "".join(line + end for line in lines)
    content = (b"\xef\xbb\xbf" if bom else b"") + (end * blank + text).encode()
    assert read(tmp_path / "x", gzip.compress(content) if pack else content) == expected(entries)


@wild
@given(records, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_fastq_comes_back(tmp_path, entries, end, pack, last):
    text = (
        end.join(line for name, rest, sequence in entries for line in (f"@{name}{rest}", sequence, "+", "@" * len(sequence)))
        + end * last
    )
    if not last and not entries[-1][2]:
        text += end
    assert read(tmp_path / "x", gzip.compress(text.encode()) if pack else text.encode()) == expected(entries)


@wild
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path, content):
    try:
        found = read(tmp_path / "x", content)
    except InputError as e:
        assert "given.fa" in str(e)
    else:
        assert found and all(name for name, _ in found)


def test_no_line_end_at_the_end(tmp_path):
    assert read(tmp_path / "x", b">a\nAC\n>b\nGT") == [("a", b"AC"), ("b", b"GT")]


def test_bzip2_too(tmp_path):
    assert read(tmp_path / "x", bz2.compress(b">a\nAC\n")) == [("a", b"AC")]


@pytest.mark.parametrize("name", ["plain.fa.gz", "plain.bz2", "plain.xz"])
def test_the_content_decides_on_the_compression_not_the_name(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b">a\nAC\n")
    assert list(read_records(path, name)) == [("a", b"AC")]
    path.write_bytes(lzma.compress(b">a\nAC\n"))
    assert list(read_records(path, name)) == [("a", b"AC")]


def test_letters():
    assert canonical(b"acgtu NX\r\nry", "") == b"ACGTTNNRY"
    assert sum(letter != ord("-") for letter in CANONICAL) == 2 * len("ACGTUNXRYSWKMBDHV")


GOOD = b">first one\nACGT\n"
FASTQ = b"@r1\nACGT\n+\nIIII\n@r2\nACGTA\n+\nIIIII\n"
REFUSED = {
    "protein": (GOOD + b">p1\nMKLEFW\n", ["record p1", "protein (it has the letters E, F, L)"]),
    "gaps": (GOOD + b">aligned\nAC--GT.A\n", ["record aligned", "gaps (-.)"]),
    "a digit": (GOOD + b">n\n1 ACGT\n", ["record n", "'1'"]),
    "not ASCII": (GOOD + ">n\nACGÄ\n".encode(), ["record n", "not an IUPAC base"]),
    "a > within a line": (
        GOOD + b">v2\nACGT\nACGT>v3 a description\nACGT\n",
        ["record v2, line 5", "'>' is in the middle of a line", "insert a line break"],
    ),
    "a comment": (
        b"\n" + GOOD + b">v2\r\nACGT\r\n; Excellent Fellows\r\nACGT\r\n",
        ["record v2, line 6", "begins with ';'", "remove the line"],
    ),
    "a ; within a line": (GOOD + b">v2\nAC;GT\n", ["record v2, line 4", "a ';' is within the sequence"]),
    "a byte order mark inside": (GOOD + b"\xef\xbb\xbf>v2\nACGT\n", ["record first, line 3", "byte order mark"]),
    "gzip after plain text": (
        GOOD + gzip.compress(b">v2\nACGT\n", mtime=0),
        ["record first, line 3", "binary data", "decompress files"],
    ),
    "FASTQ with a >": (b"@r1\nAC>T\n+\nIIII\n", ["record r1:", "'>' is in the middle of a line"]),
    "no id": (GOOD + b">\nACGT\n", ["record 2", "no id"]),
    "blank id": (GOOD + b">  \t\nACGT\n", ["record 2", "no id"]),
    "control character": (GOOD + b">a\x1bb\nACGT\n", ["record 2", "'a\\x1bb'"]),
    "Latin-1": (GOOD + b">caf\xe9\nACGT\n", ["after record first (number 1)", "not UTF-8"]),
    "old Mac": (b">a\rACGT\r>b\rACGT\r", ["record 1", "CR only"]),
    "not FASTA": (b"hello world\n", ["neither FASTA nor FASTQ", "b'h'"]),
    "empty": (b"", ["the file has no record"]),
    "blank": (b"\n \r\n", ["the file has no record"]),
    "FASTQ cut in qualities": (FASTQ[:-3], ["after record r1 (number 1)", "truncated FASTQ"]),
    "FASTQ cut in bases": (FASTQ[:-10], ["after record r1 (number 1)", "truncated FASTQ"]),
    "FASTQ cut in a header": (FASTQ[:19], ["after record r1 (number 1)", "truncated FASTQ"]),
    "FASTQ protein": (b"@r1\nMKLE\n+\nIIII\n", ["record r1", "protein"]),
    "gzip cut short": (gzip.compress(GOOD * 99, mtime=0)[:-12], ["truncated or damaged"]),
    "gzip damaged": (gzip.compress(GOOD, mtime=0)[:-6] + b"\0\0\0\0\0\0", ["truncated or damaged"]),
    "gzip without content": (b"\x1f\x8b", ["truncated or damaged"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_file_and_record(tmp_path, name):
    content, words = REFUSED[name]
    with pytest.raises(InputError) as e:
        read(tmp_path / "x", content)
    assert all(word in str(e.value) for word in ["given.fa", *words]), str(e.value)


@wild
@given(
    st.lists(st.lists(st.text("ACGTN", min_size=2, max_size=9), min_size=1, max_size=4), min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(0, 3),
    st.sampled_from([">", ";", "\ufeff", "\x1f", ">v9 protein EFILPQ", "; EFILPQ"]),
    st.data(),
)
def test_text_within_a_sequence_is_named_with_its_line(tmp_path, sequences, end, blank, text, data):
    lines = [""] * blank
    for i, sequence in enumerate(sequences):
        lines += [f">v{i}", *sequence]
    at = data.draw(st.sampled_from([i for i, line in enumerate(lines) if line and line[0] != ">"]))
    lines[at] = lines[at][:1] + text + lines[at][1:]
    with pytest.raises(InputError, match=rf"given\.fa, record v\d, line {at + 1}: ") as e:
        read(tmp_path / "x", "".join(line + end for line in lines).encode())
    assert "protein" not in str(e.value)


def test_missing_or_a_folder(tmp_path):
    for path, word in ((tmp_path / "none.fa", "no such file"), (tmp_path, "cannot be read")):
        with pytest.raises(InputError, match=f"given.fa: .*{word}"):
            list(read_records(path, "given.fa"))


def test_damaged_gzip_is_never_read_as_if_complete(tmp_path):
    content = gzip.compress(b"".join(b">s%d\n" % i + b"ACGTTGCA" * 30 + b"\n" for i in range(500)), mtime=0)
    for at in range(20, len(content) - 8, 97):
        with pytest.raises(InputError, match=r"given\.fa"):
            read(tmp_path / "x", content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
