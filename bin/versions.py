#!/usr/bin/env python3
"""Write the versions of the software that a run used as YAML: virshort, Nextflow, Python and the packages that matter."""

import argparse
import platform
from importlib.metadata import version
from pathlib import Path

import yaml

from virshort import __version__
from virshort.errors import run
from virshort.files import whole

PACKAGES = (
    "biopython",
    "jinja2",
    "matplotlib",
    "multiqc",
    "numba",
    "numpy",
    "pyarrow",
    "safetensors",
    "scipy",
    "sourmash",
    "torch",
    "xopen",
)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--nextflow", required=True, help="version of Nextflow")
    p.add_argument("--out", type=Path, required=True, help="YAML file to write")
    args = p.parse_args()

    found = {"virshort": __version__, "nextflow": args.nextflow, "python": platform.python_version()}
    found |= {name: version(name) for name in PACKAGES}
    with whole(args.out) as path:
        path.write_text(yaml.safe_dump(found, sort_keys=False))


if __name__ == "__main__":
    run(main)
