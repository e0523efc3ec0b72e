"""Drawing panels: each on its own as SVG for the page, or several in one figure for a paper."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from virshort.files import whole

STYLE: dict[Any, Any] = {  # Matplotlib types the keys as literals
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "font.family": "sans-serif",
    "text.parse_math": False,
    "axes.titley": 1.0,  # otherwise Matplotlib lays out all tick labels once more to look for a free height
    "axes.formatter.useoffset": False,  # would stand where the title is
}
SIZE = (3.1, 2.4)  # inches; three panels fit beside each other on the page
LARGE = (4.3, 3.2)


@dataclass(frozen=True)
class Line:
    """A line of a panel. `name`: None if the legend leaves it out; `low` and `high`: its band, None where there is none."""

    name: str | None
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()
    marker: str = ""
    width: float = 1.6


@dataclass(frozen=True)
class Bar:
    """A value with its interval, on a row of its own."""

    name: str
    value: float
    colour: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Panel:
    """A plot of either lines or bars. `ticks`: values marked on the x axis; `level`: height of a dotted line across."""

    title: str
    x: str
    y: str = ""
    lines: Sequence[Line] = ()
    bars: Sequence[Bar] = ()
    ticks: Sequence[float] = ()
    log: bool = False
    y_range: tuple[float, float] | None = None
    level: float | None = None
    diagonal: bool = False
    large: bool = False  # with a legend beside it in a figure for a paper

    @property
    def key(self) -> list[tuple[str, str]]:
        """Name and colour of each line that the legend names."""
        return [(line.name, line.colour) for line in self.lines if line.name is not None]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches, on the page."""
        if self.bars:
            return LARGE[0], 0.7 + 0.26 * len(self.bars)
        return LARGE if self.large else SIZE


def draw(axes: Axes, panel: Panel) -> None:
    """Draw a panel without a legend."""
    axes.set_title(panel.title, loc="left")
    axes.set_xlabel(panel.x)
    axes.set_ylabel(panel.y)
    if panel.bars:
        _draw_bars(axes, panel)
        return
    if panel.log:
        axes.set_xscale("log")
    if panel.ticks:
        axes.set_xticks(list(panel.ticks), tick_names(panel.ticks), fontsize=8)
        axes.xaxis.set_minor_locator(NullLocator())
    if panel.level is not None:
        axes.axhline(panel.level, color="#999999", linewidth=0.8, linestyle=":")
    if panel.diagonal:
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle=":")
    for line in panel.lines:
        label = line.name if line.name is not None else "_"  # Matplotlib keeps this one out of the legend
        axes.plot(line.x, line.y, color=line.colour, marker=line.marker, markersize=3, linewidth=line.width, label=label)
        known = [(x, a, b) for x, a, b in zip(line.x, line.low, line.high, strict=False) if a is not None and b is not None]
        if known:
            x, low, high = zip(*known, strict=True)
            axes.fill_between(x, low, high, color=line.colour, alpha=0.2, linewidth=0)
    if panel.y_range:
        axes.set_ylim(*panel.y_range)


def tick_names(ticks: Sequence[float]) -> list[str]:
    """Names of ascending ticks on a log axis; a tick that is too close to the last one with a name has none."""
    names, last = [], None
    for tick in ticks:
        close = last is not None and math.log(tick / last) < 0.1 * math.log(ticks[-1] / ticks[0])
        names.append("" if close else f"{tick:g}")
        last = last if close else tick
    return names


def _draw_bars(axes: Axes, panel: Panel) -> None:
    for i, bar in enumerate(panel.bars):
        if bar.low is not None and bar.high is not None:
            axes.plot([bar.low, bar.high], [i, i], color=bar.colour, linewidth=2)
        axes.plot([bar.value], [i], "o", color=bar.colour, markersize=5)
    axes.set_yticks(range(len(panel.bars)), [bar.name for bar in panel.bars])
    axes.invert_yaxis()
    for t in panel.ticks:
        axes.axvline(t, color="#999999", linewidth=0.8, linestyle="-" if t == 0 else ":")


def svg(panel: Panel) -> str:
    """A panel as an SVG element for the page, its text as text. The legend is left to the page (`Panel.key`)."""
    with mpl.rc_context({**STYLE, "svg.hashsalt": panel.title + panel.y}):
        figure = Figure(figsize=panel.size, layout="constrained" if panel.bars else None)
        draw(figure.subplots(), panel)
        if not panel.bars:
            place(figure, 1, 1)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    return text[text.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{_without_markup(panel.title)}" ', 1)


def save(panels: Sequence[Panel], path: Path) -> None:
    """All panels with their legends in one figure, as <path>.svg and <path>.png."""
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    with mpl.rc_context({**STYLE, "svg.hashsalt": path.name}):
        height = max([SIZE[1], *(0.5 + 0.28 * len(p.bars) for p in panels)])
        width = 6.5 if columns == 1 else SIZE[0] * columns
        of_any_width = panels[0].large or panels[0].bars  # the legend beside the panels, or the names of bars
        figure = Figure(figsize=(width, height * rows), layout="constrained" if of_any_width else None)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax, panel in zip(axes, panels, strict=False):
            draw(ax, panel)
            if panel.key and not panel.large:
                ax.legend(frameon=False, fontsize=8)
        if panels[0].large:  # the same arms in all of them
            axes[len(panels) - 1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
        for ax in axes[len(panels) :]:
            ax.set_axis_off()
        if not of_any_width:
            place(figure, rows, columns)
        for kind in ("svg", "png"):
            with whole(path.with_suffix(f".{kind}")) as temporary:
                figure.savefig(temporary, format=kind, dpi=200, metadata={"Date": None} if kind == "svg" else None)
            figure.set_layout_engine(None)  # the second file has the layout of the first


def place(figure: Figure, rows: int, columns: int) -> None:
    """Margins around each panel that are fixed in inches. They align the axes of all panels, and cost no search for a layout,
    which takes longer than drawing."""
    left, right, below, above = 0.68, 0.1, 0.43, 0.25
    width, height = figure.get_size_inches()
    across, down = width / columns - left - right, height / rows - below - above  # of the axes
    figure.subplots_adjust(
        left / width,
        below / height,
        1 - right / width,
        1 - above / height,
        (left + right) / across,
        (below + above) / down,
    )


def _without_markup(text: str) -> str:
    return "".join(c for c in text if c not in '<>&"')
