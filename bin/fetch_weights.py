#!/usr/bin/env python3
"""Fetch the weights of language models from the hub or from a folder, check them, and store them as safetensors."""

import argparse
from pathlib import Path

from virshort.encoders.checksums import LOCAL
from virshort.encoders.fetching import fetch, is_pinned
from virshort.encoders.published import PUBLISHED
from virshort.errors import InputError, run


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("encoders", nargs="+", metavar="ENCODER", choices=list(PUBLISHED), help=", ".join(PUBLISHED))
    p.add_argument("--out", type=Path, required=True, help="the folder in which each encoder gets a folder")
    p.add_argument("--weights", type=Path, help="take the files from DIR/<encoder>, without a network")
    p.add_argument(
        "--revision", help=f"a commit other than the pinned one, or '{LOCAL}' for the files of --weights as they are"
    )
    p.add_argument("--cache", type=Path, help="keeps interrupted downloads, to be continued (default: --out)")
    a = p.parse_args()
    if a.revision and a.revision != LOCAL and len(a.encoders) > 1:
        raise InputError("--revision: a commit belongs to one model, so fetch the encoders one by one")
    for encoder in a.encoders:
        found = fetch(encoder, a.out, a.weights, a.revision, a.cache, lambda line: print(line, flush=True))
        pinned = "pinned" if is_pinned(found) else "NOT pinned"
        print(f"{encoder}: revision {found.revision} ({pinned}), digest {found.digest}", flush=True)


if __name__ == "__main__":
    run(main)
