#!/usr/bin/env python3
"""Fetch language models' weights: from the hub at the pinned revision, or from a folder; checked, as safetensors."""

import argparse
from pathlib import Path

from virshort.encoders.fetching import fetch
from virshort.encoders.published import LOCAL, PUBLISHED
from virshort.errors import InputError, run


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("encoders", nargs="+", metavar="ENCODER", choices=list(PUBLISHED), help=", ".join(PUBLISHED))
    p.add_argument("--out", type=Path, required=True, help="a folder is made in it for each encoder")
    p.add_argument("--weights", type=Path, help="take the files from DIR/<encoder> and use no network")
    p.add_argument("--revision", help=f"another commit than the pinned one, or '{LOCAL}': the files of --weights as they are")
    p.add_argument("--cache", type=Path, help="where interrupted downloads go on (default: a folder in --out)")
    a = p.parse_args()
    if a.revision and a.revision != LOCAL and len(a.encoders) > 1:
        raise InputError("--revision: a commit belongs to one model: fetch the encoders one by one")
    for encoder in a.encoders:
        found = fetch(encoder, a.out, a.weights, a.revision, a.cache, lambda line: print(line, flush=True))
        pinned = "pinned" if found.pinned else "NOT pinned"
        print(f"{encoder}: revision {found.revision} ({pinned}), digest {found.digest}", flush=True)


if __name__ == "__main__":
    run(main)
