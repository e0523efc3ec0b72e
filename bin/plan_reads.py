#!/usr/bin/env python3
"""Read the sheet of reads and the record of the model, refuse invalid ones, and write what the run needs."""

import argparse
from dataclasses import asdict
from pathlib import Path

from virshort.calls.decisions import parse_threshold
from virshort.calls.truth_table import check_samples, read_truth
from virshort.errors import run
from virshort.files import write_json
from virshort.model.checking import check_files, read_record
from virshort.model.thresholds import check_threshold
from virshort.reads.plan import make_plan
from virshort.reads.sheet import read_sheet


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--reads", type=Path, required=True, help="CSV: sample,fastq_1[,fastq_2]")
    p.add_argument("--model", type=Path, required=True, help="the folder of a model")
    p.add_argument("--weights-revision", help="local, or ENCODER=REVISION, comma-separated (default: the pinned ones)")
    p.add_argument("--threshold", required=True, help="fpr_1e-2, fpr_1e-3, balanced, or a score from 0 to 1")
    p.add_argument("--truth", type=Path, help="table of reads whose labels are known: sample, read, label[, group]")
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args()

    record = read_record(args.model)
    checked = check_files(args.model, record)
    if isinstance(threshold := parse_threshold(args.threshold), str):
        check_threshold(record, threshold)
    samples = read_sheet(args.reads)
    if args.truth:
        check_samples(args.truth, read_truth(args.truth), {sample.name for sample in samples})
    plan = make_plan(samples, record, checked, args.weights_revision)
    write_json(args.out, asdict(plan))
    print(f"{len(samples)} samples; a model of the arm {plan.arm}")


if __name__ == "__main__":
    run(main)
