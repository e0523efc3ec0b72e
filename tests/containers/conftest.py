"""The image, built once for all tests, in Podman and in Docker."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest

from engines import BASE, CERTIFICATES, IMAGE, needed, pip_cache, podman_settings
from harness import ROOT


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The image, built by `make image` on a base of the distribution's packages. Returns variables for Podman's environment.

    The image stays in Podman's storage, so that the next build takes only seconds.
    """
    needed("podman", "runc", "mmdebstrap")
    if shutil.disk_usage("/var/lib").free < 30 << 30:
        pytest.skip("less than 30 GB are free in /var/lib")
    folder = tmp_path_factory.mktemp("image")
    env = os.environ | podman_settings(folder, "host")
    if subprocess.run(["podman", "image", "exists", BASE], env=env).returncode:
        base = folder / "base.tar"
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", "bookworm", base], check=True)
        subprocess.run(["podman", "import", "--quiet", base, BASE], env=env, check=True)
        base.unlink()
    flags = ["--pull=never", f"--build-arg=BASE={BASE}", f"--secret=id=pip.conf,src={folder}/pip.conf"]
    settings = ["[global]", "timeout = 180"]
    if CERTIFICATES.exists():
        flags.append(f"--secret=id=ca.crt,src={CERTIFICATES}")
        settings.append("cert = /run/secrets/ca.crt")
    if cache := pip_cache():
        flags.append(f"--volume={cache}:/run/pip")
        settings.append("cache-dir = /run/pip")
    (folder / "pip.conf").write_text("\n".join(settings) + "\n")
    done = subprocess.run(
        ["make", "image", "ENGINE=podman", f"BUILD_FLAGS={' '.join(flags)}"],
        cwd=ROOT,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return podman_settings(folder, "none") | {"BUILD_FLAGS": " ".join(flags)}  # no task needs a network


@pytest.fixture(scope="session")
def docker(podman: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Docker daemon for the tests alone, without a network, that holds the image. Returns variables for its client."""
    needed("dockerd", "docker", "containerd")
    folder = tmp_path_factory.mktemp("docker")
    socket = folder / "docker.sock"
    daemon = subprocess.Popen(
        [
            "dockerd",
            "--data-root",
            folder / "data",
            "--exec-root",
            folder / "exec",
            "-p",
            folder / "pid",
            "-H",
            f"unix://{socket}",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-masq=false",
            "--ip-forward=false",
            "--bridge=none",
            "--storage-driver=overlay2",
            "--exec-opt",
            "native.cgroupdriver=cgroupfs",
        ],
        stdout=(folder / "log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    env = {"DOCKER_HOST": f"unix://{socket}"}
    try:
        for _ in range(300):
            if not subprocess.run(["docker", "info"], env=os.environ | env, capture_output=True).returncode:
                break
            assert daemon.poll() is None, (folder / "log").read_text()[-3000:]
            time.sleep(0.1)
        with subprocess.Popen(["podman", "save", IMAGE], env=os.environ | podman, stdout=subprocess.PIPE) as save:
            subprocess.run(["docker", "load", "--quiet"], env=os.environ | env, stdin=save.stdout, check=True)
        assert save.returncode == 0
        yield env
    finally:
        daemon.terminate()
        daemon.wait(60)
        shutil.rmtree(folder, ignore_errors=True)
