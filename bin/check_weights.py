#!/usr/bin/env python3
"""Test the language models' real weights on this machine: known answers, tokens, norms, batches, precision, rate."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from Bio import SeqIO

from virshort.encoders.fetching import fetch
from virshort.encoders.language_models import load_language_model
from virshort.encoders.published import PUBLISHED, published
from virshort.encoders.self_test import SelfTestResult, check_model, near
from virshort.encoders.weights import RECORD, verify
from virshort.errors import InputError, run
from virshort.features.virnucpro import read_part

VIRNUCPRO = {"dna": ("nucleotide.fa", "output_1_DNABERT_S.pt"), "protein": ("protein.faa", "output_1_ESM.pt")}
"""The sequences and rows of VirNucPro's outputs, by modality."""


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--weights", type=Path, required=True, help="the folder that holds dnabert-s, esm2-650m, ...")
    p.add_argument("--encoders", nargs="+", choices=list(PUBLISHED), help="default: all that are there")
    p.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    p.add_argument("--windows", type=int, default=64, help="random sequences to test with (default: %(default)s)")
    p.add_argument(
        "--reference",
        type=Path,
        help="a folder of VirNucPro's outputs: nucleotide.fa, output_1_DNABERT_S.pt, "
        "protein.faa, output_1_ESM.pt: whatever model is as wide must agree with them",
    )
    args = p.parse_args()
    encoders = args.encoders or [name for name in PUBLISHED if (args.weights / name).is_dir()]
    if not encoders:
        raise InputError(f"{args.weights}: holds no folder {', '.join(PUBLISHED)}: fill it by bin/fetch_weights.py")
    wrong = 0
    for name in encoders:
        print(f"{name}\n", flush=True)
        for check in checks(name, args):
            said = {True: "yes", False: "NO", None: "-"}[check.ok]
            print(f"  {check.name:<34}  {check.expected:<30}  {check.found:<40}  {said}", flush=True)
            wrong += check.ok is False
        print()
    print(f"{wrong} of the checks failed: do not use these weights" if wrong else "all is as it must be")
    sys.exit(1 if wrong else 0)


def checks(name: str, args: argparse.Namespace) -> Iterator[SelfTestResult]:
    """The checks of one encoder, its files first. Raises InputError where a file is not what it must be."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.weights
        if not (folder / name / RECORD).is_file():  # as published: made ready first
            folder = Path(temporary)
            fetch(name, folder, args.weights, log=silent)
        weights = verify(folder, name)
        yield SelfTestResult("files, by checksum", "the pinned ones", f"revision {weights.revision}", weights.pinned)
        yield from check_model(name, folder, args.device, args.windows, silent)
        if args.reference:
            yield from agreement(name, folder, args)


def agreement(name: str, folder: Path, args: argparse.Namespace) -> Iterator[SelfTestResult]:
    """Rows of VirNucPro's own files, if they are of a model as wide as this one."""
    fasta, part = VIRNUCPRO[published(name).modality]
    ids, expected = read_part(args.reference / part)
    if expected.shape[1] == published(name).dim:
        sequences = {record.id: bytes(record.seq) for record in SeqIO.parse(args.reference / fasta, "fasta")}
        rows = load_language_model(name, folder, "fp32", args.device, log=silent).embed([sequences[i] for i in ids])
        yield near(f"VirNucPro's {part}", rows, expected)


def silent(_line: str) -> None:
    """For what is said elsewhere."""


if __name__ == "__main__":
    run(main)
