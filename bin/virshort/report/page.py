"""The sections of the report, in reading order, as MultiQC custom content.

Each section has a function that picks out what is shown, and a template in assets/report/templates that says how. All
numbers come from the run's own files. Names that users gave are escaped by Jinja.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from virshort.report.content import CustomContent, custom_content, environment
from virshort.report.inputs import Inputs
from virshort.report.sections.answer import answer
from virshort.report.sections.arms import arms, forest
from virshort.report.sections.calls import curves, reliability, thresholds
from virshort.report.sections.data import controls, sources_and_windows
from virshort.report.sections.errors import errors
from virshort.report.sections.genomes import genomes
from virshort.report.sections.lengths import lengths, pairs, voting
from virshort.report.sections.novelty import novelty
from virshort.report.sections.run import cost, dome_sheet, methods, run
from virshort.report.sections.training import training


class Section(NamedTuple):
    """A section of the page. `name`: its id without the prefix, and the name of its template."""

    name: str
    title: str
    context: Callable[[Inputs], Mapping[str, Any]]


SECTIONS = (
    Section("answer", "The answer", answer),
    Section("arms", "Arms side by side", arms),
    Section("forest", "Difference to the baseline", forest),
    Section("length", "Accuracy by window length", lengths),
    Section("genomes", "Would more genomes help?", genomes),
    Section("novelty", "How new may a virus be?", novelty),
    Section("voting", "Voting", voting),
    Section("pairs", "Two mates", pairs),
    Section("errors", "Where it fails", errors),
    Section("training", "Training", training),
    Section("curves", "ROC and precision-recall", curves),
    Section("reliability", "Reliability", reliability),
    Section("thresholds", "Thresholds", thresholds),
    Section("controls", "Controls and leakage", controls),
    Section("data", "Data", sources_and_windows),
    Section("run", "Encoders, parameters, versions", run),
    Section("dome", "DOME sheet", dome_sheet),
    Section("cost", "What it cost", cost),
    Section("methods", "Methods, ready to paste", methods),
)


def sections(data: Inputs, assets: Path) -> dict[str, CustomContent]:
    """MultiQC custom content by section id, in reading order. `assets`: holds style.css and templates/."""
    templates = environment(assets / "templates")
    style = (assets / "style.css").read_text(encoding="utf-8")
    bodies = {s.name: (s.title, templates.get_template(f"{s.name}.html").render(s.context(data))) for s in SECTIONS}
    return custom_content(bodies, style)
