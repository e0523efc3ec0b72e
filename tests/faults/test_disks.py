"""Full disks, damaged files, results folders that are used twice, odd folders, environments and clocks: each has no effect, or
is explained in one line."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from disks import enlarged, mounted, small_disk
from harness import ROOT, Small, copy_pipeline, environment, outcome
from slurm_cluster import until


def test_a_full_disk_is_named_and_the_run_resumes(small: Small, tmp_path: Path) -> None:
    """First the disk of the work folder, then that of the results."""
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


def middle(path: Path) -> int:
    """A place in the middle of a file, and in a table of windows in the middle of its labels: damage to what no step reads is
    not noticed, and changes nothing."""
    if path.suffix != ".parquet":
        return path.stat().st_size // 2
    group = pq.ParquetFile(path).metadata.row_group(0)
    labels = next(c for c in map(group.column, range(group.num_columns)) if c.path_in_schema == "label")
    return int(labels.data_page_offset + labels.total_compressed_size // 2)


@pytest.mark.parametrize(
    ("task", "file", "how"),
    [
        ("SAMPLE_WINDOWS", "windows/train/short/shard_00001.fa.gz", "flipped"),
        ("SAMPLE_WINDOWS", "windows/train/short/shard_00001.windows.parquet", "flipped"),
        ("EMBED_KMERS (kmer-dna+kmer-protein train/short shard_00001)", "shard_00001.kmer-dna.safetensors", "truncated"),
        ("EMBED_KMERS (kmer-dna+kmer-protein train/short shard_00001)", "shard_00001.kmer-protein.safetensors", "flipped"),
    ],
    ids=["shard", "manifest", "embedding", "features"],
)
def test_damage_in_the_work_folder_is_named(small: Small, tmp_path: Path, task: str, file: str, how: str) -> None:
    """The run ends without a result and names the folder to delete, after which it succeeds."""
    tag = next(row["hash"] for row in small.first.trace if row["name"].split(":")[-1] == task)
    folder = next((small.folder / "work").glob(f"{tag}*"))
    path = folder / file
    before, stat, half = path.read_bytes(), path.stat(), middle(path)
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


def published(results: Path) -> set[str]:
    """The files of a results folder, but for the records of its runs."""
    paths = {str(path.relative_to(results)) for path in results.rglob("*") if not path.is_dir()}
    return {
        path
        for path in paths
        if not path.startswith(("pipeline_info/trace_", "pipeline_info/timeline_", "pipeline_info/.lock"))
    }


def test_a_results_folder_holds_one_run(small: Small, tmp_path: Path) -> None:
    """Runs in one folder, one after the other: a second at the same time and one with a wrong parameter change nothing; a
    smaller one and one that fails leave nothing of those before them; the first, resumed, publishes everything again. What the
    user put there stays."""
    out, users = tmp_path / "out", {"notes.txt", "pipeline_info/notes.txt"}

    started = small.start("-resume", outdir=out)
    until(lambda: (out / "pipeline_info/.lock").exists(), 60, "the lock")
    os.killpg(started.process.pid, signal.SIGSTOP)  # or it could end before the second has looked
    try:
        second = small.start(folder=tmp_path / "second", outdir=out).ended()
    finally:
        os.killpg(started.process.pid, signal.SIGCONT)
    assert second.rc == 1
    complaint = second.complaint()
    assert f"--outdir {out} is in use by another run (process {started.process.pid} on " in complaint, complaint
    first = started.ended()
    assert first.rc == 0, first.output
    assert outcome(out) == small.outcome
    whole = published(out)
    for name in users:
        (out / name).touch()

    refused = small.start("-resume", outdir=out, folds=2).ended()
    assert refused.rc == 1 and "--folds" in refused.complaint()
    assert outcome(out) == small.outcome and published(out) == whole | users

    smaller = small.resumed(outdir=out, arms="finetune")
    assert "Note: removed what an earlier run published" in smaller.output
    left = published(out) - users
    assert left < whole and not any("dna_only" in name for name in left)
    assert (out / "models/finetune").is_dir() and "dna_only" not in (out / "comparison.tsv").read_text()

    failing = small.start("-resume", outdir=out, full_windows=200000000).ended()
    assert failing.rc == 1 and "--full_windows 200000000" in failing.complaint()
    left = published(out) - users
    assert "sources/folds.json" in left and all(name.startswith(("sources/", "pipeline_info/")) for name in left), left

    resumed = small.resumed(outdir=out)
    assert resumed.executed() <= {"TRACE", "REPORT"}
    assert outcome(out) == small.outcome and published(out) == whole | users


def at_another_time(library: Path, clock: str, folder: Path) -> str:
    """Shell commands that give a task's Python another clock, and write its month to .clock. Only Python gets it, because
    libfaketime sometimes fails in processes that start others."""
    fake = f"LD_PRELOAD={library} FAKETIME={clock} NO_FAKE_STAT=1"
    python = folder / clock / "python3"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\n{fake} exec {Path(sys.executable).with_name("python3")} "$@"\n')
    python.chmod(0o755)
    return f"{fake} date +%Y-%m > .clock; PATH={python.parent}:$PATH"


BAD_ENVIRONMENT = {
    "PYTHONHOME": "/nonexistent",
    "PYTHONPLATLIBDIR": "nonexistent",
    "PYTHONSAFEPATH": "1",
    "PYTHONINSPECT": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONWARNINGS": "error",
    "PYTHONIOENCODING": "ascii",
    "PYTHONUTF8": "0",
    "MPLBACKEND": "module://nonexistent",
}
"""What tasks must not see: conf/base.config says why."""


def test_any_folder_environment_and_any_clock(small: Small, tmp_path: Path) -> None:
    """Spaces, quotes, brackets and braces in every path, an umlaut under LANG=C, variables that would break Python, another
    run's work folder, a link for outdir, a launch folder that is read-only, and a clock that is a year ahead while windows are
    embedded and a month late while heads are trained."""
    own_nextflow = (ROOT / ".tools/nextflow").exists()  # the user's own does not set the locale
    odd = tmp_path / f"it's (a) pl{'ä' if own_nextflow else 'a'}ce [2024] {{new}}"
    pipeline = copy_pipeline(odd / "the pipeline's [1]")
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
    env = BAD_ENVIRONMENT | {"NXF_CACHE_DIR": str(odd / "cache"), "NXF_LOG_FILE": str(odd / "nextflow.log")}
    (tmp_path / "site/numpy").mkdir(parents=True)
    (tmp_path / "site/numpy/__init__.py").write_text("raise ImportError('made for another Python')\n")
    env["PYTHONPATH"] = str(tmp_path / "site")
    if own_nextflow:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin/nextflow").symlink_to(ROOT / "tools/nextflow")
        env |= {"LC_ALL": "C", "PATH": f"{tmp_path / 'bin'}:{environment()['PATH']}"}
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
    assert list(pipeline.glob("bin/virshort/**/*.pyc")), "what tasks import is compiled once"
    assert len({path.read_text() for path in work.glob("*/*/.clock")}) == len(clocks)
