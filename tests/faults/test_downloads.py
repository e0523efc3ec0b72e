"""A download that is killed in the middle is continued, and half a file is never taken for a whole one."""

import hashlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from harness import ROOT, Started, environment, nextflow
from hub import COMMIT, Hub
from shipped_rows import ROWS
from slurm_cluster import until


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Serves files with the names of esm2-8m and about its size, which the client writes in pieces of 10 MB."""
    repo = tmp_path / "hub" / ROWS["esm2-8m"].published.repo
    repo.mkdir(parents=True)
    (repo / "config.json").write_text("{}")
    (repo / "vocab.txt").write_text("<cls>\n")
    save_file({"weight": np.random.default_rng(1).standard_normal((4 << 20, 2), dtype=np.float32)}, repo / "model.safetensors")
    server = Hub(tmp_path / "hub")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_killed_download_goes_on_and_a_whole_one_is_never_repeated(hub: Hub, tmp_path: Path) -> None:
    store = tmp_path / "a store"
    env = environment(HF_ENDPOINT=hub.url)
    (tmp_path / "row.json").write_text(json.dumps(ROWS["esm2-8m"].keys))
    env["PATH"] = os.pathsep.join([str(ROOT / "bin"), env["PATH"]])
    words = (
        "run",
        ROOT / "tests/pipeline/nf/fetch.nf",
        "-resume",
        "--encoder",
        "esm2-8m",
        "--row",
        tmp_path / "row.json",
        "--revision",
        COMMIT,
        "--store",
        store,
    )
    data = (hub.folder / ROWS["esm2-8m"].published.repo / "model.safetensors").read_bytes()
    part = store / ".partial-esm2-8m" / f"model.safetensors.{hashlib.sha256(data).hexdigest()}.part"
    place = store / "esm2-8m" / COMMIT / "esm2-8m"

    hub.rest = threading.Event()  # only half is sent
    started = Started(*words, folder=tmp_path, env=env)
    until(lambda: (part.exists() and part.stat().st_size > 0) or started.process.poll() is not None, 120, "half a file")
    os.killpg(started.process.pid, signal.SIGKILL)  # the task and Nextflow, as when a machine fails
    assert started.finish().returncode == -signal.SIGKILL
    size = part.stat().st_size
    assert 0 < size < len(data) and not place.exists()
    hub.rest.set()

    again = nextflow(*words, folder=tmp_path, env=env)
    assert again.returncode == 0, again.stdout
    assert hub.ranges == [size]
    assert f"fetched {place}" in again.stdout
    assert (place / "model.safetensors").read_bytes() == data and not list(store.glob(".partial*"))
    third = nextflow(*words, folder=tmp_path, env=env | {"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert third.returncode == 0 and f"fetched {place}" in third.stdout, third.stdout
