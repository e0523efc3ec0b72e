"""Records and their names are cut, chosen and written byte for byte."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from virshort.calls.gzip_members import SIZE, gzip_writer
from virshort.calls.records import RecordReader, content, first_words, names, without_tabs
from virshort.errors import InputError
from virshort.reads import chunks

NAME = st.binary(max_size=40).map(lambda b: b"n" + bytes(c for c in b if c not in b"\r\n"))


def fastq(names: list[bytes], end: bytes = b"\n") -> list[bytes]:
    """Records whose qualities begin with the mark of a record, as they may."""
    return [b"@" + name + end + b"ACGT" * 5 + end + b"+" + end + b"@III" * 5 + end for name in names]


def packed(path: Path, parts: list[bytes]) -> RecordReader:
    path.write_bytes(gzip.compress(b"".join(parts)))
    return RecordReader(path)


@given(st.lists(NAME, max_size=20), st.sampled_from([b"\n", b"\r\n"]), st.integers(1, 7), st.integers(40, 400))
def test_records_and_names_survive_any_name(
    tmp_path_factory: pytest.TempPathFactory, given_names: list[bytes], end: bytes, step: int, block: int
) -> None:
    parts = fastq(given_names, end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "BLOCK", block)
        reader = packed(tmp_path_factory.mktemp("r") / "a.fastq.gz", parts)
        done: list[bytes] = []
        found: list[bytes] = []
        for start in range(0, len(parts), step):
            taken = reader.take(min(step, len(parts) - start))
            done += taken.to_pylist()
            found += names(taken).to_pylist()
        reader.finish()
    assert done == parts and found == given_names


def test_fasta_records_may_have_many_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "BLOCK", 7)
    parts = [b">a one\nACGT\nAC\n", b">b\nAC\n", b">c\n\nTTTTTTTTTTTTTTTTTTTT"]
    taken = packed(tmp_path / "a.fasta.gz", parts).take(3)
    assert taken.to_pylist() == [*parts[:2], parts[2] + b"\n"]
    assert names(taken).to_pylist() == [b"a one", b"b", b"c"]


def test_chosen_records_are_contiguous_bytes(tmp_path: Path) -> None:
    parts = fastq([b"a", b"b", b"c", b"d"])
    taken = packed(tmp_path / "a.fastq.gz", parts).take(4).slice(1)
    assert bytes(content(taken.filter(pa.array([True, False, True])))) == parts[1] + parts[3]
    assert bytes(content(taken.filter(pa.array([False] * 3)))) == b""


def test_words_end_at_spaces_or_tabs() -> None:
    lines = pa.array([b"a b\tc", b"", b"ab", b" a", b"\xff\xfe x"], pa.large_binary())
    assert first_words(lines).to_pylist() == [b"a", b"", b"ab", b"", b"\xff\xfe"]
    assert first_words(lines.slice(2)).to_pylist() == [b"ab", b"", b"\xff\xfe"]
    assert without_tabs(lines).to_pylist() == [b"a b", b"", b"ab", b" a", b"\xff\xfe x"]


def test_records_and_scores_must_be_as_many(tmp_path: Path) -> None:
    reader = packed(tmp_path / "a.fastq.gz", fastq([b"a", b"b"]))
    reader.take(1)
    with pytest.raises(InputError, match=r"a\.fastq\.gz.*more records"):
        reader.finish()
    with pytest.raises(InputError, match=r"a\.fastq\.gz.*ends 1 records before"):
        reader.take(2)


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq.gz"
    path.write_bytes(gzip.compress(b"".join(fastq([b"a"] * 50)))[:-12])
    with pytest.raises(InputError, match=r"a\.fastq\.gz"):
        RecordReader(path).take(50)


@pytest.mark.parametrize("portion", [1000, SIZE, 3 * SIZE + 5])
def test_gzip_depends_only_on_what_is_written(tmp_path: Path, portion: int) -> None:
    data = np.random.default_rng(0).integers(65, 70, 2 * SIZE + 777, np.uint8).tobytes()
    with gzip_writer(tmp_path / "whole.gz", 1) as writer:
        writer.write(data)
    with gzip_writer(tmp_path / "parts.gz", 3) as writer:
        for start in range(0, len(data), portion):
            writer.write(data[start : start + portion])
    assert (tmp_path / "parts.gz").read_bytes() == (tmp_path / "whole.gz").read_bytes()
    assert gzip.decompress((tmp_path / "whole.gz").read_bytes()) == data


def test_an_empty_gzip_file_is_gzip(tmp_path: Path) -> None:
    with gzip_writer(tmp_path / "a.gz", 1):
        pass
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b""
