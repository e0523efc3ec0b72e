"""forecast.py times the reads of a chunk with a model, and counts those of all samples."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import forecast
from fastq_text import fastq_records, random_bases
from virshort.files import read_json, write_json
from virshort.model.checking import check_files, read_record
from virshort.reads.chunks import reads_name, write_chunk


@pytest.mark.parametrize("fewest", [100, 101])
def test_reads_of_a_chunk_are_timed_where_there_are_enough(
    make_model: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fewest: int
) -> None:
    made = make_model(["dna", "protein"])
    rng = np.random.default_rng(0)
    write_chunk(tmp_path, "a", 0, tuple(fastq_records(random_bases(rng, 40, 150)) for _ in range(2)))
    for sample, reads, chunks in (("a", 80, 1), ("b", 20, 2)):
        record = {"sample": sample, "reads": reads, "chunks": chunks, "lengths": [[150, reads]]}
        write_json(tmp_path / f"samples/{sample}.reads.json", record)
    (tmp_path / "checked.json").write_text(json.dumps(check_files(made.folder, read_record(made.folder))))
    monkeypatch.setattr(forecast, "FEWEST", fewest)
    given = {"samples": "samples", "checked": "checked.json", "out": "forecast.json"}
    words = [str(word) for name, file in given.items() for word in (f"--{name}", tmp_path / file)]
    chunk = [str(tmp_path / reads_name("a", 0, mate, fasta=False)) for mate in (0, 1)]
    monkeypatch.setattr("sys.argv", ["forecast.py", "--model", str(made.folder), *words, "--tasks", "2", "--reads", *chunk])
    forecast.main()
    found = read_json(tmp_path / "forecast.json")
    assert (found["reads"], found["chunks"], found["tasks_at_a_time"]) == (100, 3, 2)
    assert (found["seconds"] is not None) == (fewest == 100)
    assert ("measured on 80)" in found["sentence"]) == (fewest == 100)
