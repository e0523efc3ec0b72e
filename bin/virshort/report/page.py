"""The sections of the report, in reading order, as MultiQC custom content.

Each section has a function that picks out what is shown, and a template in assets/report/templates that says how. All
numbers come from the run's own files. Names that users gave are escaped by Jinja.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from virshort.report import numbers
from virshort.report.charts import svg
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
from virshort.verdict.wording import names_in_words, quoted


class CustomContent(TypedDict):
    """A section as MultiQC reads it."""

    id: str
    parent_id: str
    parent_name: str
    parent_description: str
    section_name: str
    description: str
    plot_type: str
    data: str


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
PREFIX = "vs_"


def sections(data: Inputs, assets: Path) -> dict[str, CustomContent]:
    """MultiQC custom content by section id, in reading order. `assets`: holds style.css and templates/."""
    templates = environment(assets / "templates")
    style = (assets / "style.css").read_text(encoding="utf-8")
    built: dict[str, CustomContent] = {}
    for s in SECTIONS:
        body = templates.get_template(f"{s.name}.html").render(s.context(data))
        if not built:
            body = f"<style>{style}</style>" + body
        built[PREFIX + s.name] = {
            "id": PREFIX + s.name,
            "parent_id": "vs",
            "parent_name": "Results",
            "parent_description": "Every figure comes from the files of this run.",
            "section_name": s.title,
            "description": "",
            "plot_type": "html",
            "data": f'<div class="vs">{body}</div>'.replace(" %", "&nbsp;%"),
        }
    return built


def environment(templates: Path) -> Environment:
    """Jinja with the filters that the templates use. A name that a template does not know is an error."""
    found = Environment(
        loader=FileSystemLoader(templates), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found.filters |= {
        "scaled": numbers.scaled,
        "interval": numbers.interval,
        "signed": numbers.signed,
        "count": numbers.count,
        "duration": numbers.duration,
        "plain": numbers.plain,
        "p_value": numbers.p_value,
        "svg": svg,
        "quoted": quoted,
        "names_in_words": names_in_words,
    }
    return found
