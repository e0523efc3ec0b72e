"""MultiQC: it sees no variable of its own, and what it leaves out is an error."""

import json
from pathlib import Path

import pytest

from report_examples import ASSETS
from virshort.errors import InputError
from virshort.report.content import CustomContent
from virshort.report.multiqc import environment, missing_sections, render

CONFIG = ASSETS / "multiqc_config.yml"
SECTION: CustomContent = {
    "id": "vs_answer",
    "parent_id": "vs",
    "parent_name": "Results",
    "parent_description": "",
    "section_name": "The answer",
    "description": "",
    "plot_type": "html",
    "data": "<p>42 phagès</p>",
}


def test_multiqc_sees_no_variable_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MULTIQC_CONFIG_PATH", "/nowhere.yaml")
    monkeypatch.setenv("BASH_ENV", "/nowhere.sh")
    seen = environment(tmp_path)
    assert not [name for name in seen if name.startswith("MULTIQC")] and "BASH_ENV" not in seen
    assert seen["HOME"] == seen["XDG_CONFIG_HOME"] == str(tmp_path) and "PATH" in seen


def test_a_section_that_multiqc_leaves_out_is_an_error() -> None:
    """A null in a line plot makes MultiQC drop all custom content, and exit with 0."""
    pair = {"plot_type": "linegraph", "pconfig": {"id": "p", "title": "t: t"}, "data": {"a": [[1, None]]}}
    broken: CustomContent = json.loads(json.dumps({**SECTION, **pair}))
    with pytest.raises(InputError, match="MultiQC"):
        render({"vs_answer": broken}, CONFIG)


def test_missing_sections_are_found_by_their_ids() -> None:
    assert missing_sections('<div id="mqc-section-wrapper-vs_run">', ["vs_run", "vs_data"]) == ["vs_data"]
