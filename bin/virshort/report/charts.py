"""Plots as panels: small ones that stand side by side in the report, and all of a kind in one figure for a paper."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from virshort.files import whole

STYLE = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "font.family": "sans-serif",
    "text.parse_math": False,
}
SIZE = (3.3, 2.5)  # inches a panel


@dataclass(frozen=True)
class Line:
    """A line of a panel; `low` and `high` bound its band, None where a point has no interval."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    dash: str = "-"
    marker: str = ""
    width: float = 1.6


@dataclass(frozen=True)
class Panel:
    """A plot. `ticks`: places that the x axis names; `level`: a dotted line across."""

    title: str
    x: str
    y: str
    lines: Sequence[Line]
    ticks: Sequence[float] = ()
    log: bool = False
    y_range: tuple[float, float] | None = None
    level: float | None = None
    diagonal: bool = False
    legend: bool = False
    wide: bool = False  # twice as wide, with the legend beside it
    bars: Sequence[tuple[str, float, float | None, float | None, str]] = field(default=())  # name, value, low, high, colour


def draw(axes: Axes, panel: Panel) -> None:
    """Draw a panel."""
    axes.set_title(panel.title, loc="left")
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)
    if panel.bars:
        _draw_bars(axes, panel)
        return
    if panel.log:
        axes.set_xscale("log")
    if panel.ticks:
        axes.set_xticks(list(panel.ticks), [f"{t:g}" for t in panel.ticks])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.tick_params(axis="x", labelsize=7 if len(panel.ticks) > 5 else 9)  # 150 and 200 bp are near
    if panel.level is not None:
        axes.axhline(panel.level, color="#999999", linewidth=0.8, linestyle=":")
    if panel.diagonal:
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle=":")
    for line in panel.lines:
        axes.plot(
            line.x,
            line.y,
            line.dash,
            color=line.colour,
            marker=line.marker,
            markersize=3,
            linewidth=line.width,
            label=line.name,
        )
        known = [(x, a, b) for x, a, b in zip(line.x, line.low, line.high, strict=False) if a is not None and b is not None]
        if known:
            axes.fill_between(*zip(*known, strict=True), color=line.colour, alpha=0.2, linewidth=0)
    if panel.y_range:
        axes.set_ylim(*panel.y_range)
    if panel.wide:
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    elif panel.legend:
        axes.legend(frameon=False, fontsize=8)


def _draw_bars(axes: Axes, panel: Panel) -> None:
    """Values with their intervals, one under the other."""
    for i, (_, value, low, high, colour) in enumerate(panel.bars):
        if low is not None and high is not None:
            axes.plot([low, high], [i, i], color=colour, linewidth=2)
        axes.plot([value], [i], "o", color=colour, markersize=5)
    axes.set_yticks(range(len(panel.bars)), [b[0] for b in panel.bars])
    axes.invert_yaxis()
    for t in panel.ticks:
        axes.axvline(t, color="#999999", linewidth=0.8, linestyle="-" if t == 0 else ":")


def svg(panel: Panel) -> str:
    """A panel as an SVG element for an HTML page, its text as text."""
    with mpl.rc_context({**STYLE, "svg.hashsalt": panel.title + panel.y}):
        figure = Figure(figsize=(2 * SIZE[0], 1.2 * SIZE[1]) if panel.wide else SIZE)
        draw(figure.subplots(), panel)
        figure.subplots_adjust(*((0.09, 0.17, 0.76, 0.9) if panel.wide else (0.17, 0.19, 0.97, 0.9)))
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    return text[text.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{_plain(panel.title)}" ', 1)


def save(panels: Sequence[Panel], path: Path) -> None:
    """All panels in one figure, as <path>.svg and <path>.png."""
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    with mpl.rc_context({**STYLE, "svg.hashsalt": path.name}):
        height = max([SIZE[1], *(0.5 + 0.28 * len(p.bars) for p in panels)])
        width = 6.5 if columns == 1 else SIZE[0] * columns
        figure = Figure(figsize=(width, height * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax, panel in zip(axes, panels, strict=False):
            draw(ax, panel)
        for ax in axes[len(panels) :]:
            ax.set_axis_off()
        for kind in ("svg", "png"):
            with whole(path.with_suffix(f".{kind}")) as temporary:
                figure.savefig(temporary, format=kind, dpi=200, metadata={"Date": None} if kind == "svg" else None)


def _plain(text: str) -> str:
    return "".join(c for c in text if c not in '<>&"')
