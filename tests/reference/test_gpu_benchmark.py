"""benchmarks/gpu.py runs without a GPU, small, so that it is ready when there is one."""

import json
import subprocess
import sys
from pathlib import Path

from harness import ROOT


def test_every_part_runs_on_a_cpu(tmp_path: Path) -> None:
    script = ROOT / "benchmarks/gpu.py"
    small = [
        "--device",
        "cpu",
        "--layers",
        "1",
        "--windows",
        "20",
        "--rounds",
        "1",
        "--budget",
        "128",
        "--out",
        str(tmp_path / "gpu.json"),
    ]
    done = subprocess.run([sys.executable, str(script), *small], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    found = json.loads((tmp_path / "gpu.json").read_text())
    ran = set(found["seconds"])
    assert {"kernels", "ports", "share", "rates", "budgets", "attention", "profile", "loading", "head", "ways"} <= ran
    assert found["ports"]["dnabert-s: bfloat16 and fp32"] > 0.999 < found["ports"]["esm2-650m: bfloat16 and fp32"]
