"""A results folder with files of two runs is refused."""

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compared import compared
from synthetic_results import Arm, write_results
from virshort.errors import InputError
from virshort.report.agreement import check_agreement
from virshort.report.inputs import read_inputs

COMPARISON = {
    "seed": 42,
    "window_length": 150,
    "arms": [
        {"arm": "finetune", "test_set": "short", "windows": 600},
        {"arm": "gc", "test_set": "full", "windows": 90},
        {"arm": "gc", "test_set": "mate", "windows": 40},
        {"arm": "gc", "test_set": "pair", "windows": 40},
    ],
}
WINDOWS = {
    ("train", "short"): {"windows": 900, "shards": 1},
    ("test", "short"): {"windows": 600, "shards": 1},
    ("test", "full"): {"windows": 90, "shards": 1},
    # Mates of 40 fragments in the tested folds, and of 20 in the fold that only validates
    ("test", "pair"): {"windows": 120, "shards": 1, "counts": [{"fold": f, "windows": 20} for f in (0, 1, 2) for _ in "ab"]},
}
FACTS: dict[str, Any] = {
    "window_sets": {
        "train": {"short": {"pools": ["train/short"]}},
        "test": {"short": {"pools": ["test/short"]}, "full": {"pools": ["test/full"]}, "pair": {"pools": ["test/pair"]}},
        "folds": 3,
        "test_folds": [0, 1],
    },
    "folds": {"folds": 3, "test_folds": [0, 1], "table": [{"sources": 4}, {"sources": 20}]},
    "clusters": {"sources": 24},
    "input": {"records": 24},
}
PARAMETERS = {"seed": 42, "window_length": 150}


def check(folder: Path, **changed: Any) -> None:
    given = {"comparison": COMPARISON, "windows": WINDOWS, "facts": FACTS, "parameters": PARAMETERS, **changed}
    check_agreement(folder, *given.values())


def test_files_of_one_run_agree(tmp_path: Path) -> None:
    check(tmp_path)
    check(tmp_path, windows={}, facts={}, parameters={})
    check(
        tmp_path, windows={**WINDOWS, ("train", "scratch"): {"windows": 0, "shards": 0}}
    )  # as large as short, which it contains
    check(tmp_path, parameters={"seed": 42.0, "window_length": "1.5e2"})
    check(
        tmp_path,
        parameters={"seed": 42, "window_length": 200, "features": "ready"},
        comparison={**COMPARISON, "window_length": None},
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"parameters": {"seed": 7}}, "seed in comparison.json is 42, but that of the parameters is 7"),
        (
            {"windows": {**WINDOWS, ("test", "short"): {"windows": 300}}},
            "the number of 'short' windows in comparison.json is 600, but that in windows/test is 300",
        ),
        (
            {"windows": {**WINDOWS, ("test", "pair"): {"windows": 60, "counts": [{"fold": 0, "windows": 60}]}}},
            "the number of 'mate' windows in comparison.json is 40, but that in windows/test is 30",
        ),
        ({"windows": {**WINDOWS, ("train", "full"): {"windows": 9}}}, "windows/train/full: window_sets.json does not list"),
        (
            {"facts": {**FACTS, "input": {"records": 70}}},
            "the number of sources in folds.json is 24, but that in input.json is 70",
        ),
        (
            {"facts": {**FACTS, "folds": {**FACTS["folds"], "test_folds": [1]}}},
            "test_folds in window_sets.json is [0, 1], but that in folds.json is [1]",
        ),
    ],
)
def test_numbers_that_disagree_are_named(changed: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        check(tmp_path, **changed)
    assert told in str(error.value) and "files of two runs" in str(error.value) and "\n" not in str(error.value)


def test_a_shard_of_a_larger_run_is_noticed(tmp_path: Path) -> None:
    for shard in range(2):
        path = tmp_path / "windows" / "train" / "short" / f"shard_0000{shard}.windows.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        if shard == 0:
            check(tmp_path)
    with pytest.raises(InputError, match=r"shards in windows/train/short is 2, but that in its metadata\.json is 1"):
        check(tmp_path)


def test_windows_of_other_sources_are_refused(tmp_path: Path) -> None:
    """Equal numbers do not hide that the sources are others, or lie in other folds."""
    windows = {"source": ["a", "b", "b"], "cluster": ["a", "a", "a"], "fold": [0, 0, 0]}
    shard = tmp_path / "windows" / "test" / "short" / "shard_00000.windows.parquet"
    shard.parent.mkdir(parents=True)
    pq.write_table(pa.table(windows), shard)
    (tmp_path / "sources").mkdir()
    folds = {"source": ["a", "b", "c"], "cluster": ["a", "a", "c"], "fold": [0, 0, 1]}
    pq.write_table(pa.table(folds), tmp_path / "sources" / "folds.parquet")
    check(tmp_path)
    for changed in ({"fold": [0, 1, 1]}, {"cluster": ["a", "b", "c"]}, {"source": ["a", "other", "c"]}):
        pq.write_table(pa.table(folds | changed), tmp_path / "sources" / "folds.parquet")
        with pytest.raises(InputError, match=r"source b is elsewhere or absent in sources/folds\.parquet"):
            check(tmp_path)


def test_models_and_evaluations_of_another_run_are_refused(tmp_path: Path) -> None:
    """As after a second run without the arm gc, whose models stay in the folder."""
    first, second = tmp_path / "first", tmp_path / "second"
    arms = [Arm("baseline", role="baseline"), Arm("finetune"), Arm("gc", role="control")]
    for folder, chosen in ((first, arms), (second, arms[:2])):
        write_results(folder, chosen, {"short": 400}, folds=2, replicates=1, clusters=30)
        compared(folder)
    read_inputs(second)
    shutil.copytree(first / "models" / "gc", second / "models" / "gc")
    with pytest.raises(InputError, match=r"models/: is not what comparison\.json was computed from"):
        read_inputs(second)
