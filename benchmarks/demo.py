"""The whole demo, after set-up."""

import shutil
import sys
from pathlib import Path

from common import ROOT, Line, Skipped, command, report


def main() -> None:
    folder = Path(sys.argv[1])
    if not (ROOT / ".tools/bin/nextflow").exists() and not shutil.which("nextflow"):
        raise Skipped("Nextflow is missing: make setup")
    took = command(
        "nextflow",
        "run",
        ROOT / "main.nf",
        "-profile",
        "test",
        "--outdir",
        folder / "results",
        folder=folder,
        NXF_ANSI_LOG="false",
    )
    report(
        [
            Line(
                "the demo after set-up",
                "-",
                "<= 180 s",
                f"{took.seconds:.0f} s",
                f"{took.seconds / 180:.2f}",
                took.seconds <= 180,
                f"{took.cpu_seconds:.0f} s of processor time",
            )
        ]
    )


if __name__ == "__main__":
    main()
