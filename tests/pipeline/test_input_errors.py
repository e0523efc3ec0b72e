"""Invalid input through the whole pipeline: one line that names the culprit and the remedy, and no result.

There is one fault for each distance that input travels: Nextflow itself, the first step, the step that reads the sequences,
and the step that draws windows. The unit tests of virshort.sources and test_functions.py have the others.
"""

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import Run


def genome(seed: int, length: int = 4000) -> str:
    return "".join(random.Random(seed).choices("ACGT", k=length))


def fasta(first: int, records: int) -> str:
    return "".join(f">{'vn'[first > 99]}{i}\n{genome(first + i)}\n" for i in range(records))


SHEET = "fasta,label\nviral.fa,viral\nnonviral.fa,nonviral\n"


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "inputs"
    folder.mkdir()
    (folder / "viral.fa").write_text(fasta(0, 6))
    (folder / "nonviral.fa").write_text(fasta(100, 6))
    (folder / "sheet.csv").write_text(SHEET)
    return folder


def missing(folder: Path) -> None:
    (folder / "sheet.csv").write_text(SHEET.replace("viral.fa,viral", "gone.fa,viral", 1))


def unknown_label(folder: Path) -> None:
    (folder / "sheet.csv").write_text(SHEET.replace(",nonviral", ",host"))


def truncated(folder: Path) -> None:
    (folder / "viral.fa").write_bytes(gzip.compress(fasta(0, 6).encode())[:-100])


@pytest.mark.parametrize(
    ("spoil", "options", "complaint"),
    [
        (missing, [], "cannot find gone.fa"),
        (unknown_label, [], "host"),
        (truncated, [], "viral.fa"),
        (lambda _: None, ["--folds", 3], "--short_windows 100000: fold 0 has too few distinct viral windows"),
    ],
    ids=["missing file", "unknown label", "truncated gzip", "too little sequence"],
)
def test_one_line_and_no_result(
    inputs: Path, run_pipeline: Callable[..., Run], spoil: Callable[[Path], object], options: list[object], complaint: str
) -> None:
    spoil(inputs)
    run = run_pipeline("--input", inputs / "sheet.csv", *options)
    assert run.rc != 0
    assert complaint in run.complaint(), run.complaint()
    results = ("windows", "models", "evaluation", "comparison.json", "report.html")
    assert not any((run.results / name).exists() for name in results)
