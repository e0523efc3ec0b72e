"""The sections of the report on classified reads, in reading order."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from virshort.calls.sample_record import SampleSummary
from virshort.calls.summary import HISTOGRAM, in_words, kind_of_fragments, percent
from virshort.model.record import ModelRecord
from virshort.report.charts import Line, Panel
from virshort.report.content import CustomContent, custom_content, environment
from virshort.report.reads_truth import cells, truth_notes, truth_rows

TITLES = {
    "share": "How many reads are viral?",
    "truth": "Calls and truth",
    "calls": "Calls",
    "scores": "Scores",
    "lengths": "Lengths",
    "found": "What was found",
    "evidence": "Evidence",
    "unlike": "Unlike the training windows",
    "model": "Model, parameters, versions",
}
DRAWN = 24
"""Samples whose scores are drawn."""
FAMILIES = 12
"""Families that are listed of each sample."""
COLOUR = "#1f77b4"


def sections(
    samples: Sequence[SampleSummary],
    model: ModelRecord,
    parameters: Mapping[str, Any],
    versions: Mapping[str, str],
    assets: Path,
) -> dict[str, CustomContent]:
    """MultiQC custom content by section id. assets: holds style.css, templates/ (for its macros) and reads/."""
    templates = environment(assets / "reads", assets / "templates")
    templates.filters |= {"percent": percent, "bin_in_words": lambda lengths: in_words(tuple(lengths))}
    context = {
        "samples": samples,
        "model": model,
        "parameters": {name: value for name, value in parameters.items() if value is not None},
        "versions": versions,
        "panels": [score_panel(s) for s in samples[:DRAWN]],
        "drawn": DRAWN,
        "families_shown": FAMILIES,
        "truth_rows": truth_rows,
        "truth_cells": cells,
        "truth_notes": truth_notes,
        "reasons": sorted(set().union(*(s["reasons"] for s in samples))),
        "flags": sorted(set().union(*(s["flags"] for s in samples))),
    }
    bodies = {
        name: (title, templates.get_template(f"{name}.html").render(context))
        for name, title in TITLES.items()
        if name != "truth" or any(s["truth"] for s in samples)
    }
    style = (assets / "style.css").read_text(encoding="utf-8")
    return custom_content({f"reads_{name}": body for name, body in bodies.items()}, style)


def score_panel(sample: SampleSummary) -> Panel:
    """How many fragments have each score, as the outline of a histogram."""
    counts = sample["score_histogram"]
    x = [edge / HISTOGRAM for i in range(HISTOGRAM) for edge in (i, i + 1)]
    y = [float(n) for n in counts for _ in range(2)]
    what = kind_of_fragments(sample["layout"])
    line = Line(None, x, y, COLOUR)
    return Panel(sample["sample"], "score (probability of viral)", what, [line], y_range=(0, max(1, 1.05 * max(counts))))
