"""COLLECT: every read once and in order, viral reads byte for byte, whatever the chunks; counts that add up."""

import dataclasses
import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import collect
from scored_reads import Sample, make_sample, write_chunks, write_model
from virshort.calls import scores_file
from virshort.calls.summary import percent
from virshort.errors import InputError
from virshort.heads.held_out import rates_by_length, rates_by_rule

ALL = "lyra,kraken,virnucpro"
LIKELIHOOD = 2 * 1.5 / 1.2**2
"""Turns draws of two normal distributions, 1.5 on either side of 0 with a deviation of 1.2, into log-odds."""


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Sample, *options: str, size: int = 1000, **model: Any) -> Path:
    """Collect a sample that is cut into chunks of `size`. Returns the folder of its files."""
    work = tmp_path / f"{sample.name}_{size}_{'_'.join(options).replace('/', '')}"
    reads = write_chunks(work / "chunks", sample, size)
    command = [
        "collect.py",
        "--reads",
        reads,
        "--chunks",
        work / "chunks",
        "--model",
        write_model(work / "model.json", **model),
    ]
    monkeypatch.setattr(sys, "argv", [*map(str, command), "--out", str(work / "out"), *options])
    collect.main()
    return work / "out"


def table(folder: Path, sample: Sample) -> list[dict[str, bytes]]:
    """The rows of reads.tsv.gz, split at tabs and nothing else."""
    first, *rows = gzip.decompress((folder / f"{sample.name}.reads.tsv.gz").read_bytes()).split(b"\n")[:-1]
    columns = first.decode().split("\t")
    return [dict(zip(columns, row.split(b"\t"), strict=True)) for row in rows]


@pytest.mark.parametrize("mates", [1, 2])
def test_every_read_is_there_once_and_viral_reads_are_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mates: int
) -> None:
    sample = make_sample("s", 230, mates)
    out = run(tmp_path, monkeypatch, sample, size=100)
    rows = table(out, sample)
    names = [r.split(b"\n")[0][1:] for fragment in zip(*sample.records, strict=True) for r in fragment]
    assert [row["read"] for row in rows] == names
    assert [int(row["mate"]) for row in rows] == sample.rows["mate"].to_pylist()
    summary = json.loads((out / "s.summary.json").read_text())
    for m in range(mates):
        mine = rows[m::mates]
        viral = [record for record, row in zip(sample.records[m], mine, strict=True) if row["call"] == b"viral"]
        name = "s.viral.fastq.gz" if mates == 1 else f"s.viral_R{m + 1}.fastq.gz"
        assert gzip.decompress((out / name).read_bytes()) == b"".join(viral)
        counts = summary["reads"][str(m + (mates > 1))]
        assert counts["viral"] == len(viral) and counts["all"] == len(mine) == 230
        assert counts["viral"] + counts["nonviral"] + counts["unscored"] == 230 and min(counts.values()) > 0
    assert sum(n["all"] for n in summary["lengths"]) == sum(n["all"] for n in summary["reads"].values())
    assert sum(summary["score_histogram"]) == summary["fragments"]["viral"] + summary["fragments"]["nonviral"]
    unscored = sum(1 for row in rows if row["reason"])
    assert summary["reasons"] == {"too_short": unscored}
    assert all((row["score"] == b"") == (row["reason"] == b"too_short") == (row["evidence"] == b"") for row in rows)


@pytest.mark.parametrize("mates", [1, 2])
def test_chunks_and_threads_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mates: int) -> None:
    sample = make_sample("s", 120, mates, seed=1)
    wanted = run(tmp_path, monkeypatch, sample, "--formats", ALL)
    monkeypatch.setattr(scores_file, "BLOCK", 16)
    for size in (1, 50):
        found = run(tmp_path, monkeypatch, sample, "--formats", ALL, "--threads", "3", size=size)
        assert sorted(p.name for p in found.iterdir()) == sorted(p.name for p in wanted.iterdir())
        for path in wanted.iterdir():
            if path.name == "s.summary.json":
                one, other = (json.loads(p.read_text()) | {"chunks": 0} for p in (path, found / path.name))
                assert one == other
            else:
                assert path.read_bytes() == (found / path.name).read_bytes(), path.name


@pytest.mark.parametrize("rule", ["model", "both", "either", "best"])
def test_calls_are_monotone_in_the_threshold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    sample = make_sample("s", 150, 2, seed=2)
    before: set[int] | None = None
    for threshold in ("0", "balanced", "fpr_1e-2", "fpr_1e-3", "1"):
        rows = table(run(tmp_path, monkeypatch, sample, "--threshold", threshold, "--pair-rule", rule), sample)
        viral = {i for i, row in enumerate(rows) if row["call"] == b"viral"}
        assert before is None or viral <= before
        before = viral
    assert before == set()


