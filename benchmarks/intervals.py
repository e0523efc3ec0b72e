"""Time all intervals of a run: 8 arms with 3 replicates on nine test sets of 2,500 clusters, with 2,000 resamples."""

import sys
from pathlib import Path

from common import Line, command, median_usage, report

from synthetic_results import standard_arms, write_results

WINDOWS, CLUSTERS, ARMS, REPLICATES, RESAMPLES, REPEATS = 50_000, 2_500, 8, 3, 2_000, 3
SWEEP = {f"length_{n}": 10_000 for n in (100, 150, 200, 300, 500, 1000, 3000)}


def main() -> None:
    folder = Path(sys.argv[1])
    write_results(folder, standard_arms()[:ARMS], {"short": WINDOWS, "full": WINDOWS, **SWEEP}, CLUSTERS, REPLICATES)
    used = median_usage(
        [
            command(
                "compare.py",
                folder,
                "--draws",
                RESAMPLES,
                "--out",
                folder / "comparison.json",
                "--tsv",
                folder / "comparison.tsv",
            )
            for _ in range(REPEATS)
        ]
    )
    report(
        [
            Line(
                f"all intervals of a run: {ARMS} arms x {REPLICATES} replicates, {len(SWEEP) + 2} test sets, {WINDOWS:,} "
                f"windows each in short and full, {RESAMPLES:,} resamples",
                "-",
                "<= 10 s",
                f"{used.seconds:.1f} s",
                f"{used.seconds / 10:.2f}",
                used.seconds <= 10,
                f"compare.py as a whole; {used.cpu_seconds:.1f} s of processor time, {used.peak_mb:.0f} MB of memory",
            )
        ]
    )


if __name__ == "__main__":
    main()
