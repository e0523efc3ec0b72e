"""Shared by the tests of containers: sizes of a small experiment, and how an image is built on a small virtual machine."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import harness
from harness import ROOT

TINY = (
    *harness.TINY,
    "--arms",
    "finetune",
)
IMAGE = "localhost/virshort:0.1.0"
BASE = "localhost/virshort-base:bookworm"
CERTIFICATES = Path(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"))

# Settings for a small virtual machine without systemd. Each use sets netns.
CONTAINERS_CONF = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
netns = "{netns}"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


def needed(*programs: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("images are built only by root in these tests")
    if missing := [name for name in programs if shutil.which(name) is None]:
        pytest.skip(f"not installed: {', '.join(missing)} (.ci/packages)")


def podman_settings(folder: Path, netns: str) -> dict[str, str]:
    path = folder / f"containers_{netns}.conf"
    path.write_text(CONTAINERS_CONF.format(netns=netns))
    return {"CONTAINERS_CONF": str(path)}


def pip_cache() -> Path | None:
    """pip's cache, if the set-up has filled it, so that packages are not downloaded again."""
    done = subprocess.run([ROOT / ".venv/bin/python", "-m", "pip", "cache", "dir"], capture_output=True, text=True, check=True)
    path = Path(done.stdout.strip())
    return path if sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) > 1 << 30 else None
