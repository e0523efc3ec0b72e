"""Disks that are full, files that are damaged, folders and clocks that are unusual: said clearly, or of no effect."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster import until
from harness import Small, copy_pipeline, outcome


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """A file system of the test's own, where root may mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() or subprocess.run(["mount", *options, folder], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    with mounted(folder, "-t", "tmpfs", "-o", f"size={size}", "tmpfs"):
        yield


def enlarged(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=400m", folder], check=True)


def test_a_full_disk_is_said_and_resumed_from(small: Small, tmp_path: Path) -> None:
    """First the work folder's, then that of the results."""
    work, out = tmp_path / "work", tmp_path / "out"
    with small_disk(work, "6m"), small_disk(out, "1m"):

        def resumed():
            return small.start("-resume", "-work-dir", work, folder=tmp_path, outdir=out, windows_per_shard=1000).ended()

        run = resumed()
        assert run.rc == 1
        assert "no space left on" in run.complaint()
        enlarged(work)
        run = resumed()
        assert run.rc == 1
        assert "no space left on" in run.complaint()
        enlarged(out)
        run = resumed()
        assert run.rc == 0, run.output
        assert outcome(run.results) == small.outcome


@pytest.mark.parametrize(
    ("task", "file", "how"),
    [
        ("SAMPLE_WINDOWS", "windows/train/short/shard_00001.fa.gz", "flipped"),
        ("SAMPLE_WINDOWS", "windows/train/short/shard_00001.windows.parquet", "flipped"),
        ("EMBED_KMERS (kmer-dna train/short shard_00001)", "shard_00001.kmer-dna.safetensors", "truncated"),
        ("MERGE (kmer-dna+kmer-protein train/short shard_00001)", "train.short.shard_00001.features.safetensors", "flipped"),
    ],
    ids=["shard", "manifest", "embedding", "features"],
)
def test_damage_in_the_work_folder_is_named(small: Small, tmp_path: Path, task: str, file: str, how: str) -> None:
    """The run ends without a result, and says which folder to delete; then all is well."""
    tag = next(row["hash"] for row in small.first.trace if row["name"].split(":")[-1] == task)
    folder = next((small.folder / "work").glob(f"{tag}*"))
    path = folder / file
    before, stat, half = path.read_bytes(), path.stat(), path.stat().st_size // 2
    damaged = before[:half] if how == "truncated" else before[:half] + bytes([before[half] ^ 1]) + before[half + 1 :]
    path.write_bytes(damaged)
    try:
        run = small.start("-resume", outdir=tmp_path / "out").ended()
        assert run.rc == 1
        complaint = run.complaint()
        assert f"{path.name}: damaged or truncated (" in complaint and f"delete {folder} and run" in complaint, complaint
        assert not (run.results / "comparison.json").exists()
        if how == "truncated":
            shutil.rmtree(folder)
            assert outcome(small.resumed(outdir=tmp_path / "out").results) == small.outcome
    finally:
        if folder.exists():
            path.write_bytes(before)
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_second_run_in_one_outdir_is_refused(small: Small, tmp_path: Path) -> None:
    first = small.start("-resume", outdir=tmp_path / "out")
    until(lambda: (tmp_path / "out/pipeline_info/.lock").exists(), 60, "the lock")
    second = small.start(folder=tmp_path / "second", outdir=tmp_path / "out").ended()
    assert second.rc == 1
    complaint = second.complaint()
    assert f"--outdir {tmp_path}/out is in use by another run (process {first.process.pid} on " in complaint, complaint
    run = first.ended()
    assert run.rc == 0, run.output
    assert outcome(run.results) == small.outcome


def at_another_time(library: Path, clock: str, folder: Path) -> str:
    """The shell's words that give a task's Python another clock, and write its month to .clock. Python alone: libfaketime
    fails now and then where processes with it start others."""
    fake = f"LD_PRELOAD={library} FAKETIME={clock} NO_FAKE_STAT=1"
    python = folder / clock / "python3"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\n{fake} exec {Path(sys.executable).with_name("python3")} "$@"\n')
    python.chmod(0o755)
    return f"{fake} date +%Y-%m > .clock; PATH={python.parent}:$PATH"


def test_any_folder_and_any_clock(small: Small, tmp_path: Path) -> None:
    """Spaces and quotes in every path, another run's work folder, a link for outdir, a launch folder that is read-only, and
    a clock that is a year ahead while windows are embedded and a month late while heads are trained."""
    odd = tmp_path / "it's (a) place"
    pipeline = copy_pipeline(odd / "the pipeline's")
    genomes, work, launch = odd / 'the "genomes"', odd / 'old "work"', odd / "launch"
    shutil.copytree(small.genomes, genomes)
    shutil.copytree(small.folder / "work", work, symlinks=True)
    (odd / "real").mkdir()
    (odd / 'the "results"').symlink_to(odd / "real")
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    clocks = {"EMBED_KMERS": "+400d", "TRAIN|TRAIN_BASELINE": "-30d"} if library else {}
    config = odd / "clocks.config"
    config.write_text(
        "".join(
            f"process.'withName:{step}'.beforeScript = '{at_another_time(library, clock, tmp_path)}'\n"
            for step, clock in clocks.items()
        )
    )
    env = {"NXF_CACHE_DIR": str(odd / "cache"), "NXF_LOG_FILE": str(odd / "nextflow.log")}
    with mounted(launch, "-t", "tmpfs", "-o", "ro", "tmpfs"):
        run = small.start(
            "-work-dir",
            work,
            "-c",
            config,
            folder=launch,
            pipeline=pipeline,
            traces=odd,
            env=env,
            windows_per_shard=1000,
            input=genomes / "samplesheet.csv",
            source_table=genomes / "sources.tsv",
            outdir=odd / 'the "results"',
        ).ended()
    assert run.rc == 0, run.output
    assert outcome(odd / "real") == small.outcome
    assert len({path.read_text() for path in work.glob("*/*/.clock")}) == len(clocks)
