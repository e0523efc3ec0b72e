"""Files that are written completely or not at all."""

import math

import pytest

from virshort.files import damaged, digest, read_json, whole, write_json


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "new" / "x.json"
    write_json(path, {"é": 1})
    with pytest.raises(RuntimeError), whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert read_json(path) == {"é": 1} and [p.name for p in path.parent.iterdir()] == ["x.json"]


def test_nan_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"a": math.nan})
    assert not list(tmp_path.iterdir())


def test_a_digest_depends_on_where_its_parts_are_divided():
    assert digest("ab", "c") != digest("a", "bc") and digest("ab") == digest(b"ab")


def test_a_damaged_file_names_the_folder_of_its_task(tmp_path):
    (tmp_path / "ab/12/out").mkdir(parents=True)
    (tmp_path / "ab/12/.command.sh").touch()
    path = tmp_path / "ab/12/out/x.parquet"
    path.touch()
    (tmp_path / "link.parquet").symlink_to(path)
    message = str(damaged(tmp_path / "link.parquet", "no footer"))
    assert message == f"link.parquet: damaged or truncated (no footer): delete {tmp_path}/ab/12 and run again with -resume"
