#!/usr/bin/env python3
"""Time and memory of Nextflow's head process for thousands of shards or chunks, measured with stubs as steps.

`scale.py 10000` rehearses the experiment with so many shards, and `scale.py --reads 10000` a run on reads with so many chunks
of one sample. It prints the number of them and of tasks, the seconds, the peak memory and threads of the head process, and the
size of its work folder. Jobs are submitted to a stand-in for sbatch that runs them immediately. It runs the jobs of shards and
chunks itself and without staging their inputs, so that mainly the head process is measured.
"""

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "helpers"), str(ROOT / "bin")]

from harness import environment  # noqa: E402
from random_model import random_31mers, random_model  # noqa: E402

Job = Callable[[Path, int], list[object]]
"""Makes what a run needs in a folder, for so many shards or chunks, and returns its options."""

WINDOWS = 1000
"""Windows per shard."""
CONFIG = "executor.pollInterval = '200 ms'\nexecutor.submitRateLimit = null\n"
STAND_INS = {
    "sbatch": """#!/bin/sh
while read -r mark option name; do
    [ "$option" = -J ] && break
done < "$1"
case $name in
    *_EMBED_* | *_PREDICT_*) : > .command.begin; touch() { for f; do : > "$f"; done; }; . ./.command.sh; echo 0 > .exitcode ;;
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


def experiment(folder: Path, shards: int) -> list[object]:
    """Options of an experiment with `shards` shards, half of them for training and half for testing."""
    subprocess.run([sys.executable, ROOT / "bin/simulate.py", "--outdir", folder / "genomes"], check=True, capture_output=True)
    sizes = {"short_windows": 3, "scratch_windows": 3, "full_windows": 2, "test_windows": 2.5}
    words = [w for k, v in sizes.items() for w in (f"--{k}", str(int(shards * v / 10) * WINDOWS))]
    return [
        "--input",
        folder / "genomes/samplesheet.csv",
        "--source_table",
        folder / "genomes/sources.tsv",
        "--arms",
        "finetune,dna_only",
        "--windows_per_shard",
        WINDOWS,
        *words,
    ]


def classification(folder: Path, chunks: int) -> list[object]:
    """Options of a run on reads of one sample, of which the stub of CHECK_READS makes `chunks` chunks."""
    with (folder / "scale.config").open("a") as config:
        config.write(f"process.'withName:CHECK_READS'.ext.stub_chunks = {chunks}\n")
    (folder / "reads.csv").write_text("sample,fastq_1\nmany,many.fastq\n")
    (folder / "many.fastq").write_text("")
    return ["--reads", folder / "reads.csv", "--model", random_model(folder / "model", ["codon"], random_31mers(1000))]


def measure(number: int, folder: Path, job: Job, options: list[str], heap: str | None) -> dict[str, object]:
    """Measure one run with so many shards or chunks."""
    (folder / "scale.config").write_text(CONFIG)
    words = job(folder, number)
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
        "shards": number,
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
    p.add_argument("numbers", type=int, nargs="+", help="numbers of shards or chunks, one run for each")
    p.add_argument("--reads", action="store_true", help="measure a run on reads, not the experiment")
    p.add_argument("--heap", help="the largest heap of the head process, such as 2g (default: a quarter of the memory)")
    p.add_argument("--options", nargs=argparse.REMAINDER, default=[], help="further options for Nextflow")
    args = p.parse_args()
    writer = None
    for number in args.numbers:
        folder = Path(tempfile.mkdtemp(prefix="virshort_scale_"))
        try:
            row = measure(number, folder, classification if args.reads else experiment, args.options, args.heap)
        finally:
            shutil.rmtree(folder)
        writer = writer or csv.DictWriter(sys.stdout, row, delimiter="\t")
        if number == args.numbers[0]:
            writer.writeheader()
        writer.writerow(row)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
