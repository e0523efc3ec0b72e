#!/usr/bin/env python3
"""Measure virshort's speed and memory and print one table: make bench, or bench.py [name ...].

Each measurement is a script in this folder. They run one after another, each in its own process. The plain implementation
that a measurement is compared with is measured in the same process, in turn with it. Times are medians.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORKS = {
    "six_frames": "six-frame longest stop-free stretch against a loop with Biopython",
    "codon_features": "codon features of short windows against a loop with Biopython",
    "reads": "reads checked, cut into chunks, trimmed and judged: reads per second, memory",
    "calls": "from scores to tables and viral reads: reads per second, memory, many chunks",
    "classify": "from files of reads to calls: reads per second of models that count, and a run on few reads",
    "prevalence": "how often the interval of the viral share covers the truth",
    "search": "translated search of short windows of real genomes against three folds",
    "sampling": "600,000 windows of real genomes",
    "embedding": "both k-mer encoders on a shard",
    "training": "a head against its bare matrix multiplications",
    "language_models": "DNABERT-S and ESM-2 650M in batches, against one window at a time and against bare matrix products",
    "intervals": "all intervals of a run",
    "memory": "peak memory of every step at 100,000 and at 2,000,000 windows (takes minutes)",
    "demo": "the demo after set-up",
}
SLOW = ("memory",)
COLUMNS = ("work", "reference", "target", "measured", "ratio", "met")


def machine() -> str:
    """Processor, cores and versions."""
    info = Path("/proc/cpuinfo")
    models = (
        [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pyarrow", "torch", "biopython"))
    return (
        f"{models[0] if models else platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"{platform.system()}, Python {platform.python_version()}, {packages}, load "
        f"{os.getloadavg()[0]:.1f} at the start"
    )


def measure(name: str, work: Path, genomes: Path) -> list[dict]:
    """Run one script in its own folder. Returns the lines that it reports, or one that says why it reports none."""
    paths = [HERE.parent / "bin", HERE.parent / "tests" / "helpers"]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    if name in ("language_models", "intervals", "classify", "demo"):  # these may use all cores, as in a run
        environment = {k: v for k, v in environment.items() if not k.endswith("_NUM_THREADS")}
    (work / name).mkdir()
    done = subprocess.run(
        [sys.executable, HERE / f"{name}.py", work / name, genomes],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
    skipped = "Skipped: " in reason
    return [
        {
            "work": WORKS[name],
            "reference": "-",
            "target": "-",
            "measured": "skipped" if skipped else "failed",
            "ratio": "-",
            "met": None if skipped else False,
            "note": reason.split("Skipped: ")[-1] if skipped else done.stderr,
        }
    ]


def table(lines: list[dict]) -> str:
    """A Markdown table with aligned columns, and the notes below it."""
    said = {True: "yes", False: "NO", None: "-"}
    cells = [list(COLUMNS), *([said[line[c]] if c == "met" else line[c] for c in COLUMNS] for line in lines)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(COLUMNS))]
    cells.insert(1, ["-" * w for w in widths])
    text = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    return "\n".join(text + [""] + [f"- {line['work']}: {line['note']}" for line in lines if line["note"]])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*", metavar="name", help="what to measure (default: everything; see --list)")
    p.add_argument("--list", action="store_true", help="list what can be measured")
    p.add_argument("--quick", action="store_true", help=f"leave out what takes minutes: {', '.join(SLOW)}")
    p.add_argument("--genomes", type=Path, help="keep the prepared real genomes in this folder for the next time")
    args = p.parse_args()
    if args.list:
        print("\n".join(f"{name:12} {what}" for name, what in WORKS.items()))
        return
    if unknown := [n for n in args.names if n not in WORKS]:
        p.error(f"{unknown[0]}: choose from {', '.join(WORKS)}")
    names = [n for n in args.names or WORKS if not (args.quick and n in SLOW)]
    print(machine(), flush=True)
    lines: list[dict] = []
    with tempfile.TemporaryDirectory(prefix="virshort-bench-") as temporary:
        for name in names:
            print(f"measuring {name}: {WORKS[name]}", file=sys.stderr, flush=True)
            lines += measure(name, Path(temporary), (args.genomes or Path(temporary) / "genomes").absolute())
    print("\n" + table(lines))
    if any(line["measured"] == "failed" for line in lines):
        sys.exit(1)


if __name__ == "__main__":
    main()
