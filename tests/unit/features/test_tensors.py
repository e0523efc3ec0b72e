"""Row-wise tensors: any rows, from any cut into shards, as they were written."""

import json
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from virshort.errors import InputError
from virshort.features.tensors import ROWS, Features, join, read_tensors, spread, write_tensors
from virshort.features.window_features import WindowFeatures
from virshort.windows.shards import write_shard

FILES = {"x-dna": "dna", "x-protein": "protein"}
"""The modality of each encoder, which writes a file of its own."""


def header(encoder: str, windows_digest: str) -> dict[str, str]:
    made_by = {"modality": FILES[encoder], "encoder": encoder, "weights": "", "pooling": ""}
    return {"windows_digest": windows_digest, "encoders": json.dumps([made_by])}


def write(folder, number: int, first: int, rows: int) -> None:
    """A shard of rows first .. first + rows - 1, whose features hold their own row numbers."""
    numbers = np.arange(first, first + rows)
    table = pa.table(
        {
            "window": [f"w{i}" for i in numbers],
            "label": (numbers % 2).astype(np.int8),
            "gc": numbers / 1000.0,
            "length": numbers + 150,
            "cluster": [f"c{i % 7}" for i in numbers],
        }
    )
    made = write_shard(folder, number, [b"ACGT"] * rows, table)
    name = f"test.short.shard_{number:05d}"
    (folder / f"shard_{number:05d}.windows.parquet").rename(folder / f"{name}.windows.parquet")
    rows = {"dna": np.outer(numbers, [1, 2]).astype(np.float32), "protein": numbers[:, None].astype(np.float32) * 3}
    for encoder, modality in FILES.items():
        write_tensors(folder / f"{name}.{encoder}.safetensors", {modality: rows[modality]}, header(encoder, made))


@pytest.fixture(scope="module")
def cuts(tmp_path_factory):
    """The same 100 rows in shards of 100, 30 and 7."""
    sets = []
    for size in (100, 30, 7):
        folder = tmp_path_factory.mktemp(f"of_{size}")
        for number, first in enumerate(range(0, 100, size)):
            write(folder, number, first, min(size, 100 - first))
        sets.append(WindowFeatures(folder, ["test/short"]))
    return sets


@settings(max_examples=50)
@given(rows=st.lists(st.integers(0, 99), max_size=40))
def test_any_rows_in_any_order_whatever_the_shards(cuts, rows):
    expected = np.array([[i, 2 * i, 3 * i, i / 1000] for i in rows]).reshape(-1, 4)
    length = np.log(np.array(rows) / 150 + 1) / np.log(20) * 2 - 1  # -1 at 150 bp, 1 at 3000 bp
    for windows in cuts:
        assert windows.inputs(["dna", "protein", "gc"]) == 4 and windows.inputs(["length"]) == 1
        np.testing.assert_allclose(windows.rows(np.array(rows, int), ["dna", "protein", "gc"]), expected, rtol=1e-6)
        found = windows.rows(np.array(rows, int), ["protein", "length"])
        np.testing.assert_allclose(found, np.column_stack([expected[:, 2], length]), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(windows.rows(np.array(rows, int), ["protein"]), expected[:, 2:3], rtol=1e-6)


def test_columns_do_not_depend_on_the_shards(cuts):
    for windows in cuts:
        assert len(windows) == 100
        assert windows.column("label").tolist() == [i % 2 for i in range(100)]
        codes, names = windows.codes("cluster")
        assert [names[c] for c in codes] == [f"c{i % 7}" for i in range(100)] and names == sorted(names)
        assert [t.num_rows for t in windows.tables(["window"], 33)] == [33, 33, 33, 1]
        assert [w for t in windows.tables(["window"], 33) for w in t["window"].to_pylist()] == [f"w{i}" for i in range(100)]


def test_more_shards_than_files_that_may_be_open(tmp_path, monkeypatch):
    """A user's limit is often 1,024, and can be raised to the machine's."""
    for number in range(40):
        write(tmp_path, number, 2 * number, 2)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = len(list(Path("/proc/self/fd").iterdir())) + 20
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard))
        assert len(WindowFeatures(tmp_path, ["test/short"])) == 80
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard))
        monkeypatch.setattr("virshort.features.tensors._hold_many_open", lambda: None)
        with pytest.raises(InputError, match=rf"more shards than files that a process may hold open \({few}\): raise"):
            WindowFeatures(tmp_path, ["test/short"])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_features_of_other_windows_are_refused(tmp_path):
    write(tmp_path, 0, 0, 5)
    write(tmp_path, 1, 5, 5)
    name = "test.short.shard_0000{}.windows.parquet"
    (tmp_path / name.format(1)).rename(tmp_path / name.format(0))
    write(tmp_path, 1, 5, 5)
    with pytest.raises(InputError, match=r"shard_00000\.x-dna\.safetensors: of windows other than those that .*00000\.windows"):
        WindowFeatures(tmp_path, ["test/short"])
    with pytest.raises(InputError, match="train/short: no shards found"):
        WindowFeatures(tmp_path, ["train/short"])


