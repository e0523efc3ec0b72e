"""Fixtures for the tests of the report."""

from collections.abc import Callable
from pathlib import Path

import pytest

from report_examples import ASSETS, write_everything
from virshort.report.content import CustomContent, environment
from virshort.report.inputs import Inputs, read_inputs
from virshort.report.page import SECTIONS, sections


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with everything that the report shows. Tests do not change it."""
    folder = tmp_path_factory.mktemp("results")
    write_everything(folder)
    return folder


@pytest.fixture(scope="session")
def data(results: Path) -> Inputs:
    return read_inputs(results)


@pytest.fixture(scope="session")
def built(data: Inputs) -> dict[str, CustomContent]:
    """All sections of the page."""
    return sections(data, ASSETS)


@pytest.fixture(scope="session")
def section() -> Callable[[str, Inputs], str]:
    """The HTML of one section: section("answer", data)."""
    templates = environment(ASSETS / "templates")
    contexts = {s.name: s.context for s in SECTIONS}
    return lambda name, data: templates.get_template(f"{name}.html").render(contexts[name](data))
