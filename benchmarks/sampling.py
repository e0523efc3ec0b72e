"""Seconds and memory of the step that samples windows, for 600,000 windows of real genomes."""

import shutil
import sys
from pathlib import Path

from common import Line, command, median_usage, prepared_genomes, report, sampling

REPEATS = 3


def main() -> None:
    out, genomes = Path(sys.argv[1]) / "sampled", prepared_genomes(Path(sys.argv[2]), 5, "all")
    # With five folds, a training set of s windows per split takes 5/3 s windows in all, which is 500,000 for `scratch`.
    # The two test sets add 90,000 windows, and the length sweep 10,000.
    words = sampling(genomes, out, short=60_000, scratch=300_000, test=45_000, sweep=10_000, train_sets=["short", "scratch"])
    usages = []
    for _ in range(REPEATS):
        usages.append(command(*words))
        shutil.rmtree(out)
    windows = sum(int(line.split()[1]) for line in usages[-1].output.splitlines())
    assert windows == 600_000, usages[-1].output
    took = median_usage(usages)
    report(
        [
            Line(
                f"sampling {windows:,} windows of real genomes",
                "-",
                "<= 30 s",
                f"{took.seconds:.1f} s",
                f"{took.seconds / 30:.2f}",
                took.seconds <= 30,
                f"{took.cpu_seconds:.1f} s of processor time",
            ),
            Line(
                f"sampling {windows:,} windows: peak memory",
                "-",
                "<= 1 GB",
                f"{took.peak_mb:.0f} MB",
                f"{took.peak_mb / 1000:.2f}",
                took.peak_mb <= 1000,
            ),
        ]
    )


if __name__ == "__main__":
    main()