def test_features_that_do_not_belong_together_are_named(tmp_path):
    """Of one shard: other frames, and other numbers of rows. Of two shards: encoders that one of them lacks."""
    write(tmp_path, 0, 0, 3)
    path = tmp_path / "test.short.shard_00000.x-protein.safetensors"
    tensors, found = read_tensors(path)
    for rows in ([[0, 6], [1, 6], [2, 6]], [[0, 6], [1, 6], [2, 5]]):
        with pytest.raises(InputError, match=r"x-dna\.safetensors, .*x-protein\.safetensors: their rows are of different"):
            write_tensors(path, tensors | {ROWS: np.array(rows, np.int32)}, found)
            WindowFeatures(tmp_path, ["test/short"])
    write_tensors(path, {"protein": tensors["protein"][:2]}, found)
    with pytest.raises(InputError, match="their rows are of different windows or frames"):
        WindowFeatures(tmp_path, ["test/short"])
    write_tensors(path, tensors, found)
    write(tmp_path, 1, 3, 3)
    (tmp_path / "test.short.shard_00001.x-dna.safetensors").unlink()
    with pytest.raises(InputError, match=r"shard_00001\.windows\.parquet: its features are of encoders other than those"):
        WindowFeatures(tmp_path, ["test/short"])
    (tmp_path / "test.short.shard_00001.x-protein.safetensors").unlink()
    with pytest.raises(InputError, match=r"shard_00001\.windows\.parquet: there are no features of its windows"):
        WindowFeatures(tmp_path, ["test/short"])


def test_a_damaged_manifest_is_named(tmp_path):
    """In a column that is read. (tests/unit/windows/test_shards.py shows that any flipped bit is found.)"""
    write(tmp_path, 0, 0, 300)
    path = tmp_path / "test.short.shard_00000.windows.parquet"
    raw = path.read_bytes()
    middle = raw.index(b"c6")  # of the texts of the column cluster
    path.write_bytes(raw[:middle] + b"d" + raw[middle + 1 :])
    windows = WindowFeatures(tmp_path, ["test/short"])
    with pytest.raises(InputError, match=r"test\.short\.shard_00000\.windows\.parquet: damaged"):
        windows.codes("cluster")


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
    for read in (read_tensors, lambda path: Features([[path]])):
        with pytest.raises(InputError, match=r"x\.safetensors: damaged"):
            read(path)


@settings(max_examples=300)
@given(data=st.data())
def test_a_bit_that_flips_is_found(some_rows, data):
    """However the file is read. Only the blanks that fill up the header to a round length tell nothing."""
    path, rows = some_rows
    raw = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    damaged = path.with_name("damaged.safetensors")
    damaged.write_bytes(raw)
    for read in (lambda: read_tensors(damaged)[0]["dna"], lambda: Features([[damaged]]).rows(np.arange(len(rows)), ["dna"])):
        try:
            found = read()
        except InputError as e:
            assert str(e).startswith("damaged.safetensors: damaged")
        else:
            np.testing.assert_array_equal(found, rows)
            assert path.read_bytes()[bit // 8] in b" "


@pytest.fixture(scope="module")
def some_rows(tmp_path_factory):
    path, rows = tmp_path_factory.mktemp("rows") / "x.safetensors", np.random.default_rng(0).random((9, 5), np.float32)
    write_tensors(path, {"dna": rows}, {"a": "b"})
    return path, rows


def frames(folder, tables: list[list[list[int]]]) -> WindowFeatures:
    """A shard a table, of [window, frame] a row; features hold 100 times the window's number in the set, plus the frame."""
    first = 0
    for number, table in enumerate(tables):
        rows = np.array(table, np.int32)
        windows = int(rows[:, 0].max()) + 1
        write(folder, number, first, windows)
        values = (100 * (rows[:, :1] + first) + rows[:, 1:]).astype(np.float32)
        for encoder, modality in FILES.items():
            path = folder / f"test.short.shard_{number:05d}.{encoder}.safetensors"
            _, found = read_tensors(path)
            write_tensors(path, {modality: values, ROWS: rows}, found)
        first += windows
    return WindowFeatures(folder, ["test/short"])


def test_windows_with_several_rows(tmp_path):
    found = frames(tmp_path, [[[0, 1], [0, 4], [1, 6], [2, 0], [2, 2], [2, 5]], [[0, 6], [1, 3], [1, 4]]])
    assert len(found) == 5 and found.frame_rows == {"rows": 9, "windows_without_stop_free_frame": 2}
    rows, first = found.rows_of(np.array([4, 1, 2]))
    assert rows.tolist() == [7, 8, 2, 3, 4, 5] and first.tolist() == [0, 2, 3]
    values = found.rows(rows, ["dna", "gc"])
    assert values[:, 0].tolist() == [403, 404, 106, 200, 202, 205]
    np.testing.assert_allclose(values[:, 1], [0.004, 0.004, 0.001, 0.002, 0.002, 0.002])
    assert join(values[:, 0], first).tolist() == [404, 106, 205]
    assert spread(np.array([7, 8, 9]), first, len(rows)).tolist() == [7, 7, 8, 9, 9, 9]


@pytest.mark.parametrize("table", [[[0, 1], [2, 1]], [[1, 1], [0, 1]], [[0, 1], [1, 1], [0, 2]]])
def test_rows_that_are_not_in_the_order_of_the_windows_are_refused(tmp_path, table):
    with pytest.raises(InputError, match=r"shard_00000.x-dna.safetensors: its \d rows are not those of \d windows"):
        frames(tmp_path, [table])


def test_features_of_no_rows(cuts):
    assert cuts[0].rows(np.array([], int), ["dna"]).shape == (0, 2)
    assert isinstance(cuts[0].features, Features)
