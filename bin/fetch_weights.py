#!/usr/bin/env python3
"""Fetch the weights of language models from the hub or from a folder, check them, and store them as safetensors."""

import argparse
from pathlib import Path

from virshort.encoders.checksums import LOCAL
from virshort.encoders.fetching import fetch, is_pinned
from virshort.encoders.rows import SHIPPED, read_rows, row_of
from virshort.errors import InputError, nearest, run
from virshort.files import read_json


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("encoders", nargs="+", metavar="ENCODER", help="rows of assets/encoders.yaml or of --encoders-file")
    source = p.add_mutually_exclusive_group()
    source.add_argument("--encoders-file", type=Path, help="your own rows, or changed keys of these")
    source.add_argument("--row", type=Path, help="the row of the one encoder, completed (JSON)")
    p.add_argument("--out", type=Path, required=True, help="the folder in which each encoder gets a folder")
    p.add_argument("--weights", type=Path, help="take the files from DIR/<encoder>, without a network")
    p.add_argument(
        "--revision", help=f"a commit other than the pinned one, or '{LOCAL}' for the files of --weights as they are"
    )
    p.add_argument("--cache", type=Path, help="keeps interrupted downloads, to be continued (default: --out)")
    a = p.parse_args()
    if a.revision and a.revision != LOCAL and len(a.encoders) > 1:
        raise InputError("--revision: a commit belongs to one model, so fetch the encoders one by one")
    rows = (
        {a.encoders[0]: row_of(a.encoders[0], read_json(a.row))}
        if a.row
        else read_rows([SHIPPED, *([a.encoders_file] if a.encoders_file else [])])
    )
    for encoder in a.encoders:
        if encoder not in rows:
            raise InputError(f"{encoder} is not a language model that can be fetched: {nearest(encoder, rows)}")
    for encoder in a.encoders:
        row = rows[encoder]
        found = fetch(row, a.out, a.weights, a.revision, a.cache, lambda line: print(line, flush=True))
        pinned = "pinned" if is_pinned(found, row) else "NOT pinned"
        print(f"{encoder}: revision {found.revision} ({pinned}), digest {found.digest}", flush=True)
        if row.licence or row.citation:
            print(f"{encoder}: licence {row.licence or 'not stated'}; cite {row.citation or 'its repository'}", flush=True)


if __name__ == "__main__":
    run(main)
