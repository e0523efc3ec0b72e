"""Record ids, file names and table cells of a hostile user: none is run by a shell or by the browser that shows the report.

Hostile parameters are in test_parameters.py."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import TINY, Run, copy_pipeline

# An id has no white space; ${IFS} is how a shell writes it.
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
    """Where a run is started, under a name with much punctuation."""
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
        "finetune",
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


def test_a_pipeline_in_a_folder_that_a_shell_would_expand_is_refused(tmp_path: Path, run_pipeline: Callable[..., Run]) -> None:
    """test_functions.py has more such names."""
    run = run_pipeline("-profile", "test", pipeline=copy_pipeline(tmp_path / "$(touch EFFECT)"))
    assert run.rc != 0 and not run.trace
    assert "the pipeline's folder " in run.complaint() and "which a shell would expand: use another" in run.complaint()


def test_a_fasta_that_a_shell_would_expand_is_refused(tmp_path: Path, run_pipeline: Callable[..., Run]) -> None:
    write(tmp_path / "v$HOME.fa", ["v"], 0.4)
    write(tmp_path / "n.fa", ["n"], 0.4)
    (tmp_path / "sheet.csv").write_text("fasta,label\nv$HOME.fa,viral\nn.fa,nonviral\n")
    run = run_pipeline("--input", tmp_path / "sheet.csv")
    assert run.rc != 0 and "sheet.csv: v$HOME.fa: holds $, which a shell would expand: rename it" in run.complaint()
