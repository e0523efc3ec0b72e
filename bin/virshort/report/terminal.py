"""The summary for the terminal."""

import textwrap
from collections.abc import Sequence

from virshort.report.inputs import Inputs
from virshort.report.needs import needs_text
from virshort.report.numbers import interval, scaled, signed
from virshort.report.wording import control_sentences, further_warnings
from virshort.verdict.rows import row_of
from virshort.verdict.schema import ArmRow
from virshort.verdict.wording import SIMULATED, quoted


def summary_text(data: Inputs) -> str:
    """The verdict first, then the recommendation, the arms, the leakage audit, controls and warnings."""
    c = data.comparison
    lines = [f"VERDICT  {c['verdict']['headline']}", ""]
    if data.simulated:
        lines += [*_fold(SIMULATED), ""]
    lines += [*_fold(c["answer"]), "", *_fold(" ".join(filter(None, [c["recommendation"], needs_text(data)]))), ""]
    if c["novelty"]["sentence"]:
        lines += [*_fold(c["novelty"]["sentence"]), ""]
    names = [r["arm"] for r in c["arms"] if r["test_set"] in ("short", "full")]
    width = max([len(n) for n in names] + [8])
    lines.append(f"{'arm':<{width}}  {'short windows':<22}  {'against baseline':<24}  full length")
    for name in dict.fromkeys(names):
        short, full = row_of(c["arms"], name, "short"), row_of(c["arms"], name, "full")
        d = short and short["difference_to_baseline"]
        difference = f"{signed(d['points']):>5} {_brackets(d['ci95'], 1)}" if d else ""
        mark = " *" if name == c["best_arm"]["arm"] else ""
        lines.append(f"{name:<{width}}  {_accuracy(short):<22}  {difference:<24}  {_accuracy(full)}{mark}".rstrip())
    chosen = c["best_arm"]["arm"]
    best = f"best on validation: {quoted(chosen)}" if chosen else "no arm has validation results"
    lines += _fold(f"(accuracy in %, differences in points, with 95 % intervals; * {best})")
    if c["pairs"]:
        lines += ["", *_fold(c["pairs"])]
    lines += ["", *_fold(c["leakage"]["sentence"])]
    lines += [line for sentence in control_sentences(c) for line in _fold(sentence)]
    lines += [line for o in c["overfitting"] for line in _fold(o["sentence"])]
    lines += [line for w in further_warnings(data) for line in _fold(f"WARNING: {w}")]
    return "\n".join(lines) + "\n"


def _accuracy(row: ArmRow | None) -> str:
    if row is None or row["metrics"]["accuracy"]["mean"] is None:
        return ""
    accuracy = row["metrics"]["accuracy"]
    return f"{scaled(accuracy['mean']):>5} {_brackets(accuracy['ci95'], 100)}"


def _brackets(bounds: Sequence[float] | None, scale: float) -> str:
    return f"({interval(bounds, scale)})" if bounds else "(no interval)"


def _fold(text: str, width: int = 100) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
