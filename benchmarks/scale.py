#!/usr/bin/env python3
"""Time and memory of Nextflow's head process for thousands of shards, measured on the experiment with stubs as steps.

`scale.py 10000` prints the number of shards and tasks, the seconds, the peak memory and threads of the head process, and
the size of its work folder. Jobs are submitted to a stand-in for sbatch that runs them immediately. It runs the jobs of
shards itself and without staging their inputs, so that mainly the head process is measured.
"""

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

from harness import environment  # noqa: E402

WINDOWS = 1000
"""Windows per shard."""
CONFIG = "executor.pollInterval = '200 ms'\nexecutor.submitRateLimit = null\n"
STAND_INS = {
    "sbatch": """#!/bin/sh
while read -r mark option name; do
    [ "$option" = -J ] && break
done < "$1"
case $name in
    *_EMBED_*) : > .command.begin; touch() { for f; do : > "$f"; done; }; . ./.command.sh; echo 0 > .exitcode ;;
    *) bash "$1" > .command.log 2>&1 ;;
esac
echo "Submitted batch job $$"
""",
    "squeue": "#!/bin/sh\n",
    "scancel": "#!/bin/sh\n",
}


def head(pid: int) -> dict[str, str]:
    """The fields of /proc/<pid>/status."""
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def measure(shards: int, folder: Path, options: list[str], heap: str | None) -> dict[str, object]:
    """Measure one run with `shards` shards, half of them for training and half for testing."""
    subprocess.run([sys.executable, ROOT / "bin/simulate.py", "--outdir", folder / "genomes"], check=True, capture_output=True)
    (folder / "scale.config").write_text(CONFIG)
    sizes = {"short_windows": 3, "scratch_windows": 3, "full_windows": 2, "test_windows": 2.5}
    words = [w for k, v in sizes.items() for w in (f"--{k}", str(int(shards * v / 10) * WINDOWS))]
    (folder / "bin").mkdir()
    for name, text in STAND_INS.items():
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    env = environment(**({"NXF_OPTS": f"-Xmx{heap}"} if heap else {}))
    env["PATH"] = f"{folder}/bin:{env['PATH']}"
    command = [
        "nextflow",
        "run",
        ROOT / "main.nf",
        "-stub-run",
        "-profile",
        "slurm",
        "-c",
        folder / "scale.config",
        "--input",
        folder / "genomes/samplesheet.csv",
        "--source_table",
        folder / "genomes/sources.tsv",
        "--arms",
        "finetune,dna_only",
        "--windows_per_shard",
        str(WINDOWS),
        "--publish_mode",
        "symlink",
        *words,
        *options,
    ]
    began = time.monotonic()
    with (folder / "log").open("w") as log:
        run = subprocess.Popen(list(map(str, command)), cwd=folder, env=env, stdout=log, stderr=log)
        peak = threads = 0
        while run.poll() is None:
            try:
                status = head(run.pid)
                peak = max(peak, int(status["VmHWM"].split()[0]))
                threads = max(threads, int(status["Threads"]))
            except (OSError, KeyError):
                pass  # the process has just ended
            time.sleep(0.5)
    seconds = time.monotonic() - began
    if run.returncode:
        sys.exit((folder / "log").read_text()[-3000:])
    tasks = (folder / "log").read_text().count("Submitted process")
    return {
        "shards": shards,
        "tasks": tasks,
        "seconds": round(seconds, 1),
        "tasks_per_second": round(tasks / seconds, 1),
        "peak_MB": peak >> 10,
        "threads": threads,
        "work_files": sum(1 for _ in (folder / "work").rglob("*")),
        "cache_MB": round(sum(f.stat().st_size for f in (folder / ".nextflow").rglob("*") if f.is_file()) / 1e6, 1),
    }


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("shards", type=int, nargs="+", help="numbers of shards, one run for each")
    p.add_argument("--heap", help="the largest heap of the head process, such as 2g (default: a quarter of the memory)")
    p.add_argument("--options", nargs=argparse.REMAINDER, default=[], help="further options for Nextflow")
    args = p.parse_args()
    writer = None
    for shards in args.shards:
        folder = Path(tempfile.mkdtemp(prefix="virshort_scale_"))
        try:
            row = measure(shards, folder, args.options, args.heap)
        finally:
            shutil.rmtree(folder)
        writer = writer or csv.DictWriter(sys.stdout, row, delimiter="\t")
        if shards == args.shards[0]:
            writer.writeheader()
        writer.writerow(row)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
