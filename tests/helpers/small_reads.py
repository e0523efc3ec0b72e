"""Reads that are classified by the model of a small experiment, for tests of what may happen to such a run."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

from fastq_text import fastq
from harness import Run, Small, StartedRun, as_words
from virshort.windows.shards import read_shard

PAIRS, CHUNK = 100, 30
"""Pairs of the larger sample, and of a chunk."""


class SmallReads:
    """Two samples of the pairs of a small experiment, one paired and one interleaved, in a folder of their own with its model.
    A first run without a network, and runs that resume it or start again, with changes."""

    def __init__(self, base: Path, small: Small, **env: str):
        self.folder, self.pipeline = base / "run", small.pipeline
        given = self.given = base / "given"
        given.mkdir(parents=True)
        shutil.copytree(small.first.results / "model", given / "model")
        shards = sorted((small.first.results / "windows/test/pair").glob("*.fa.gz"))
        mates = [sequence for path in shards for sequence in read_shard(path).sequences][: 2 * PAIRS]
        for mate in (1, 2):
            (given / f"lake_{mate}.fastq").write_bytes(fastq(mates[mate - 1 :: 2]))
        (given / "tick.fastq").write_bytes(fastq(mates[:40], [f"pair_{i // 2}" for i in range(40)]))
        sheet = given / "reads.csv"
        sheet.write_text("sample,fastq_1,fastq_2\nlake,lake_1.fastq,lake_2.fastq\ntick,tick.fastq,\n")
        self.options: dict[str, Any] = {
            "reads": sheet,
            "model": given / "model",
            "reads_per_chunk": CHUNK,
            "threshold": "balanced",  # validation has too few windows for rarer false positives
        }
        self.first = self.start(env=env).ended()
        assert self.first.rc == 0, self.first.output
        self.outcome = calls(self.first.results)

    def start(
        self,
        *more: object,
        folder: Path | None = None,
        pipeline: Path | None = None,
        env: dict[str, str] | None = None,
        **changes: Any,
    ) -> StartedRun:
        words = as_words(self.options | changes)
        return StartedRun(*words, *more, folder=folder or self.folder, pipeline=pipeline or self.pipeline, **(env or {}))

    def task_folder(self, task: str) -> Path:
        """The work folder of a task of the first run."""
        tag = next(row["hash"] for row in self.first.trace if row["name"].split(":")[-1] == task)
        return next((self.folder / "work").glob(f"{tag}*"))


def calls(results: Path) -> dict[str, str]:
    """Digests of what a run says of its reads, by file: all but the page, which names versions and times."""
    kept = [path for path in results.glob("*/*") if path.is_file() and path.parent.name != "pipeline_info"]
    kept += [results / "summary.tsv", results / "summary.txt"]
    return {str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(kept)}


def chunks_of(run: Run) -> int:
    """How many chunks a run scored itself."""
    return sum(row["process"].endswith("PREDICT") and row["status"] == "COMPLETED" for row in run.trace)
