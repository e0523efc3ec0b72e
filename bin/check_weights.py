#!/usr/bin/env python3
"""Test the weights of language models on this machine: known answers, tokens, norms, batches, precision and rate."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from Bio import SeqIO

from virshort.encoders.fetching import fetch, is_pinned, verify
from virshort.encoders.rows import SHIPPED, Row, read_rows
from virshort.encoders.self_test import SelfTestResult, check_model, load_model, near
from virshort.encoders.weights import RECORD
from virshort.errors import InputError, nearest, run
from virshort.features.virnucpro import read_part

VIRNUCPRO = {"dna": ("nucleotide.fa", "output_1_DNABERT_S.pt"), "protein": ("protein.faa", "output_1_ESM.pt")}
"""VirNucPro's output files with the sequences and with their rows, by modality."""


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--weights", type=Path, required=True, help="the folder that holds dnabert-s, esm2-650m, ...")
    p.add_argument("--encoders", nargs="+", help="default: all that the folder holds")
    p.add_argument("--encoders-file", type=Path, help="your own rows beside those of assets/encoders.yaml")
    p.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    p.add_argument("--windows", type=int, default=64, help="random sequences to test with (default: %(default)s)")
    p.add_argument(
        "--reference",
        type=Path,
        help="a folder of VirNucPro's outputs (nucleotide.fa, output_1_DNABERT_S.pt, protein.faa, output_1_ESM.pt), with which "
        "the models of the same width must agree",
    )
    args = p.parse_args()
    rows = read_rows([SHIPPED, *([args.encoders_file] if args.encoders_file else [])])
    encoders = args.encoders or [name for name in rows if (args.weights / name).is_dir()]
    if not encoders:
        raise InputError(f"{args.weights}: holds none of the folders {', '.join(rows)}: fill it with bin/fetch_weights.py")
    for name in encoders:
        if name not in rows:
            raise InputError(f"--encoders {name}: {nearest(name, rows)}")
    failed = 0
    for name in encoders:
        print(f"{name}\n", flush=True)
        for check in checks(rows[name], args):
            answer = {True: "yes", False: "NO", None: "-"}[check.ok]
            print(f"  {check.name:<34}  {check.expected:<30}  {check.found:<40}  {answer}", flush=True)
            failed += check.ok is False
        print()
    print(f"{failed} checks failed: do not use these weights" if failed else "all checks passed")
    sys.exit(1 if failed else 0)


def checks(row: Row, args: argparse.Namespace) -> Iterator[SelfTestResult]:
    """The checks of one encoder, beginning with its files. Raises InputError for a file that is not the published one."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.weights
        if not (folder / row.name / RECORD).is_file():  # as published: store them first as a fetch does
            folder = Path(temporary)
            fetch(row, folder, args.weights if (args.weights / row.name).is_dir() else None, log=silent)
        weights = verify(folder, row.name)
        pinned = is_pinned(weights, row) if row.published.repo and row.published.revision else None
        expected = "the pinned ones" if pinned is not None else "- (none is pinned)"
        yield SelfTestResult("files, by checksum", expected, f"revision {weights.revision}", pinned)
        yield from check_model(row, folder, args.device, args.windows, silent)
        if args.reference:
            yield from agreement(row, folder, args)


def agreement(row: Row, folder: Path, args: argparse.Namespace) -> Iterator[SelfTestResult]:
    """Agreement with the rows of VirNucPro's own files, if their model has the same width as this one."""
    fasta, part = VIRNUCPRO[row.modality]
    ids, expected = read_part(args.reference / part)
    if expected.shape[1] == row.dim:
        sequences = {record.id: bytes(record.seq) for record in SeqIO.parse(args.reference / fasta, "fasta")}
        rows = load_model(row, folder, "fp32", args.device, silent).embed([sequences[i] for i in ids])
        yield near(f"VirNucPro's {part}", rows, expected)


def silent(_line: str) -> None:
    """A log that drops its lines, since the table says it all."""


if __name__ == "__main__":
    run(main)
