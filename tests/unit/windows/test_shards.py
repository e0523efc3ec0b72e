"""Shards: sequences on their strand, and files that come back as they were or are found to be damaged."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from Bio.Seq import reverse_complement
from hypothesis import given, settings
from hypothesis import strategies as st

from virshort.errors import InputError
from virshort.manifest_files import read_manifest
from virshort.windows.shards import extract, read_shard, write_shard


def test_extract_reads_each_strand_5_to_3():
    text = "ACGTTGCANNRYACGTAC"
    bases = np.frombuffer(text.encode(), np.uint8)
    start, end = np.array([0, 3, 8]), np.array([5, 12, 8 + 6])
    sequences, gc = extract(bases, start, end, np.array([False, True, True]))
    assert [s.decode() for s in sequences] == [text[0:5], reverse_complement(text[3:12]), reverse_complement(text[8:14])]
    np.testing.assert_allclose(gc, [2 / 5, 2 / 5, 1 / 2])


def test_a_shard_is_read_as_it_was_written_and_damage_is_found(tmp_path):
    table = pa.table({"window": ["ä|1/x:1-4(+)", "b:2-6(-)"]})
    digest = write_shard(tmp_path, 0, [b"ACGT", b"NACGT"], table)
    path = tmp_path / "shard_00000.fa.gz"
    shard = read_shard(path)
    assert (shard.ids, shard.sequences, shard.digest) == (["ä|1/x:1-4(+)", "b:2-6(-)"], [b"ACGT", b"NACGT"], digest)
    assert read_manifest(tmp_path / "shard_00000.windows.parquet") == (table, digest)
    raw = path.read_bytes()
    for damaged in (raw[:-5], raw[:20] + bytes([raw[20] ^ 1]) + raw[21:], b"no gzip"):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"shard_00000\.fa\.gz"):
            read_shard(path)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"x\.parquet: damaged"):
        read_manifest(tmp_path / "x.parquet")
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"x\.parquet: damaged or truncated \(its columns"):
        read_manifest(tmp_path / "x.parquet")


@settings(max_examples=400)
@given(data=st.data())
def test_a_flipped_bit_in_a_manifest_is_found_or_changes_nothing(a_manifest, data):
    """A flipped bit in the digest of the windows is found by those who read features, because these carry another digest."""
    path, table, digest = a_manifest
    raw = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    damaged = path.with_name("damaged.parquet")
    damaged.write_bytes(raw)
    try:
        found = read_manifest(damaged)
    except InputError as e:
        assert str(e).startswith("damaged.parquet: damaged")
    else:
        assert found == (table, digest) or found[1] != digest


@pytest.fixture(scope="module")
def a_manifest(tmp_path_factory):
    folder, rows = tmp_path_factory.mktemp("manifest"), np.arange(300)
    table = pa.table(
        {
            "window": [f"w{i}" for i in rows],
            "label": (rows % 2).astype(np.int8),
            "start": rows,
            "gc": (rows / 300).astype(np.float32),
            "cluster": [f"c{i % 7}" for i in rows],
            "kingdom": [None, "a", "b"] * 100,
        }
    )
    digest = write_shard(folder, 0, [b"ACGT"] * 300, table)
    return folder / "shard_00000.windows.parquet", table, digest
