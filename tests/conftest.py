"""Fixtures for all tests: the real data, a run of the pipeline, and one demo run that many tests look at."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from harness import ROOT, WITHOUT_NETWORK, Run, Small, nextflow_within, run_nextflow
from slurm_cluster import Cluster, lacking
from small_reads import SmallReads

settings.register_profile("virshort", deadline=None)  # no test is timed: machines may be busy
settings.load_profile("virshort")


ORDER = (
    "test_images",
    "test_killed",
    "test_resume",
    "test_experiment",
    "test_disks",
    "test_slurm",
    "test_models_in_a_run",
    "containers",
    "faults",
    "pipeline",
)
"""The files and folders of tests that take longest, in the order in which they start; all others follow. Running side by side,
they then end at about the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return min((ORDER.index(name) for name in (item.path.stem, item.path.parent.name) if name in ORDER), default=len(ORDER))

    items.sort(key=place)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the repository."""
    path = ROOT.parent / "shared"
    if not (path / "data").is_dir():
        pytest.skip(f"no real data: {path} is absent")
    return path


@pytest.fixture
def run_pipeline(tmp_path: Path) -> Callable[..., Run]:
    """run_nextflow in a folder of the test's own: run_pipeline("-profile", "test", "--folds", 3)."""

    def call(*args: object, folder: Path = tmp_path, **options: object) -> Run:
        return run_nextflow(*args, folder=folder, **options)

    return call


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo, run once for all tests, without any network where that can be taken away. Tests leave it as it is."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, record = base / "demo", base / "demo.json"
    with FileLock(base / "demo.lock"):
        if not record.exists():
            run = run_nextflow(
                "-profile", "test", folder=folder, users_trace=True, PATH=nextflow_within(base / "demo_path", *WITHOUT_NETWORK)
            )
            record.write_text(json.dumps({"rc": run.rc, "output": run.output, "trace": run.trace, "seconds": run.seconds}))
    run = Run(folder, folder / "out", **json.loads(record.read_text()))
    assert run.rc == 0, run.output
    return run


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """A small experiment, run once; tests resume it, and leave its pipeline and results as they were."""
    return Small(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def small_reads(small: Small, tmp_path_factory: pytest.TempPathFactory) -> SmallReads:
    """Reads classified by the model of the small experiment, without any network where that can be taken away; tests resume
    this run, and leave it as it was."""
    base = tmp_path_factory.mktemp("small_reads")
    return SmallReads(base, small, PATH=nextflow_within(base / "path", *WITHOUT_NETWORK))


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Options of a run whose DNA is read by a small random DNABERT-S, and its proteins by k-mers."""
    from make_random_models import TOKENIZER, make  # torch takes seconds to import

    if not TOKENIZER.exists():
        pytest.skip("the DNABERT-S tokenizer is not here")
    weights = tmp_path_factory.mktemp("weights")
    make(weights, "dnabert-s", 24, 1)
    return {"dna_encoder": "dnabert-s", "protein_encoder": "kmer-protein", "weights": weights, "weights_revision": "local"}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real Slurm, where one can be started."""
    if reason := lacking():
        pytest.skip(reason)
    started = Cluster(tmp_path_factory.mktemp("slurm"))
    yield started
    started.stop()
