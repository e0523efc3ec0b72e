#!/usr/bin/env python3
"""Read a head that was trained elsewhere, check that it fits the baseline's inputs, and write it in virshort's form."""

import argparse
from pathlib import Path

from virshort.arm_record import Arm
from virshort.errors import run
from virshort.files import read_json
from virshort.heads.model_files import write_head
from virshort.heads.pretrained import read_pretrained


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--head", type=Path, required=True, help="model.safetensors, with model.json beside it, or a .pth")
    p.add_argument("--arm", type=Path, required=True, help="the baseline's row of arms.json")
    p.add_argument("--inputs", type=int, required=True, help="numbers in a row of the baseline's features")
    p.add_argument("--out", type=Path, required=True, help="folder for model.safetensors and model.json")
    args = p.parse_args()

    arm: Arm = read_json(args.arm)
    head = read_pretrained(args.head, args.inputs, arm)
    write_head(args.out, head.tensors, {"threshold": head.threshold, "encoders": head.encoders, "pretrained": head.origin})
    print(
        f"{args.head.name} ({head.origin['form']}): {args.inputs} inputs, threshold {head.threshold:.4g}, "
        f"SHA-256 {head.origin['sha256']}"
    )


if __name__ == "__main__":
    run(main)