def test_formats_have_their_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = make_sample("s", 60, 2, seed=3)
    out = run(tmp_path, monkeypatch, sample, "--formats", "kraken, lyra,virnucpro")
    rows = table(out, sample)
    lyra = gzip.decompress((out / "s.lyra.tsv.gz").read_bytes()).split(b"\n")[1:-1]
    assert len(lyra) == sum(int(row["length"]) >= 50 for row in rows)
    kraken = (out / "s.kraken2.txt").read_bytes().split(b"\n")[:-1]
    viral = sum(row["call"] == b"viral" for row in rows) // 2
    assert len(kraken) == 60 and sum(line.startswith(b"C") for line in kraken) == viral
    assert f"\t{viral}\t{viral}\tD\t10239\t  Viruses\n" in (out / "s.kraken2.report.txt").read_text()
    virnucpro = gzip.decompress((out / "s.virnucpro.tsv.gz").read_bytes()).split(b"\n")[1:-1]
    assert len(virnucpro) == sum(row["reason"] == b"" for row in rows)


def test_the_share_of_viral_reads_is_corrected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held-out windows and reads have the same log-odds given their label; 30 % of the reads are viral, fewer are called."""
    rng = np.random.default_rng(5)
    label, cluster = np.repeat([0, 1], 3000), np.repeat(np.arange(120), 50)
    held = rng.normal(np.where(label == 1, 1.5, -1.5), 1.2) * LIKELIHOOD
    length = np.full(6000, 150)
    rates = rates_by_length(label, cluster, held, length)
    model = {
        "held_out": {"rates": rates, "gc": [0.3, 0.7], "match_bits": None, "without_match": [0.2, 0.3]},
        "thresholds": (0.0, 2.0, 3.0),
    }
    viral = rng.random(2000) < 0.3
    sample = make_sample("s", 2000, 1, 4, rng.normal(np.where(viral, 1.5, -1.5), 1.2)[:, None] * LIKELIHOOD)
    summary = json.loads((run(tmp_path, monkeypatch, sample, "--threshold", "0.8", **model) / "s.summary.json").read_text())
    share = summary["prevalence"]
    assert share["called"] < 0.28 and share["ci95"][0] < 0.3 < share["ci95"][1] and share["ci95"][1] - share["ci95"][0] < 0.15
    assert abs(share["saerens"] - 0.3) < 0.03 and share["distinguishable"]
    assert abs(share["share"] - 0.3) < 0.04 and "95 % interval" in share["sentence"]
    assert any("much shorter" in s for s in summary["unlike"]) and any("match no source" in s for s in summary["unlike"])

    none = make_sample("n", 2000, 1, 4, rng.normal(-1.5, 1.2, (2000, 1)) * LIKELIHOOD)
    summary = json.loads((run(tmp_path, monkeypatch, none, "--threshold", "0.8", **model) / "n.summary.json").read_text())
    assert "not distinguishable from none" in summary["prevalence"]["sentence"]
    assert summary["prevalence"]["ci95"][0] == 0 and not summary["prevalence"]["distinguishable"]


def test_reads_with_a_match_are_corrected_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held-out viruses match in a third of their windows, those of the sample in all of their reads; 20 % are viral."""
    rng = np.random.default_rng(8)
    label, cluster, length = np.repeat([0, 1], 3000), np.repeat(np.arange(120), 50), np.full(6000, 150)
    matched = rng.random(6000) < 1 / 3

    def odds(viral: np.ndarray, match: np.ndarray) -> np.ndarray:
        return np.where(viral, 1, -1) * np.where(match, 6.0, 1.0) + rng.normal(0, 1.5, len(viral))

    rates = rates_by_length(label, cluster, odds(label == 1, matched), length, matched=matched)
    assert {r["matched"] for r in rates} == {None, False, True}
    viral, match = np.arange(2000) < 400, np.arange(2000) < 800
    sample = make_sample("s", 2000, 1, 4, odds(viral, match)[:, None])
    bits = np.where(match, 50.0, 30.0).astype(np.float32)
    rows = sample.rows
    for name, values in (("bits_viral", np.where(viral, bits, 0)), ("bits_nonviral", np.where(viral, 0, bits))):
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(values, pa.float32()))
    sample = dataclasses.replace(sample, rows=rows)
    known = {"rates": rates, "gc": None, "match_bits": 40.0, "without_match": [0.6, 0.6]}
    model = {"held_out": known, "thresholds": (0.0, 2.0, 3.0)}
    summary = json.loads((run(tmp_path, monkeypatch, sample, **model) / "s.summary.json").read_text())
    assert summary["evidence"]["composition"]["all"] == 1200, "fewer than 40 bits say nothing"
    share = summary["prevalence"]
    with_match, without = share["strata"]
    assert (with_match["matched"], without["matched"]) == (True, False)
    assert (with_match["fragments"], without["fragments"]) == (800, 1200)
    assert (with_match["counted_at"], without["counted_at"]) == ("fpr_1e-2", "balanced")
    assert abs(with_match["share"] - 0.5) < 0.02 and without["ci95"][0] == 0 and without["ci95"][1] < 0.2
    assert share["share"] == pytest.approx(0.4 * with_match["share"] + 0.6 * without["share"])
    assert share["ci95"][0] < 0.2 < share["ci95"][1] and abs(share["share"] - 0.2) < 0.05 and abs(share["saerens"] - 0.2) < 0.05
    assert share["precision"] > 0.9 and share["distinguishable"]
    parts = [percent(0.4 * with_match["share"]), percent(0.6 * without["share"])]
    assert f"): {parts[0]} with a match, and {parts[1]} without one." in share["sentence"]

    one_label = [r for r in rates if r["matched"] is not False]
    model["held_out"] = known | {"rates": one_label}
    summary = json.loads((run(tmp_path, monkeypatch, sample, size=999, **model) / "s.summary.json").read_text())
    (together,) = summary["prevalence"]["strata"]
    assert together["matched"] is None and together["fragments"] == 2000
    assert together["share"] > 0.3, "the rates of all windows are wrong for these viruses"


