"""All intervals of a run: 8 arms with 3 replicates on 50,000 test windows of 2,500 clusters, 2,000 resamples."""

import statistics
import sys
import time
from argparse import Namespace
from pathlib import Path

from common import Line, command, median_usage, report
from synthetic_results import standard_arms, write_results

import compare

WINDOWS, CLUSTERS, ARMS, REPLICATES, RESAMPLES, REPEATS = 50_000, 2_500, 8, 3, 2_000, 3
SWEEP = {f"length_{n}": 10_000 for n in (100, 150, 200, 300, 500, 1000, 3000)}


def main() -> None:
    folder = Path(sys.argv[1])
    arms = standard_arms()[:ARMS]
    write_results(folder, arms, {"short": WINDOWS, "full": WINDOWS, **SWEEP}, CLUSTERS, REPLICATES)
    args = Namespace(folder=folder, seed=42, draws=RESAMPLES)
    roles = {a.name: a.role for a in arms}
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        rows, *_ = compare.compare_set(args, "short", list(roles), roles, "scratch")
        seconds.append(time.perf_counter() - began)
    assert len(rows) == ARMS and all(r["metrics"]["auprc"]["ci95"] for r in rows)
    took = statistics.median(seconds)
    whole = median_usage([command("compare.py", folder, "--draws", RESAMPLES, "--out", folder / "comparison.json",
                                  "--tsv", folder / "comparison.tsv") for _ in range(REPEATS)])
    report([Line(f"all intervals: {ARMS} arms x {REPLICATES} replicates, {WINDOWS:,} windows, {RESAMPLES:,} resamples", "-",
                 "<= 10 s", f"{took:.1f} s", f"{took / 10:.2f}", took <= 10,
                 f"the whole process with all {len(SWEEP) + 2} test sets of a run: {whole.seconds:.1f} s, "
                 f"{whole.peak_mb:.0f} MB")])


if __name__ == "__main__":
    main()
