"""Row-wise tensors: any rows, from any cut into shards, as they were written."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virshort.errors import InputError
from virshort.features import Features, read_tensors, write_tensors
from virshort.shards import write_shard
from virshort.window_sets import WindowSet

ENCODERS = json.dumps([{"modality": "dna", "encoder": "x", "weights": "", "pooling": ""}])


def write(folder, number: int, first: int, rows: int, digest: str | None = None) -> None:
    """A shard of rows first .. first + rows - 1, whose features hold their own row numbers."""
    numbers = np.arange(first, first + rows)
    table = pa.table({"window": [f"w{i}" for i in numbers], "label": (numbers % 2).astype(np.int8), "gc": numbers / 1000.0,
                      "cluster": [f"c{i % 7}" for i in numbers]})
    made = write_shard(folder, number, [b"ACGT"] * rows, table)
    name = f"test.short.shard_{number:05d}"
    (folder / f"shard_{number:05d}.windows.parquet").rename(folder / f"{name}.windows.parquet")
    write_tensors(folder / f"{name}.features.safetensors",
                  {"dna": np.outer(numbers, [1, 2]).astype(np.float32), "protein": numbers[:, None].astype(np.float32) * 3},
                  {"windows_digest": digest or made, "encoders": ENCODERS})


@pytest.fixture(scope="module")
def cuts(tmp_path_factory):
    """The same 100 rows in shards of 100, 30 and 7."""
    sets = []
    for size in (100, 30, 7):
        folder = tmp_path_factory.mktemp(f"of_{size}")
        for number, first in enumerate(range(0, 100, size)):
            write(folder, number, first, min(size, 100 - first))
        sets.append(WindowSet(folder, ["test/short"]))
    return sets


@settings(max_examples=50)
@given(rows=st.lists(st.integers(0, 99), max_size=40))
def test_any_rows_in_any_order_whatever_the_shards(cuts, rows):
    expected = np.array([[i, 2 * i, 3 * i, i / 1000] for i in rows]).reshape(-1, 4)
    for windows in cuts:
        assert windows.inputs(["dna", "protein", "gc"]) == 4
        np.testing.assert_allclose(windows.rows(np.array(rows, int), ["dna", "protein", "gc"]), expected, rtol=1e-6)
        np.testing.assert_allclose(windows.rows(np.array(rows, int), ["protein"]), expected[:, 2:3], rtol=1e-6)


def test_columns_do_not_depend_on_the_shards(cuts):
    for windows in cuts:
        assert len(windows) == 100
        assert windows.column("label").tolist() == [i % 2 for i in range(100)]
        codes, names = windows.codes("cluster")
        assert [names[c] for c in codes] == [f"c{i % 7}" for i in range(100)] and names == sorted(names)
        assert [t.num_rows for t in windows.tables(["window"], 33)] == [33, 33, 33, 1]
        assert [w for t in windows.tables(["window"], 33) for w in t["window"].to_pylist()] == [f"w{i}" for i in range(100)]


def test_features_of_other_windows_are_refused(tmp_path):
    write(tmp_path, 0, 0, 5, digest="0" * 64)
    with pytest.raises(InputError, match=r"test\.short\.shard_00000\.features\.safetensors: follows other windows"):
        WindowSet(tmp_path, ["test/short"])
    with pytest.raises(InputError, match="train/short: no shards found"):
        WindowSet(tmp_path, ["train/short"])


def test_a_number_that_is_not_finite_is_refused_by_row(tmp_path):
    rows = np.ones((3, 2), np.float32)
    rows[1, 1] = np.nan
    with pytest.raises(InputError, match="embeddings of row 1"):
        write_tensors(tmp_path / "x.safetensors", {"embeddings": rows}, {})
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "x.safetensors"
    write_tensors(path, {"embeddings": np.ones((3, 2), np.float16)}, {"a": "b"})
    tensors, header = read_tensors(path)
    assert tensors["embeddings"].shape == (3, 2) and header == {"a": "b"}
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"x\.safetensors: damaged"):
        read_tensors(path)


def test_features_of_no_rows(cuts):
    assert cuts[0].rows(np.array([], int), ["dna"]).shape == (0, 2)
    assert isinstance(cuts[0].features, Features)
