"""The summary for the terminal."""

from dataclasses import replace

from report_examples import ARMS
from virshort.report.inputs import Inputs
from virshort.report.terminal import summary_text


def test_the_summary_has_the_verdict_all_arms_and_the_audit(data: Inputs) -> None:
    lines = summary_text(data).splitlines()
    assert lines[0] == f"VERDICT  {data.comparison['verdict']['headline']}"
    for arm in ARMS:
        assert any(line.startswith(arm.name + " ") for line in lines)
    assert any("31-mer" in line for line in lines) and len(lines) < 45
    assert str(data.comparison["pairs"]) in " ".join(lines)


def test_the_footnote_names_the_best_arm_in_quotes_and_the_table_without(data: Inputs) -> None:
    c = {**data.comparison, "best_arm": {**data.comparison["best_arm"], "arm": "finetune"}}
    text = summary_text(replace(data, comparison=c))
    assert "* best on validation: 'finetune')" in " ".join(text.split())
    (marked,) = [line for line in text.splitlines() if line.endswith(" *")]
    assert marked.startswith("finetune ")
