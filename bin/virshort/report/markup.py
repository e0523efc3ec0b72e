"""Pieces of HTML for the report. What users named is escaped by the caller, since cells may be HTML themselves."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

Json = Mapping[str, Any]


def section(name: str, description: str, body: str) -> dict[str, Any]:
    return {"section_name": name, "description": description, "plot_type": "html", "data": body}


def wrap(*parts: str) -> str:
    return '<div class="vs">' + "".join(p for p in parts if p).replace(" %", "&nbsp;%") + "</div>"


def red(title: str, text: str) -> str:
    return f'<div class="vs-banner vs-red"><b>{escape(title)}</b>{escape(text)}</div>'


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """An HTML table of ready HTML cells; `numbers`: columns set to the right."""
    right = set(numbers)

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(_cell(tag, cell, i in right) for i, cell in enumerate(cells)) + "</tr>"

    return '<div class="vs-scroll"><table>' + line(heads, "th") + "".join(line(r, "td") for r in rows) + "</table></div>"


def _cell(tag: str, content: str, right: bool) -> str:
    return f'<{tag} class="n">{content}</{tag}>' if right else f"<{tag}>{content}</{tag}>"


def span(interval: Sequence[float], scale: float = 1, digits: int = 1) -> str:
    return f"{scale * interval[0]:.{digits}f} to {scale * interval[1]:.{digits}f}"


def with_interval(metric: Json, scale: float, digits: int = 1) -> str:
    if metric["mean"] is None:
        return ""
    between = f'<br><span class="vs-soft">({span(metric["ci95"], scale, digits)})</span>' if metric["ci95"] else ""
    return f"{scale * metric['mean']:.{digits}f}{between}"


def signed(d: Json | None, between: str = " ") -> str:
    if not d:
        return ""
    return f"{d['points']:+.1f}" + (f'{between}<span class="vs-soft">({span(d["ci95"])})</span>' if d["ci95"] else "")


def p_value(d: Json | None, role: str) -> str:
    if not d or d["p"] is None:
        return ""
    p = d["p"] if role == "control" else d["p_holm"]
    return "" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def count(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {plain(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(v) for v in value)
    return "" if value is None else str(value)
