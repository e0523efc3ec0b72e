"""Sections as MultiQC custom content: templates and their filters, and what MultiQC reads of each section."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from virshort.report import numbers
from virshort.report.charts import svg
from virshort.verdict.wording import names_in_words, quoted

PREFIX = "vs_"


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


def custom_content(bodies: Mapping[str, tuple[str, str]], style: str) -> dict[str, CustomContent]:
    """MultiQC custom content by section id, in reading order. bodies: title and HTML of each section by name; style: CSS."""
    built: dict[str, CustomContent] = {}
    for name, (title, body) in bodies.items():
        if not built:
            body = f"<style>{style}</style>" + body
        built[PREFIX + name] = {
            "id": PREFIX + name,
            "parent_id": "vs",
            "parent_name": "Results",
            "parent_description": "Every figure comes from the files of this run.",
            "section_name": title,
            "description": "",
            "plot_type": "html",
            "data": f'<div class="vs">{body}</div>'.replace(" %", "&nbsp;%"),
        }
    return built


def environment(*templates: Path) -> Environment:
    """Jinja with the filters that the templates use, which are in these folders. A name that a template does not know is an
    error."""
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
