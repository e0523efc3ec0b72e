#!/usr/bin/env python3
"""Print the card of a model, or check that its files are those that were written."""

import argparse
from pathlib import Path

from virshort.errors import run
from virshort.model.checking import check_files, read_record
from virshort.model.record import CARD


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("model", type=Path, help="the folder model/ of a run's results")
    p.add_argument("--verify", action="store_true", help="check the digests of all files instead of printing the card")
    args = p.parse_args()

    record = read_record(args.model)
    check_files(args.model, record)
    if args.verify:
        print(f"{args.model}: {record['arm']}, digest {record['digest']}: all {len(record['files']) + 1} files are intact")
    else:
        print((args.model / CARD).read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    run(main)
