"""A resumed run computes only what depends on a change, and the result never depends on how the work is divided.

All runs are of one small experiment (harness.Small), from a copy of the pipeline that tests may edit. Which modules each script
depends on is listed in test_code.py; here a few edits show that exactly the processes that depend on them run again.
"""

import gzip
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness import ROOT, Small, edited, outcome
from virshort.model.opening import read_record


def test_after_success_nothing_is_computed_again(small: Small) -> None:
    run = small.resumed()
    assert run.executed() == set()
    assert outcome(run.results) == small.outcome


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            [
                "assets/report/style.css",
                "bin/compare.py",
                "bin/novelty.py",
                "bin/check_input.py",
                "bin/mask.py",
                "bin/virshort/encoders/esm2.py",  # no step of this run reads proteins with ESM-2
            ],
            {"REPORT", "COMPARE", "NOVELTY", "CHECK_INPUT", "MASK"},
        ),
        (
            ["bin/embed.py", "bin/virshort/heads/training.py"],
            {"EMBED_KMERS", "TRAIN_BASELINE", "TRAIN", "EVALUATE", "COMPARE", "MODEL", "REPORT"},
        ),
    ],
    ids=["checks and report", "embedding and training"],
)
def test_an_edit_runs_the_steps_that_depend_on_it_and_no_others(small: Small, files: list[str], expected: set[str]) -> None:
    """A comment changes no output, so the steps that follow see the same content and stay cached. (Models and evaluations are
    folders, which the cache knows only by name.)"""
    with ExitStack() as edits:
        for file in files:
            comment = "\n/* a comment */\n" if file.endswith(".css") else "\n# a comment\n"
            edits.enter_context(edited(small.pipeline / file, lambda text, comment=comment: text + comment))
        run = small.resumed()
    assert run.executed() == expected
    assert outcome(run.results) == small.outcome


def test_a_larger_test_set_trains_nothing(small: Small) -> None:
    run = small.resumed(test_windows=500)
    assert not run.executed() & {"TRAIN_BASELINE", "TRAIN", "CLUSTER", "SPLIT", "MASK"}
    assert run.executed() >= {"SAMPLE_WINDOWS", "EMBED_KMERS", "EVALUATE", "COMPARE"}
    trained = [row["name"] for row in run.trace if "train/" in row["name"] and row["status"] != "CACHED"]
    assert trained == []


def test_one_arm_changed_trains_one_arm(small: Small, tmp_path: Path) -> None:
    arms = tmp_path / "arms.yaml"
    arms.write_text((ROOT / "assets/arms.yaml").read_text().replace("modalities: [dna]", "modalities: [dna]\n  dropout: 0.2"))
    run = small.resumed(arms_file=arms)
    assert run.executed() == {"PLAN", "TRAIN", "EVALUATE", "COMPARE", "MODEL", "TRACE", "REPORT"}
    assert [row["name"].split(":")[-1] for row in run.trace if "TRAIN" in row["name"] and row["status"] != "CACHED"] == [
        "TRAIN (dna_only)"
    ]


def test_another_model_is_written_without_computing_anything_else(small: Small) -> None:
    """The report lists all parameters, so it is written again too."""
    run = small.resumed(model_arm="baseline")
    assert run.executed() == {"MODEL", "REPORT"}
    assert read_record(run.results / "model")["arm"] == "baseline"


@pytest.fixture
def one_base_changed(small: Small) -> Iterator[None]:
    """The samplesheet's genomes with one base of the first non-viral record replaced."""
    path = small.genomes / "nonviral.fa.gz"
    before = path.read_bytes()
    header, bases = gzip.decompress(before).split(b"\n", 1)
    path.write_bytes(gzip.compress(header + b"\n" + (b"C" if bases[:1] in b"Aa" else b"A") + bases[1:], mtime=0))
    yield
    path.write_bytes(before)


@pytest.mark.usefixtures("one_base_changed")
def test_one_base_changed_embeds_the_shards_that_hold_it_only(small: Small) -> None:
    run = small.resumed()
    assert {"CHECK_INPUT", "CLUSTER", "MASK", "SAMPLE_WINDOWS"} <= run.executed()
    embedded = [row for row in run.trace if row["process"].endswith("EMBED_KMERS")]
    changed = {row["name"].split(maxsplit=2)[2] for row in embedded if row["status"] != "CACHED"}  # pool and shard
    assert len(changed) <= 4 < len({row["name"].split(maxsplit=2)[2] for row in embedded}), changed


def test_shards_cores_and_parser_change_no_result(small: Small, tmp_path: Path) -> None:
    (tmp_path / "more.config").write_text("process { withLabel: 'parallel' { cpus = 2 } }\nexecutor { queueSize = 1 }\n")
    run = small.run("-c", tmp_path / "more.config", folder=tmp_path, parser="v2", windows_per_shard=300)
    assert outcome(run.results) == small.outcome
    again = small.run("-resume", "-c", tmp_path / "more.config", folder=tmp_path, parser="v2", windows_per_shard=300)
    assert again.executed() == set()


def test_another_seed_gives_other_windows(small: Small) -> None:
    run = small.resumed(seed=43, outdir="other", arms="finetune", replicates=1)
    found = {path: digest for path, digest in outcome(run.results).items() if path.endswith((".parquet", ".safetensors"))}
    assert len(found) == 12 and found.keys() <= small.outcome.keys()
    assert not any(small.outcome[path] == digest for path, digest in found.items())


def test_every_parameter_is_in_the_record_of_the_run(small: Small) -> None:
    schema = json.loads((ROOT / "nextflow_schema.json").read_text())
    names = {name for group in schema["$defs"].values() for name in group["properties"]}
    assert set(json.loads((small.first.results / "pipeline_info/parameters.json").read_text())) == names
