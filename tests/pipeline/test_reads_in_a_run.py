"""Reads are classified by the demo's model: every layout, every read once, byte for byte, and nothing where one is refused."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fastq_text import fastq
from harness import Run, run_nextflow
from virshort.labels import LABELS
from virshort.report.reads_page import TITLES
from virshort.windows.shards import read_shard

SAMPLES = {"lake": "paired", "tick": "single", "gut.2": "interleaved", "none": "single"}
SIMULATED = "mixed"
"""A sample of the reads that the demo simulates for its model."""


def pairs_of(demo: Run) -> tuple[list[bytes], list[bytes], list[int]]:
    """The mates of the demo's pairs, and their labels."""
    folder = demo.results / "windows/test/pair"
    sequences = [s for path in sorted(folder.glob("*.fa.gz")) for s in read_shard(path).sequences]
    manifest = pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("*.parquet"))])
    return sequences[::2], sequences[1::2], manifest["label"].to_pylist()[::2]


def write_samples(folder: Path, demo: Run) -> Path:
    """A sheet of five samples, and truth.tsv beside it, which labels `lake` and the simulated one. `lake` has two lanes, and a
    read of each kind that gets no score."""
    folder.mkdir()
    one, other, labels = pairs_of(demo)
    simulated = demo.results / "simulated"
    truth = [line for line in (simulated / "truth.tsv").read_text().splitlines() if line.startswith(("sample\t", SIMULATED))]
    truth += [f"lake\tpair_{i}\t{LABELS[y]}\t" for i, y in enumerate(labels)]
    (folder / "truth.tsv").write_text("\n".join([*truth, ""]))
    names = [[f"pair {i}/{mate}".replace(" ", "_") for i in range(len(one))] for mate in (1, 2)]
    one[0], one[1], other[2] = b"ACGT", b"AC" * 75, b"N" * 150
    half = len(one) // 2
    lanes = {"L1": slice(0, half), "L2": slice(half, None)}
    for lane, rows in lanes.items():
        for mate, reads in enumerate((one, other)):
            text = fastq(reads[rows], names[mate][rows], end=b"\r\n" if lane == "L2" else b"\n")
            (folder / f"{lane}_{mate + 1}.fastq.gz").write_bytes(gzip.compress(text))
    (folder / "single.fa").write_bytes(b"".join(b">%d\n%b\n" % (i, read) for i, read in enumerate(one)))
    mixed = [read for pair in zip(one, other, strict=True) for read in pair]
    (folder / "mixed.fq").write_bytes(fastq(mixed, [name for pair in zip(*names, strict=True) for name in pair]))
    (folder / "none.fq").write_bytes(b"")
    sheet = folder / "reads.csv"
    sheet.write_text(
        "sample,fastq_1,fastq_2\nlake,L1_1.fastq.gz,L1_2.fastq.gz\ntick,single.fa,\ngut.2,mixed.fq,\n"
        f"lake,L2_1.fastq.gz,L2_2.fastq.gz\nnone,none.fq,\n"
        f"{SIMULATED},{simulated}/{SIMULATED}_R1.fastq.gz,{simulated}/{SIMULATED}_R2.fastq.gz\n"
    )
    return sheet


