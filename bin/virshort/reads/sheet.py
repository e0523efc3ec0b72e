"""The sheet of reads: CSV as in nf-core, sample,fastq_1[,fastq_2]. Several rows of one sample are lanes of it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from virshort.errors import InputError
from virshort.sources.samplesheet import check_path
from virshort.sources.tables import read_rows, read_text

RESERVED = (
    "pipeline_info",
    "report.html",
    "summary.tsv",
    "figures",
    "models",
    "model",
    "evaluation",
    "windows",
    "sources",
    "features",
    "simulated",
)
"""What a results folder holds besides the folders of samples."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class Sample:
    """name: a word that can be the name of a folder; lanes: for each row, the path of its one file or of the two files of
    mates, as the sheet writes it."""

    name: str
    lanes: list[list[str]]


def read_sheet(path: Path) -> list[Sample]:
    """The samples of a sheet, in the order of their first rows.

    Raises InputError with line and column for everything that `read_rows` refuses, for a name that cannot be that of a folder,
    for a path that is missing, listed twice, a URL or a wildcard, and for a sample that has rows with and without second mates.
    """
    samples: dict[str, Sample] = {}
    line_of: dict[str, int] = {}
    for line, cells in read_rows(read_text(path), path.name, ",", ("sample", "fastq_1"), ("fastq_2",)):
        where = f"{path.name}, line {line}"
        name = cells["sample"]
        _check_name(name, f"{where}, sample")
        lane = [cells["fastq_1"], *filter(None, [cells.get("fastq_2")])]
        for column, file in zip(("fastq_1", "fastq_2"), lane, strict=False):
            if not file:
                raise InputError(f"{where}, {column}: the cell is empty: give the path of a FASTQ, FASTA or BAM file")
            check_path(file, f"{where}, {column}")
            same = os.path.normpath(file)
            if same in line_of:
                raise InputError(f"{where}, {column}: {file} is also listed on line {line_of[same]}: list each file once")
            line_of[same] = line
        sample = samples.setdefault(name, Sample(name, []))
        if sample.lanes and len(sample.lanes[0]) != len(lane):
            raise InputError(
                f"{where}, fastq_2: the sample {name} has rows with and without a second mate: give them different names"
            )
        sample.lanes.append(lane)
    return list(samples.values())


def _check_name(name: str, where: str) -> None:
    if not name:
        raise InputError(f"{where}: the cell is empty: give the sample a name")
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{where}: {name[:60]!a} cannot name files: use up to 100 letters, digits, '_', '-' and '.', and begin with "
            "none of the last two"
        )
    if name.lower() in RESERVED:
        raise InputError(f"{where}: {name} is the name of a part of the results: rename the sample")
