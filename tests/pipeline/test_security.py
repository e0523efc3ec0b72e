"""Ids, file names, cells and parameters of a hostile user, through the whole pipeline: none reaches a shell or a page."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import Run, copy_pipeline

TINY = (
    "--short_windows",
    200,
    "--scratch_windows",
    300,
    "--mixed_windows",
    200,
    "--full_windows",
    200,
    "--test_windows",
    200,
    "--sweep_windows",
    40,
    "--sweep_lengths",
    500,
    "--folds",
    3,
    "--test_folds",
    1,
    "--replicates",
    1,
)

# Without white space, which ends an id. IFS is a shell's own white space.
IDS = (
    "$(touch${IFS}EFFECT)",
    "';touch${IFS}EFFECT;'",
    "`touch${IFS}EFFECT`",
    "<script>alert('EFFECT')</script>",
    "../../EFFECT",
    '"><img/src=x/onerror=alert(1)>',
    "-rf",
    "a|touch${IFS}EFFECT&",
    "%s{0}{id}\\n",
    "END_OF_SETS",
)
CELLS = ("<b>EFFECT</b>", "$(touch EFFECT)", "'; rm -rf .", 'a "quoted" kingdom', "../../EFFECT")


def genome(rng: random.Random, gc: float) -> str:
    return "".join(rng.choices("ACGT", [1 - gc, gc, gc, 1 - gc], k=5000))


def write(path: Path, ids: list[str], gc: float) -> None:
    rng = random.Random(path.name)
    path.write_text("".join(f">{name} a description $(touch EFFECT)\n{genome(rng, gc)}\n" for name in ids))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a run is started; its name is that of a user who likes punctuation."""
    path = tmp_path / "it's (a) <b>folder; touch EFFECT & `touch EFFECT`"
    path.mkdir()
    return path


def test_hostile_names_have_no_effect(folder: Path, tmp_path: Path, run_pipeline: Callable[..., Run]) -> None:
    viral, nonviral = "'; rm -rf . ; touch EFFECT #.fa", '"a" `touch EFFECT` <script>alert(2).fa'
    write(folder / viral, [f"v{i}{name}" if i % 2 else f"{name}v{i}" for i, name in enumerate(IDS)], 0.4)
    write(folder / nonviral, [f"n{i}{name}" if i % 2 else f"{name}n{i}" for i, name in enumerate(IDS)], 0.6)
    sheet = folder / "sheet & 'touch EFFECT'.csv"
    quoted = ['"' + name.replace('"', '""') + '"' for name in (viral, nonviral)]
    sheet.write_text(f"fasta,label\n{quoted[0]},viral\n{quoted[1]},nonviral\n")
    table = folder / "(table) ; touch EFFECT .tsv"
    lines = (folder / viral).read_text().splitlines() + (folder / nonviral).read_text().splitlines()
    ids = [line[1:].split()[0] for line in lines if line[0] == ">"]
    rows = [f"{name}\t{CELLS[i % 5]}\t{CELLS[(i + 1) % 5]} {i}" for i, name in enumerate(ids)]
    table.write_text("id\tkingdom\tcluster\n" + "\n".join(rows) + "\n")
    keep = folder / "keep"
    keep.touch()

    run = run_pipeline(
        "--input",
        sheet,
        "--source_table",
        table,
        *TINY,
        "--arms",
        "finetune,kmer",
        "--outdir",
        "out $(touch EFFECT); touch EFFECT '<b>",
        folder=folder,
    )

    assert run.rc == 0, run.output
    assert keep.exists() and not [path for path in tmp_path.rglob("EFFECT*") if path.is_file()]
    page = (run.results / "report.html").read_text()
    for cell in (*CELLS[:1], "<script>alert(", "<img/src"):
        assert cell not in page.replace("<script>alert(data", ""), cell
    assert "&lt;b&gt;EFFECT" in page, "a kingdom is shown as it was written"


def test_parameters_that_are_commands_are_refused(tmp_path: Path, run_pipeline: Callable[..., Run]) -> None:
    values = {
        "arms": "finetune'; touch EFFECT; '",
        "sweep_lengths": "150; touch EFFECT",
        "test_folds": "1$(touch EFFECT)",
        "seed": "1;touch EFFECT",
        "folds": "`touch EFFECT`",
        "publish_mode": "copy; touch EFFECT",
        "dna_encoder": "kmer-dna; touch EFFECT",
        "container": "image; touch EFFECT",
        "slurm_queue": "normal; touch EFFECT",
    }
    run = run_pipeline("-profile", "test", *(f"--{name}={value}" for name, value in values.items()))
    assert run.rc != 0
    assert [name for name in values if f"virshort: --{name} " not in run.output] == []
    assert not run.trace and not list(tmp_path.rglob("EFFECT"))


def test_file_names_that_a_shell_would_expand_are_refused(tmp_path: Path, run_pipeline: Callable[..., Run]) -> None:
    files = {"input": "${HOME}.csv", "source_table": "a\ntouch EFFECT\n.tsv", "arms_file": "*.yaml"}
    for name in files.values():
        (tmp_path / name).touch()
    run = run_pipeline(*(word for option, name in files.items() for word in (f"--{option}", tmp_path / name)))
    assert run.rc != 0
    assert [option for option in files if not re.search(f"virshort: --{option} .* (rename it|take it away)", run.output)] == []
    assert not run.trace


@pytest.mark.parametrize("name", ["$(touch EFFECT)", 'a "b"', "a:b"])
def test_a_pipeline_in_a_folder_that_a_shell_would_expand_is_refused(
    tmp_path: Path, run_pipeline: Callable[..., Run], name: str
) -> None:
    run = run_pipeline("-profile", "test", pipeline=copy_pipeline(tmp_path / name))
    assert run.rc != 0 and not run.trace
    assert "the pipeline's folder " in run.complaint() and "move it to another" in run.complaint()


def test_a_fasta_that_a_shell_would_expand_is_refused(tmp_path: Path, run_pipeline: Callable[..., Run]) -> None:
    write(tmp_path / "v$HOME.fa", ["v"], 0.4)
    write(tmp_path / "n.fa", ["n"], 0.4)
    (tmp_path / "sheet.csv").write_text("fasta,label\nv$HOME.fa,viral\nn.fa,nonviral\n")
    run = run_pipeline("--input", tmp_path / "sheet.csv")
    assert run.rc != 0 and "sheet.csv: v$HOME.fa: holds $, which a shell would expand: rename it" in run.complaint()
