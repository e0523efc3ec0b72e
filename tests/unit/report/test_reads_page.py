"""The report on classified reads: a table with a row for each sample, and a page on which every name is escaped."""

import csv
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import collect
import report_reads
from report_examples import ASSETS, EVIL
from scored_reads import make_sample, write_chunks, write_model
from virshort.calls.sample_record import SampleSummary
from virshort.errors import InputError
from virshort.heads.held_out import rates_by_length, rates_by_rule
from virshort.report.multiqc import missing_sections
from virshort.report.reads_page import TITLES, sections
from virshort.report.reads_summary import summary_table, summary_text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The summaries of a sample of single reads and one of pairs, with the files of a run."""
    work = tmp_path_factory.mktemp("reads")
    rng = np.random.default_rng(0)
    label, cluster = np.repeat([0, 1], 1000), np.repeat(np.arange(40), 50)
    mates, length = rng.normal(np.where(label == 1, 2, -2)[:, None], 1.5, (2000, 2)), np.full(2000, 150)
    matched = rng.random(2000) < 0.5
    rates = rates_by_rule(label, cluster, mates, mates.sum(axis=1), length, matched)
    rates += rates_by_length(label, cluster, mates[:, 0], length, matched=matched)
    known = {"rates": rates, "gc": [0.3, 0.4], "match_bits": 45.0, "without_match": [0.5, 0.5]}
    model = write_model(work / "model.json", held_out=known)
    (work / "truth.tsv").write_text("sample\tread\tlabel\tgroup\ntwo\t@plain\tviral\tnew family\ntwo\tgone\tnonviral\t\n")
    for name, n in (("one", 1), ("two", 2)):
        reads = write_chunks(work / name, make_sample(name, 200, n), 200)
        command = ["collect.py", "--reads", reads, "--chunks", work / name, "--model", model, "--out", work / "summaries"]
        command += ["--truth", work / "truth.tsv"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", list(map(str, command)))
            collect.main()
    (work / "parameters.json").write_text(json.dumps({"threshold": "fpr_1e-2", "reads": EVIL, "formats": None}))
    (work / "versions.yml").write_text("virshort: 0.1.0\nnumpy: '2.4'\n")
    return work


@pytest.fixture
def samples(folder: Path) -> list[SampleSummary]:
    return report_reads.read_summaries(folder / "summaries")


def test_the_table_has_a_row_for_each_sample(samples: list[SampleSummary]) -> None:
    rows = list(csv.DictReader(summary_table(samples).splitlines(), delimiter="\t"))
    assert [row["sample"] for row in rows] == ["one", "two"] and [row["pair_rule"] for row in rows] == ["", "model"]
    for row, sample in zip(rows, samples, strict=True):
        assert int(row["viral"]) + int(row["nonviral"]) + int(row["unscored"]) == int(row["fragments"]) == 200
        assert sample["prevalence"] is not None
        assert float(row["viral_share"]) == pytest.approx(sample["prevalence"]["share"], rel=1e-5)
    unknown: SampleSummary = {**samples[0], "prevalence": None, "why_no_prevalence": "No read was scored."}
    assert summary_table([unknown]).splitlines()[1].endswith("\t" * 11)
    truth = samples[1]["truth"]
    assert truth and rows[1]["true_precision"] == "1" and not rows[0]["true_precision"]
    assert float(rows[1]["true_sensitivity"]) == pytest.approx(truth["all"]["sensitivity"], rel=1e-5)


def test_the_text_for_the_terminal_has_a_paragraph_for_each_sample(samples: list[SampleSummary]) -> None:
    first, one, two, truth = summary_text(samples).strip().split("\n\n")
    assert samples[1]["truth"] is not None
    found = samples[1]["truth"]["all"]["viral"]
    assert re.search(rf"all +{found['viral']} of {found['viral'] + found['nonviral']} \(", truth) and "new family " in truth
    assert "Labels of pairs that are not in this sample: 1." in truth and max(map(len, truth.split("\n"))) <= 100
    assert first.startswith("CALLS ") and samples[0]["model"] in first
    for text, sample in ((one, samples[0]), (two, samples[1])):
        assert sample["prevalence"] is not None
        assert sample["prevalence"]["sentence"] in " ".join(text.split())
        assert "Viral reads match best: family " in " ".join(text.split())
        assert f"{sample['sample']}: {sample['fragments']['viral']} of 200 " in text and max(map(len, text.split("\n"))) <= 100


def test_sections_say_what_the_summaries_say(folder: Path, samples: list[SampleSummary]) -> None:
    model, parameters = (json.loads((folder / name).read_text()) for name in ("model.json", "parameters.json"))
    samples[0]["sample"] = EVIL
    built = sections(samples, model, parameters, {"numpy": "2.4"}, ASSETS)
    assert len(built) == len(TITLES)
    pages = {name.removeprefix("vs_reads_"): content["data"] for name, content in built.items()}
    assert not any("<script>" in page for page in pages.values())
    assert samples[1]["prevalence"] is not None
    assert samples[1]["prevalence"]["sentence"].replace(" %", "&nbsp;%") in pages["share"]
    assert re.search(r"phage.*family 1.*viral.*p[13]", pages["found"], re.S) and "bacteria" in pages["found"]
    assert "new family" in pages["truth"] and "Pairs without a label" in pages["truth"]
    cells = re.findall(r"<td>(all|with a match|without a match)</td>", pages["share"])
    assert cells == 2 * ["with a match", "without a match"]
    assert re.search(r"at least\s+45.bits", pages["share"]) and re.search(r"fewer than\s+45\s+bits", pages["evidence"])
    assert "too_short" in pages["calls"] and "duplicate" in pages["calls"]
    assert pages["scores"].count("<svg") == 2 and "GC content outside" in pages["unlike"]
    assert re.search(r"homology viral.*shares a 31-mer", pages["evidence"], re.S) and "formats" not in pages["model"]
    without = sections(samples, {**model, "search": None}, parameters, {}, ASSETS)
    composition = without["vs_reads_evidence"]["data"]
    assert "homology viral" not in composition and "all its evidence" in composition
    assert "searches no sources" in without["vs_reads_found"]["data"]
    for sample in samples:
        sample["unlike"], sample["truth"] = [], None
    without = sections(samples, model, parameters, {}, ASSETS)
    assert "resemble" in without["vs_reads_unlike"]["data"] and "vs_reads_truth" not in without


def test_the_page_is_one_file(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"summaries": "summaries", "model": "model.json", "parameters": "parameters.json", "versions": "versions.yml"}
    written = {"out": "r.html", "table": "s.tsv", "text": "s.txt"}
    command = ["report_reads.py", *(str(part) for name, file in given.items() for part in (f"--{name}", folder / file))]
    monkeypatch.setattr(sys, "argv", [*command, *(str(p) for n, f in written.items() for p in (f"--{n}", tmp_path / f))])
    report_reads.main()
    page = (tmp_path / "r.html").read_text()
    assert not missing_sections(page, [f"vs_reads_{name}" for name in TITLES]) and EVIL not in page
    assert (tmp_path / "s.tsv").read_text().count("\n") == 3 and "CALLS" in (tmp_path / "s.txt").read_text()


def test_summaries_of_two_models_are_refused(tmp_path: Path, samples: list[SampleSummary]) -> None:
    for sample, digest in zip(samples, "ab", strict=True):
        (tmp_path / f"{sample['sample']}.summary.json").write_text(json.dumps({**sample, "model_digest": digest}))
    with pytest.raises(InputError, match="different models"):
        report_reads.read_summaries(tmp_path)
    with pytest.raises(InputError, match=r"no <sample>\.summary\.json"):
        report_reads.read_summaries(tmp_path / "nothing")