def test_rates_of_pairs_are_those_of_the_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    label, cluster = np.repeat([0, 1], 1000), np.repeat(np.arange(40), 50)
    mates = rng.normal(np.where(label == 1, 1.5, -1.5)[:, None], 1.5, (2000, 2))
    length = np.full(2000, 150)
    rates = rates_by_rule(label, cluster, mates, mates.sum(axis=1), length)
    rates += rates_by_length(label, cluster, mates[:, 0], length)
    sample = make_sample("s", 300, 2, seed=7)
    found = {}
    for rule in ("both", "either"):
        held_out = {"rates": rates, "gc": [0.3, 0.7], "match_bits": None, "without_match": None}
        out = run(tmp_path, monkeypatch, sample, "--pair-rule", rule, held_out=held_out)
        found[rule] = json.loads((out / "s.summary.json").read_text())["prevalence"]
    both, either = (found[rule]["strata"][0] for rule in ("both", "either"))
    assert both["false_positive_rate"] < either["false_positive_rate"]
    assert both["true_positive_rate"] < either["true_positive_rate"]
    single_only = {"rates": rates[-2:], "gc": [0.3, 0.7], "match_bits": None, "without_match": None}
    out = run(tmp_path, monkeypatch, sample, held_out=single_only, size=301)
    assert "no rates of held-out pairs" in json.loads((out / "s.summary.json").read_text())["why_no_prevalence"]


def test_an_empty_sample_has_empty_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = run(tmp_path, monkeypatch, make_sample("s", 0, 2), "--formats", ALL)
    summary = json.loads((out / "s.summary.json").read_text())
    assert summary["fragments"]["all"] == 0 and summary["why_no_prevalence"] == "No read was scored."
    assert gzip.decompress((out / "s.viral_R2.fastq.gz").read_bytes()) == b""
    assert (out / "s.kraken2.report.txt").read_text().startswith("  0.00\t0\t0\tU")


def test_a_missing_or_foreign_part_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = make_sample("s", 30, 2)
    reads = write_chunks(tmp_path / "chunks", sample, 10)
    model = write_model(tmp_path / "model.json")
    command = ["collect.py", "--reads", str(reads), "--chunks", str(tmp_path / "chunks"), "--model", str(model)]
    monkeypatch.setattr(sys, "argv", [*command, "--out", str(tmp_path / "out")])
    scores = tmp_path / "chunks" / "s.chunk_00001.scores.parquet"
    kept = scores.read_bytes()
    scores.unlink()
    with pytest.raises(InputError, match=r"sample s: s\.chunk_00001\.scores\.parquet is missing"):
        collect.main()
    scores.write_bytes((tmp_path / "chunks" / "s.chunk_00002.scores.parquet").read_bytes())
    with pytest.raises(InputError, match=r"s\.chunk_00001\.scores\.parquet.*records 10 and following"):
        collect.main()
    pq.write_table(pq.read_table(io.BytesIO(kept)).replace_schema_metadata({"model": "another"}), scores)
    with pytest.raises(InputError, match="scored by the model another"):
        collect.main()
    scores.write_bytes(kept[:-20])
    with pytest.raises(InputError, match=r"s\.chunk_00001\.scores\.parquet"):
        collect.main()
    assert not list((tmp_path / "out").iterdir()), "nothing is written of a sample that cannot be read"
