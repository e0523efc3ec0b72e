"""Predictions that are not those of the test set are refused."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthetic_results import Arm, write_results
from virshort.errors import InputError
from virshort.inference.cluster_counts import MAX_UNITS, make_test_clusters, read_arm_counts, read_test_clusters


def predictions(folder: Path, windows: int, arm: str = "baseline", **options: int) -> Path:
    write_results(folder, [Arm(arm)], {"short": windows}, folds=2, replicates=2, **options)
    return folder / "evaluation" / arm / "short" / "predictions.parquet"


def change(path: Path, column: str, row: int, value: float) -> None:
    table = pq.read_table(path)
    values = table[column].to_numpy().copy()
    values[row] = value
    pq.write_table(table.set_column(table.column_names.index(column), column, pa.array(values)), path)


def test_counts_are_those_of_the_rows(tmp_path: Path) -> None:
    path = predictions(tmp_path, 600, clusters=20, mixed=4)
    rows = pq.read_table(path).to_pylist()
    test = read_test_clusters(path)
    counts = read_arm_counts(path, test)
    for g, name in enumerate(test.names):
        for label in (0, 1):
            mine = [r for r in rows if r["cluster"] == name and r["label"] == label]
            assert test.windows[label, g] == len(mine) / 2
            assert counts.called[:, label, g].tolist() == [sum(r["call"] for r in mine if r["replicate"] == s) for s in (0, 1)]
    assert test.with_both_labels == 4


def test_another_test_set_is_refused(tmp_path: Path) -> None:
    test = read_test_clusters(predictions(tmp_path / "a", 600))
    with pytest.raises(InputError, match="must be evaluated on the same windows"):
        read_arm_counts(predictions(tmp_path / "b", 700), test)


def test_a_score_that_is_no_number_is_named(tmp_path: Path) -> None:
    path = predictions(tmp_path, 300)
    change(path, "log_odds", 7, np.nan)
    with pytest.raises(InputError, match="window 7: its score is not a finite number"):
        read_arm_counts(path, read_test_clusters(path))


def test_a_cluster_in_two_folds_is_named(tmp_path: Path) -> None:
    path = predictions(tmp_path, 300)
    change(path, "fold", 0, 1 - pq.read_table(path)["fold"][0].as_py())
    with pytest.raises(InputError, match=r"cluster 'cluster_\d+' is in folds"):
        read_test_clusters(path)


@pytest.mark.parametrize("content", [b"", b"not Parquet at all"])
def test_a_damaged_file_is_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_test_clusters(path)


def test_many_clusters_share_resampling_units() -> None:
    count = 3 * MAX_UNITS
    windows = np.stack([np.arange(count) % 2, 1 - np.arange(count) % 2])
    test = make_test_clusters([str(i) for i in range(count)], np.arange(count) % 5, list(range(5)), windows)
    assert test.units <= MAX_UNITS and sorted(np.concatenate(test.strata)) == list(range(test.units))
    for y, units in enumerate(test.strata):
        assert np.isin(test.unit[windows[y] > 0], units).all()
