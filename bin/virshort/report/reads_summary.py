"""What a run on reads says of its samples, taken from their summaries: summary.tsv, and the text for the terminal."""

import textwrap
from collections.abc import Callable, Mapping, Sequence

from virshort.calls.sample_record import FoundFamily, SampleSummary
from virshort.calls.summary import kind_of_fragments, percent
from virshort.reads.forecast import Forecast
from virshort.report.reads_truth import truth_text

Value = str | int | float | None
NAMED = 4
"""Families that the text names of each sample."""


def _prevalence(s: SampleSummary, name: str) -> Value:
    return s["prevalence"][name] if s["prevalence"] else None  # type: ignore[literal-required]


def _bound(s: SampleSummary, which: int) -> Value:
    bounds = s["prevalence"]["ci95"] if s["prevalence"] else None
    return bounds[which] if bounds else None


COLUMNS: Mapping[str, Callable[[SampleSummary], Value]] = {
    "sample": lambda s: s["sample"],
    "layout": lambda s: s["layout"],
    "model": lambda s: s["model"],
    "threshold": lambda s: s["threshold"],
    "pair_rule": lambda s: s["pair_rule"],
    "reads": lambda s: sum(n["all"] for n in s["reads"].values()),
    "fragments": lambda s: s["fragments"]["all"],
    "viral": lambda s: s["fragments"]["viral"],
    "nonviral": lambda s: s["fragments"]["nonviral"],
    "unscored": lambda s: s["fragments"]["unscored"],
    "called_share": lambda s: _prevalence(s, "called"),
    "viral_share": lambda s: _prevalence(s, "share"),
    "viral_share_low": lambda s: _bound(s, 0),
    "viral_share_high": lambda s: _bound(s, 1),
    "viral_share_saerens": lambda s: _prevalence(s, "saerens"),
    "expected_precision": lambda s: _prevalence(s, "precision"),
    "detection_limit": lambda s: _prevalence(s, "detection_limit"),
    "distinguishable_from_none": lambda s: ("no", "yes")[s["prevalence"]["distinguishable"]] if s["prevalence"] else None,
    "true_sensitivity": lambda s: s["truth"]["all"]["sensitivity"] if s["truth"] else None,
    "true_false_positive_rate": lambda s: s["truth"]["all"]["false_positive_rate"] if s["truth"] else None,
    "true_precision": lambda s: s["truth"]["all"]["precision"] if s["truth"] else None,
}
"""The columns of summary.tsv. A fragment is a single read or a pair."""


def summary_table(samples: Sequence[SampleSummary]) -> str:
    """The text of summary.tsv; a value that is not known is empty."""
    rows = [list(COLUMNS), *([_text(value(s)) for value in COLUMNS.values()] for s in samples)]
    return "".join("\t".join(row) + "\n" for row in rows)


def _text(value: Value) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def found_sentence(found: Sequence[FoundFamily]) -> str:
    """What viral reads match best, in a sentence; nothing if they match no virus."""
    viral = [f for f in found if f["label"] == "viral" and f["reads"]["viral"]]
    if not viral:
        return ""
    named = [f"{f['family'] or f['kingdom']} ({f['reads']['viral']:,} reads)" for f in viral[:NAMED]]
    more = f" and {len(viral) - NAMED} more" if len(viral) > NAMED else ""
    return f"Viral reads match best: {', '.join(named)}{more}."


def summary_text(samples: Sequence[SampleSummary], forecast: Forecast | None = None) -> str:
    """The text for the terminal: the calls of each sample, and how many of its reads are viral. forecast: what the run said
    before its first chunk."""
    first = samples[0]
    lines = [f"CALLS  by the model '{first['model']}' at the threshold {first['threshold']}"]
    for s in samples:
        counts, what = s["fragments"], kind_of_fragments(s["layout"])
        scored = counts["viral"] + counts["nonviral"]
        said = [f"{s['sample']}: {counts['viral']:,} of {counts['all']:,} {what} are called viral"]
        said[0] += f" ({percent(counts['viral'] / scored)} of those with a score)." if scored else "."
        said.append(s["prevalence"]["sentence"] if s["prevalence"] else s["why_no_prevalence"] or "")
        said += [found_sentence(s["found"] or []), *s["unlike"]]
        lines += ["", _filled(" ".join(filter(None, said)))]
        if s["truth"]:
            lines += ["", textwrap.indent(truth_text(s), "  ")]
    if forecast and forecast["seconds"] is not None:
        lines += ["", _filled(f"The forecast was: {forecast['sentence']}")]
    return "\n".join(lines) + "\n"


def _filled(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)
