"""Reading a results folder."""

from pathlib import Path

import pytest

from virshort.errors import InputError
from virshort.report.inputs import Inputs, find, read_inputs, read_table


def test_a_folder_without_results_is_reported_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"comparison\.json is missing"):
        read_inputs(tmp_path)


def test_heads_are_read_by_arm(data: Inputs) -> None:
    assert set(data.histories) == set(data.models) == {"baseline", "finetune", "multilength", "gc", "shuffled_labels"}
    assert all(len(heads) == 12 and len(heads[0]) == 10 for heads in data.histories.values())  # 4 folds, 3 replicates
    assert all(record["arm"] == arm for arm, record in data.models.items())


def test_files_are_found_one_level_down_and_the_newest_wins(tmp_path: Path) -> None:
    (tmp_path / "pipeline_info").mkdir()
    for day in (2, 1):
        (tmp_path / "pipeline_info" / f"trace_2026-01-0{day}.tsv").touch()
    found = find(tmp_path, "trace*.tsv")
    assert found is not None and found.name == "trace_2026-01-02.tsv"
    (tmp_path / "trace.tsv").touch()
    assert find(tmp_path, "trace*.tsv") == tmp_path / "trace.tsv"
    assert find(tmp_path, "folds.json") is None


def test_a_quote_in_a_table_is_a_character_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text('source\tfile\na"b\t"c\n')
    assert read_table(tmp_path / "t.tsv") == [{"source": 'a"b', "file": '"c'}]
    assert read_table(None) == []
