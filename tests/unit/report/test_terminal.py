"""The summary for the terminal."""

from dataclasses import replace

from report_examples import ARMS
from virshort.report.inputs import Inputs
from virshort.report.terminal import summary_text
from virshort.report.wording import UNCHECKED


def test_the_summary_has_the_verdict_all_arms_and_the_audit(data: Inputs) -> None:
    lines = summary_text(data).splitlines()
    assert lines[0] == f"VERDICT  {data.comparison['verdict']['headline']}"
    for arm in ARMS:
        assert any(line.startswith(arm.name + " ") for line in lines)
    assert any("31-mer" in line for line in lines) and len(lines) < 45


def test_a_comparison_that_could_not_be_checked_is_a_warning(data: Inputs) -> None:
    text = " ".join(summary_text(replace(data, parts_checked=False)).split())
    assert f"WARNING: {UNCHECKED}" in text
    assert "WARNING: An earlier" not in " ".join(summary_text(replace(data, parts_checked=True)).split())
