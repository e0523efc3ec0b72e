#!/usr/bin/env python3
"""Check that PyTorch can use a GPU, and stop with the remedy if it cannot."""

import argparse
from dataclasses import asdict
from pathlib import Path

import torch

from virshort.encoders.gpu import require_gpu
from virshort.errors import run
from virshort.files import write_json


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--out", type=Path, required=True, help="gpu.json: what was found")
    args = p.parse_args()

    gpu = require_gpu()
    write_json(args.out, asdict(gpu) | {"torch": torch.__version__, "cuda": torch.version.cuda})
    print(f"{gpu.name}: {gpu.free / 2**30:.1f} of {gpu.total / 2**30:.1f} GiB free")


if __name__ == "__main__":
    run(main)