@pytest.fixture(scope="module")
def calls(demo: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("reads")
    sheet = write_samples(folder / "given", demo)
    model = demo.results / "model"
    run = run_nextflow(
        "--reads", sheet, "--model", model, "--reads_per_chunk", 300, "--threshold", "balanced",
        "--truth", folder / "given/truth.tsv", folder=folder,
    )  # fmt: skip
    assert run.rc == 0, run.output
    return run


def rows_of(run: Run, sample: str) -> list[dict[str, str]]:
    with gzip.open(run.results / sample / f"{sample}.reads.tsv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def summary_of(run: Run, sample: str) -> dict[str, Any]:
    return json.loads((run.results / sample / f"{sample}.summary.json").read_text())


def test_every_read_is_called_once(calls: Run, demo: Run) -> None:
    one, _, labels = pairs_of(demo)
    for sample, layout in SAMPLES.items():
        rows = rows_of(calls, sample)
        summary = summary_of(calls, sample)
        assert summary["layout"] == layout
        mates = 1 if layout == "single" else 2
        assert len(rows) == (0 if sample == "none" else mates * len(one))
        assert summary["fragments"]["all"] == len(rows) // mates
        found = Counter(row["call"] for row in rows[::mates])
        assert found == Counter({k: v for k, v in summary["fragments"].items() if k != "all" and v})
        reasons = Counter(row["reason"] for row in rows if row["reason"])
        expected = [] if sample == "none" else ["too_short", "low_complexity", "n"][: mates + 1]
        assert Counter(expected) <= reasons and reasons.total() <= max(4, 0.01 * len(rows))
    viral = [row["call"] == "viral" for row in rows_of(calls, "lake")[::2]]
    rates = [sum(v for v, label in zip(viral, labels, strict=True) if label == y) / labels.count(y) for y in (0, 1)]
    assert rates[1] > rates[0] + 0.2


def test_calls_stand_beside_the_truth(calls: Run, demo: Run) -> None:
    _, _, labels = pairs_of(demo)
    truth = summary_of(calls, "lake")["truth"]
    call = [row["call"] for row in rows_of(calls, "lake")[::2]]
    for y, label in enumerate(LABELS):
        found = Counter(c for c, of in zip(call, labels, strict=True) if of == y)
        assert {k: v for k, v in truth["all"][label].items() if k != "all" and v} == found
    assert truth["not_in_truth"] == truth["not_in_reads"] == 0
    assert summary_of(calls, "tick")["truth"] is None


def test_reads_of_unseen_genomes_are_classified_and_their_relatives_are_named(calls: Run) -> None:
    summary = summary_of(calls, SIMULATED)
    truth = summary["truth"]
    assert truth["all"]["sensitivity"] > truth["all"]["false_positive_rate"] + 0.2
    known, new = (truth["by_group"][group]["sensitivity"] for group in ("known family", "new family"))
    assert known > new
    assert {"too_short", "n", "low_complexity"} & set(summary["reasons"]) and {"adapter", "poly_g"} <= set(summary["flags"])
    named = [row for row in rows_of(calls, SIMULATED) if row["evidence"].startswith("homology viral")]
    assert named and all(row["source"] and " family " in row["family"] for row in named)
    assert all(not row["source"] for row in rows_of(calls, SIMULATED) if row["evidence"] in ("", "composition"))
    found = {(f["kingdom"], f["family"]): f["reads"]["all"] for f in summary["found"] if f["label"] == "viral"}
    listed = Counter((row["kingdom"], row["family"]) for row in named)  # also those of too few bits to count
    assert found and all(0 < count <= listed[family] for family, count in found.items())


def test_samples_of_the_same_reads_get_the_same_scores(calls: Run) -> None:
    lake, gut, tick = (rows_of(calls, sample) for sample in ("lake", "gut.2", "tick"))
    assert [row["score"] for row in lake] == [row["score"] for row in gut]
    assert [row["read"] for row in lake] == [row["read"] for row in gut]
    same = [a["score"] == b["score"] for a, b in zip(lake[::2], tick, strict=True)]
    assert sum(same) > 0.9 * len(same)  # a mate may show where its partner reads on into an adapter


def test_viral_reads_come_back_byte_for_byte(calls: Run) -> None:
    for mate in (1, 2):
        lanes = [gzip.decompress((calls.folder / f"given/{lane}_{mate}.fastq.gz").read_bytes()) for lane in ("L1", "L2")]
        records = [
            b"".join(lines[i : i + 4]) for lines in (lane.splitlines(True) for lane in lanes) for i in range(0, len(lines), 4)
        ]
        viral = [row["call"] == "viral" for row in rows_of(calls, "lake")[mate - 1 :: 2]]
        found = gzip.decompress((calls.results / f"lake/lake.viral_R{mate}.fastq.gz").read_bytes())
        assert found == b"".join(record for record, keep in zip(records, viral, strict=True) if keep)


def test_the_table_and_the_report_cover_all_samples(calls: Run) -> None:
    with (calls.results / "summary.tsv").open(newline="") as file:
        rows = {row["sample"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert set(rows) == {*SAMPLES, SIMULATED} and rows["none"]["fragments"] == "0" and rows["none"]["viral_share"] == ""
    assert 0 <= float(rows["lake"]["viral_share"]) <= 1 and float(rows["lake"]["called_share"]) > 0
    page = (calls.results / "report.html").read_text()
    assert all(f"vs_reads_{name}" in page for name in TITLES) and all(sample in page for sample in SAMPLES)


def test_another_threshold_scores_nothing_again(calls: Run, demo: Run) -> None:
    run = run_nextflow(
        "--reads", calls.folder / "given/reads.csv", "--model", demo.results / "model", "--reads_per_chunk", 300,
        "--threshold", 0.9, "--truth", calls.folder / "given/truth.tsv", "-resume", folder=calls.folder,
    )  # fmt: skip
    assert run.rc == 0, run.output
    assert run.executed() == {"PLAN_READS", "COLLECT", "REPORT_READS"}


def test_one_bad_sample_and_nothing_is_published(calls: Run, demo: Run, tmp_path: Path) -> None:
    broken = (calls.folder / "given/L1_2.fastq.gz").read_bytes()[:-50]
    (tmp_path / "broken.fq.gz").write_bytes(broken)
    sheet = tmp_path / "reads.csv"
    sheet.write_text(f"sample,fastq_1\ngood,{calls.folder}/given/single.fa\nbad,broken.fq.gz\n")
    run = run_nextflow("--reads", sheet, "--model", demo.results / "model", folder=tmp_path)
    assert run.rc != 0 and "broken.fq.gz, " in run.complaint() and "truncated" in run.complaint()
    assert [path.name for path in run.results.iterdir()] == ["pipeline_info"]
