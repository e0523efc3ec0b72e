"""What happens to a run on reads: it is killed, its disk is full, a file in its work folder or of its model is damaged."""

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from disks import enlarged, small_disk
from kills import killed_at_random_moments
from small_reads import SmallReads, calls, chunks_of


def test_it_was_done_without_a_network(small_reads: SmallReads) -> None:
    assert chunks_of(small_reads.first) > 3 and "lake/lake.reads.tsv.gz" in small_reads.outcome


def test_killed_at_random_moments(small_reads: SmallReads, tmp_path: Path) -> None:
    """No task that had finished runs again, so that of the chunks only those are repeated that were being scored."""
    runs = killed_at_random_moments(
        lambda folder: small_reads.start("-resume", folder=folder), 0.8 * small_reads.first.seconds, tmp_path
    )
    for run in runs:
        assert calls(run.results) == small_reads.outcome


def middle(path: Path) -> int:
    """A place in the middle of a file, and in a table of scores in the middle of the values of its log-odds."""
    if path.suffix != ".parquet":
        return path.stat().st_size // 2
    group = pq.ParquetFile(path).metadata.row_group(0)
    odds = next(c for c in map(group.column, range(group.num_columns)) if c.path_in_schema == "log_odds")
    return int(odds.dictionary_page_offset + odds.data_page_offset) // 2


@pytest.mark.parametrize(
    ("task", "file", "change"),
    [
        ("CHECK_READS (lake)", "lake.chunk_00001.R2.fastq.gz", {"min_read_length": 61}),
        ("PREDICT (lake chunk_00001)", "lake.chunk_00001.scores.parquet", {}),
    ],
    ids=["chunk", "scores"],
)
def test_damage_in_the_work_folder_is_named(
    small_reads: SmallReads, tmp_path: Path, task: str, file: str, change: dict[str, object]
) -> None:
    """One bit flips in the middle of what PREDICT, or COLLECT, reads."""
    folder = small_reads.task_folder(task)
    path = folder / file
    before, stat, at = path.read_bytes(), path.stat(), middle(path)
    path.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
    try:
        run = small_reads.start("-resume", "--outdir", tmp_path / "out", **change).ended()
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    complaint = run.complaint()
    assert run.rc == 1 and f"{file}: damaged or truncated (" in complaint, complaint
    assert f"delete {folder} and run again with -resume" in complaint, complaint
    assert not (run.results / "summary.tsv").exists()


def test_a_damaged_model_is_named_before_anything_else(small_reads: SmallReads, tmp_path: Path) -> None:
    path = small_reads.options["model"] / "kmers.safetensors"
    before, stat = path.read_bytes(), path.stat()
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    try:
        run = small_reads.start(folder=tmp_path).ended()
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert run.rc == 1 and "kmers.safetensors: damaged" in run.complaint()
    assert {row["process"].split(":")[-1] for row in run.trace} == {"PLAN_READS"}


def test_a_full_disk_is_named_and_the_run_resumes(small_reads: SmallReads, tmp_path: Path) -> None:
    work = tmp_path / "work"
    with small_disk(work, "1m"):
        run = small_reads.start("-resume", "-work-dir", work, folder=tmp_path).ended()
        assert run.rc == 1 and "no space left on" in run.complaint(), run.output
        enlarged(work)
        run = small_reads.start("-resume", "-work-dir", work, folder=tmp_path).ended()
        assert run.rc == 0, run.output
        assert calls(run.results) == small_reads.outcome
