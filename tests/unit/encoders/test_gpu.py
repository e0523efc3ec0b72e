"""What a user is told about a GPU that cannot be used: torch's states, pretended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from harness import ROOT
from virshort.encoders.gpu import capabilities, require_gpu
from virshort.errors import InputError

GIB = 1 << 30


@pytest.fixture
def card(monkeypatch):
    """An H100 that works; a test spoils one thing of it."""
    state = SimpleNamespace(init=lambda: None, free=70 * GIB, capability=(9, 0), architectures=["sm_75", "sm_90", "sm_120"])
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    monkeypatch.setattr(torch.cuda, "init", lambda: state.init())
    monkeypatch.setattr(
        torch.cuda,
        "get_device_properties",
        lambda _i: SimpleNamespace(name="NVIDIA H100", major=state.capability[0], minor=state.capability[1]),
    )
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _i: (state.free, 80 * GIB))
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: state.architectures)
    return state


def refusal() -> str:
    with pytest.raises(InputError) as caught:
        require_gpu()
    assert "--allow_cpu" in str(caught.value)
    return str(caught.value)


@pytest.mark.usefixtures("card")
def test_a_gpu_that_works():
    gpu = require_gpu()
    assert (gpu.name, gpu.capability, gpu.free, gpu.total) == ("NVIDIA H100", (9, 0), 70 * GIB, 80 * GIB)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("Found no NVIDIA driver on your system. Please check", "has no GPU or no driver"),
        ("The NVIDIA driver on your system is too old (found version 12040). Please", "too old for CUDA 13.2.*580 or newer"),
        ("CUDA driver version is insufficient for CUDA runtime version", "too old for CUDA 13.2"),
        ("CUDA error: out of memory\nCUDA kernel errors might be", "too small, or in use by other programs"),
        ("CUDA error: no kernel image is available for execution on the device\nCUDA kernel", "no kernels for this GPU"),
        ("CUDA unknown error - this may be due to\nan incorrectly set up environment", "unknown error - this may be due to\\)"),
    ],
)
def test_what_cuda_complains_of(card, error, said):
    def init():
        raise RuntimeError(error)

    card.init = init
    with pytest.raises(InputError, match=said):
        require_gpu()


@pytest.mark.parametrize(
    ("visible", "said"),
    [(None, "the driver shows none"), ("", "CUDA_VISIBLE_DEVICES is ''"), ("7", "CUDA_VISIBLE_DEVICES is '7'")],
)
def test_no_gpu_is_visible(card, monkeypatch, visible, said):
    def init():
        raise RuntimeError("No CUDA GPUs are available")

    card.init = init
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert said in refusal()


@pytest.mark.usefixtures("card")
def test_pytorch_without_cuda(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "built without CUDA" in refusal()


def test_a_gpu_that_is_too_old(card):
    card.capability = (7, 0)
    assert "capability 7.0" in refusal() and "supports (7.5)" in refusal()


def test_a_slice_without_room(card):
    card.free = GIB // 2
    assert "0.5 of 80.0 GiB free, and 2 GiB are needed" in refusal()


def test_capabilities():
    assert capabilities(["sm_75", "sm_90a", "sm_120", "compute_120"]) == [(7, 5), (9, 0), (12, 0)]


def test_the_script_stops_without_a_gpu(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, ROOT / "bin/check_gpu.py", "--out", tmp_path / "gpu.json"],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and line.startswith("virshort: ") and not (tmp_path / "gpu.json").exists()


# bin/on_one_gpu.sh

SMI = {
    "two cards": "GPU 0: NVIDIA A100 (UUID: GPU-aa)\nGPU 1: NVIDIA A100 (UUID: GPU-bb)",
    "slices": "GPU 0: NVIDIA A100 (UUID: GPU-aa)\n  MIG 1g.10gb     Device  0: (UUID: MIG-cc)\n"
    "  MIG 1g.10gb     Device  1: (UUID: MIG-dd)\nGPU 1: NVIDIA A100 (UUID: GPU-bb)",
    "broken driver": "",
}
PRINT = [sys.executable, "-c", "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'))"]


@pytest.fixture
def machine(tmp_path: Path):
    """Call on_one_gpu.sh on a machine whose nvidia-smi prints `smi`; None: that has none."""

    def start(*args: object, smi: str | None = None, **env: str) -> subprocess.Popen[str]:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "nvidia-smi").unlink(missing_ok=True)
        if smi is not None:
            (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{'cat <<E' if smi else 'exit 9'}\n{smi}\nE\n")
            (folder / "nvidia-smi").chmod(0o755)
        rest = {k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"}
        path = f"{folder}:/usr/bin:/bin"
        return subprocess.Popen(
            [ROOT / "bin/on_one_gpu.sh", *args],
            env=rest | {"PATH": path} | env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    return start


def answer(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out.strip()


@pytest.mark.parametrize(("smi", "count"), [("two cards", "2"), ("slices", "3"), ("broken driver", "0"), ("none", "0")])
def test_count(machine, smi, count):
    assert answer(machine("--count", smi=SMI.get(smi))) == count


@pytest.mark.parametrize(("visible", "count"), [("0,2", "2"), ("", "0"), ("MIG-cc", "1")])
def test_only_what_the_user_lets_us_have_counts(machine, visible, count):
    assert answer(machine("--count", smi=SMI["two cards"], CUDA_VISIBLE_DEVICES=visible)) == count


def test_without_a_gpu_the_command_just_runs(machine, tmp_path):
    assert answer(machine(tmp_path / "locks", *PRINT)) == "None"


def test_a_task_has_a_gpu_to_itself_whatever_ends_first(machine, tmp_path):
    holder = [sys.executable, "-uc", "import os; print(os.environ['CUDA_VISIBLE_DEVICES']); input()"]
    options = {"smi": SMI["two cards"]}
    first, second = (machine(tmp_path / "a b" / "locks", *holder, **options) for _ in range(2))
    held = [first.stdout.readline().strip(), second.stdout.readline().strip()]
    assert sorted(held) == ["GPU-aa", "GPU-bb"]

    third = machine(tmp_path / "a b" / "locks", *PRINT, **options)
    time.sleep(2.5)
    assert third.poll() is None, "all are taken: it waits"
    second.send_signal(signal.SIGKILL)  # the lock goes with the process, however that ends
    assert answer(third) == held[1]
    second.communicate()
    first.communicate("\n")


def test_the_commands_exit_code_is_the_tasks(machine, tmp_path):
    process = machine(tmp_path, sys.executable, "-c", "raise SystemExit(137)", smi=SMI["two cards"])
    process.communicate()
    assert process.returncode == 137
