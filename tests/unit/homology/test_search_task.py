"""The task that searches a shard: what it writes and what it refuses."""

import json
import sys

import numpy as np
import pyarrow as pa
import pytest

import search
from planted_relatives import gene, protein
from virshort.errors import InputError
from virshort.features.tensors import ROWS, read_tensors
from virshort.homology.searching import search as search_windows
from virshort.windows.shards import write_shard


@pytest.fixture
def task(tmp_path, monkeypatch, databases):
    """bin/search.py on three windows, one of them with relatives in two folds. Returns its output, and what it was made of."""
    rng = np.random.default_rng(5)
    relative, other = protein(rng, 50), protein(rng, 50)
    windows, fold = [gene(relative), gene(other), b"A" * 40], np.array([0, 1, 2], np.int8)
    searched = databases([(gene(relative), 1, 1), (gene(relative[:40] + other[:20]), 2, 0)])
    manifest = pa.table({"window": ["a", "b", "c"], "fold": fold})
    write_shard(tmp_path, 0, windows, manifest)

    def run(*options):
        out = tmp_path / "out.safetensors"
        given = {"shard": "shard_00000.fa.gz", "manifest": "shard_00000.windows.parquet", "databases": "databases"}
        arguments = [text for name, file in given.items() for text in (f"--{name}", str(tmp_path / file))]
        monkeypatch.setattr(sys, "argv", ["search.py", *arguments, "--out", str(out), *options])
        search.main()
        return out

    expected = search_windows(windows, fold, searched.folder, searched.databases, 3, 1, (5, 2, 1), 1, lambda _: None).scores
    return run, expected, tmp_path


def test_the_rows_are_the_matches_by_fold_and_label(task):
    run, expected, _ = task
    tensors, header = read_tensors(run())
    assert set(tensors) == {"homology"}
    assert tensors["homology"].dtype == np.float16 and tensors["homology"].shape == (3, 12)
    assert np.array_equal(tensors["homology"], expected.reshape(3, 12).astype(np.float16))
    (made_by,) = json.loads(header["encoders"])
    assert (made_by["modality"], made_by["encoder"]) == ("homology", "homology") and "fold, label" in header["layout"]
    # The first window matches the viral relative in fold 1 and the nonviral one in fold 2; nothing else is there.
    assert (expected[0, [1, 2], [1, 0], 0] > 50).all() and expected[0, :, :, 1].sum() == 2


def test_each_frame_of_a_window_has_the_matches_of_the_window(task):
    run, expected, _ = task
    tensors, _ = read_tensors(run("--frames", "all"))
    window = tensors[ROWS][:, 0]
    assert len(window) > 3
    assert np.array_equal(tensors["homology"], expected.reshape(3, 12)[window].astype(np.float16))


def test_a_manifest_of_other_windows_is_refused(task):
    run, _, folder = task
    (folder / "other").mkdir()
    write_shard(folder / "other", 0, [b"ACGT"] * 3, pa.table({"window": ["a", "b", "c"], "fold": np.zeros(3, np.int8)}))
    with pytest.raises(InputError, match=r"lists windows other than those of shard_00000.fa.gz"):
        run("--manifest", str(folder / "other" / "shard_00000.windows.parquet"))


def test_a_list_of_databases_that_cannot_be_read_is_named(task):
    run, _, folder = task
    (folder / "databases" / "databases.json").write_text("{")
    with pytest.raises(InputError, match=r"databases.json: damaged or truncated"):
        run()
