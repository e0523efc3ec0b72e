"""Panels take their numbers from the comparison, and are drawn the same way every time."""

from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.figure import Figure

from report_examples import EVIL
from virshort.report.charts import STYLE, Bar, Line, Panel, draw, place, save, svg, tick_names
from virshort.report.inputs import Inputs
from virshort.report.lookup import remedies
from virshort.report.panels import (
    GREY,
    all_panels,
    colours,
    forest_panels,
    length_panels,
    pair_panels,
    training_panels,
    voting_panels,
)
from virshort.verdict.rows import row_of


def test_length_panels_hold_the_metrics_of_each_length(data: Inputs) -> None:
    c = data.comparison
    for metric in ("accuracy", "auroc"):
        panels = length_panels(c, metric)
        assert [p.title for p in panels] == [a for a in remedies(c) if a != "baseline"]
        for p in panels:
            base, line = p.lines
            assert (base.name, base.colour, line.name) == ("baseline", GREY, p.title)
            for i, length in enumerate((100, 500)):
                found = row_of(c["arms"], p.title, f"length_{length}")
                assert found is not None
                m = found["metrics"][metric]
                assert (line.x[i], line.y[i], [line.low[i], line.high[i]]) == (length, m["mean"], m["ci95"])


def test_the_forest_has_every_difference_to_the_baseline(data: Inputs) -> None:
    (panel,) = forest_panels(data.comparison)
    rows = {r["arm"]: r["difference_to_baseline"] for r in data.comparison["arms"] if r["test_set"] == "short"}
    assert {b.name: (b.value, [b.low, b.high]) for b in panel.bars} == {
        arm: (d["points"], d["ci95"]) for arm, d in rows.items() if d
    }
    assert {b.name for b in panel.bars if b.colour == GREY} == {"gc", "shuffled_labels"}


def test_training_panels_have_a_line_for_each_head_and_name_each_part_once(data: Inputs) -> None:
    history = [{"epoch": e, "train": {"accuracy": e / 10}, "validation": {"accuracy": None}} for e in (1, 2)]
    (panel,) = training_panels(data.comparison, {"finetune": [history, history[:1]], "gc": [history]})
    assert panel.title == "finetune"
    assert [(line.name, list(line.x), list(line.y)) for line in panel.lines] == [
        ("training", [1, 2], [0.1, 0.2]),
        (None, [1], [0.1]),
    ]
    assert panel.key == [("training", colours(data.comparison)["finetune"])]


def test_votes_of_all_remedies_are_in_one_panel(data: Inputs) -> None:
    (panel,) = voting_panels(data.comparison)
    assert [name for name, _ in panel.key] == remedies(data.comparison)


def test_every_remedy_has_one_mate_and_both_in_one_panel(data: Inputs) -> None:
    (panel,) = pair_panels(data.comparison)
    assert [line.name for line in panel.lines] == remedies(data.comparison)
    for line in panel.lines:
        found = [row_of(data.comparison["arms"], line.name, name) for name in ("mate", "pair")]
        assert [*line.x] == [1, 2] and [*line.y] == [r["metrics"]["accuracy"]["mean"] for r in found if r]


def test_a_panel_is_drawn_with_its_title_escaped_and_always_the_same() -> None:
    panel = Panel(
        EVIL, "x", "y", [Line("a & b", [1, 2], [0.1, 0.2], "#000000", [0, None], [0.3, None])], ticks=(1, 2), log=True
    )
    drawn = svg(panel)
    assert drawn == svg(panel)
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(drawn).iter()}
    assert "path" in tags and "script" not in tags
    assert panel.key == [("a & b", "#000000")]


def test_lengths_that_are_close_together_do_not_overlap_on_the_axis() -> None:
    assert tick_names([100, 150, 200, 300, 500, 1000, 3000]) == ["100", "150", "", "300", "500", "1000", "3000"]
    assert tick_names([1, 2, 3, 5, 10]) == ["1", "2", "3", "5", "10"]
    assert tick_names([150]) == ["150"]


def test_figures_are_written_as_svg_and_png(data: Inputs, tmp_path: Path) -> None:
    panels = all_panels(data.comparison, data.histories)
    plots = {"forest", "length", "length_auroc", "genomes", "novelty", "voting", "pairs", "curves", "reliability", "training"}
    assert set(panels) == plots
    save([Panel("a", "x", bars=[Bar("one", 1.0, "#000000", 0.5, 1.5), Bar("two", 2.0, "#000000")])], tmp_path / "forest")
    assert (tmp_path / "forest.svg").read_text().startswith("<?xml")
    assert (tmp_path / "forest.png").read_bytes().startswith(b"\x89PNG")


def test_the_labels_of_narrow_panels_are_whole_and_their_axes_aligned() -> None:
    figure = Figure(figsize=(6.2, 4.8))
    with mpl.rc_context(STYLE):
        axes = figure.subplots(2, 2).ravel()
        for ax, top in zip(axes, (0.999, 1.0, 0.9, 0.5), strict=True):
            draw(ax, Panel("training", "epoch", "accuracy", [Line("training", [1, 10], [0.875, top], GREY)]))
        place(figure, 2, 2)
        figure.draw_without_rendering()
    left, below = (min(getattr(box, edge) for ax in axes if (box := ax.get_tightbbox())) for edge in ("x0", "y0"))
    assert left >= 0 and below >= 0
    boxes = [ax.get_position() for ax in axes]
    assert boxes[0].x0 == boxes[2].x0 and boxes[0].y0 == boxes[1].y0
    assert max(b.width for b in boxes) - min(b.width for b in boxes) < 1e-9
