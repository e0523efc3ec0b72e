"""The plots of the report and of figures/ as panels: what is drawn, taken from the comparison and the training histories."""

from collections.abc import Mapping, Sequence

from virshort.report.charts import Bar, Line, Panel
from virshort.report.inputs import History
from virshort.report.lookup import arms_of_interest, by_length, detail, remedies
from virshort.verdict.rows import row_of
from virshort.verdict.schema import Comparison
from virshort.verdict.verdict import MODERATE, STRONG

COLOURS = (
    *("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22"),
    *("#000080", "#800000", "#004d00", "#d4a017", "#5c3317", "#00a36c"),
)
GREY = "#888888"
AXIS = {"accuracy": "accuracy", "auroc": "AUROC", "loss": "loss"}


def colours(c: Comparison) -> dict[str, str]:
    """A colour for each arm, the same in every plot."""
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(dict.fromkeys(r["arm"] for r in c["arms"]))}


def forest_panels(c: Comparison) -> list[Panel]:
    """Differences to the baseline on short windows, one below the other."""
    bars = []
    for r in c["arms"]:
        d = r["difference_to_baseline"]
        if r["test_set"] == "short" and d:
            low, high = d["ci95"] or (None, None)
            bars.append(Bar(r["arm"], d["points"], GREY if r["role"] == "control" else colours(c)[r["arm"]], low, high))
    return (
        [Panel("Accuracy on short windows", "points above the baseline", ticks=(0, MODERATE, STRONG), bars=bars)]
        if bars
        else []
    )


def length_panels(c: Comparison, metric: str = "accuracy") -> list[Panel]:
    """Accuracy or AUROC against length with its interval: one panel per arm, with the baseline in grey behind it."""
    base = _length_line(c, "baseline", metric, GREY)
    panels = []
    for arm in (a for a in remedies(c) if a != "baseline"):
        line = _length_line(c, arm, metric, colours(c)[arm])
        if line and len(line.x) > 1:
            panels.append(
                Panel(
                    arm,
                    "window length, bp",
                    AXIS[metric],
                    [*([base] if base else []), line],
                    ticks=line.x,
                    log=True,
                    y_range=(0.4, 1.0),
                    level=0.5,
                )
            )
    return panels


def _length_line(c: Comparison, arm: str, metric: str, colour: str) -> Line | None:
    points = by_length(c, arm, metric)
    if not points:
        return None
    lows, highs = ([m["ci95"][i] if m["ci95"] else None for _, m in points] for i in (0, 1))
    means = [m["mean"] for _, m in points if m["mean"] is not None]
    return Line(arm, [n for n, _ in points], means, colour, lows, highs, marker="o")


def genome_panels(c: Comparison) -> list[Panel]:
    """Accuracy and AUROC on short windows against the number of training clusters. Only the arm that was asked for has
    intervals, which would overlap."""
    curve = c["learning_curve"]
    if curve is None:
        return []
    panels = []
    for metric in ("accuracy", "auroc"):
        lines = []
        for arm in dict.fromkeys(p["arm"] for p in curve["points"]):
            points = [(round(p["clusters"]["all"]), p[metric]) for p in curve["points"] if p["arm"] == arm]
            known = [(n, m["mean"], m["ci95"] if arm == curve["arm"] else None) for n, m in points if m["mean"] is not None]
            clusters, means = [n for n, _, _ in known], [mean for _, mean, _ in known]
            lows, highs = ([ci[i] if ci else None for _, _, ci in known] for i in (0, 1))
            lines.append(Line(arm, clusters, means, colours(c)[arm], lows, highs, marker="o"))
        panels.append(Panel("More genomes", "training clusters", AXIS[metric], lines, ticks=lines[0].x, log=True, large=True))
    return panels


def novelty_panels(c: Comparison) -> list[Panel]:
    """The share of viral windows that are found, by the nearest relative in training or else by family: a panel per arm."""
    viral = [r for r in c["novelty"]["rows"] if r["label"] == "viral"]
    by = "match" if any(r["by"] == "match" for r in viral) else "family"
    panels = []
    for arm in arms_of_interest(c):
        mine = [r for r in viral if r["arm"] == arm and r["by"] == by]
        strict = all(r["called_strictly"] for r in mine)
        bars = []
        for r in mine:
            rate = (strict and r["called_strictly"]) or r["called"]
            low, high = (100 * end for end in rate["ci95"]) if rate["ci95"] else (None, None)
            bars.append(Bar(r["group"], 100 * rate["share"], colours(c)[arm], low, high))
        if bars:
            at = "1 % false positives" if strict else "the best balance"
            panels.append(Panel(arm, f"% of viral windows found at {at}", ticks=(0, 50, 100), bars=bars))
    return panels


def voting_panels(c: Comparison) -> list[Panel]:
    """Accuracy against the number of windows that vote. Only the arms of interest have intervals, which would overlap."""
    lines = []
    for arm in remedies(c):
        votes = (detail(c, arm, "short", "voting") or {}).get("votes") or []
        if votes:
            lows, highs = ([v["ci95"][i] if v["ci95"] and arm in arms_of_interest(c) else None for v in votes] for i in (0, 1))
            numbers, accuracies = [v["windows"] for v in votes], [v["accuracy"] for v in votes]
            lines.append(Line(arm, numbers, accuracies, colours(c)[arm], lows, highs, marker="o"))
    if not lines:
        return []
    return [Panel("Votes of one source", "windows that vote", "accuracy", lines, ticks=lines[0].x, log=True, large=True)]


def pair_panels(c: Comparison) -> list[Panel]:
    """Accuracy with one mate and with both. Only the arms of interest have intervals, which would overlap."""
    lines = []
    for arm in (g["arm"] for g in c["pair_gains"] if g["arm"] in remedies(c)):
        found = [m for name in ("mate", "pair") if (row := row_of(c["arms"], arm, name)) and (m := row["metrics"]["accuracy"])]
        means = [m["mean"] for m in found if m["mean"] is not None]
        if len(means) == 2:
            lows, highs = ([m["ci95"][i] if m["ci95"] and arm in arms_of_interest(c) else None for m in found] for i in (0, 1))
            lines.append(Line(arm, [1, 2], means, colours(c)[arm], lows, highs, marker="o"))
    title = "Two mates of a fragment"
    return [Panel(title, "mates", "accuracy", lines, ticks=(1, 2), y_range=(0.4, 1.0), level=0.5, large=True)] if lines else []


def curve_panels(c: Comparison) -> list[Panel]:
    """ROC and precision-recall curves of all remedies on short windows."""
    panels = []
    for name, title, x, y in (
        ("roc", "ROC", "false positive rate", "true positive rate"),
        ("precision_recall", "Precision and recall", "recall", "precision"),
    ):
        lines = [
            Line(arm, [p[0] for p in found[name]], [p[1] for p in found[name]], colours(c)[arm], width=1.2)
            for arm in remedies(c)
            if (found := detail(c, arm, "short", "curves"))
        ]
        if lines:
            panels.append(Panel(title, x, y, lines, y_range=(0, 1.02), diagonal=name == "roc", large=True))
    return panels


def reliability_panels(c: Comparison) -> list[Panel]:
    """The share of viral windows against the probability that they were given, after calibration: one panel per arm."""
    panels = []
    for arm in remedies(c):
        found = detail(c, arm, "short", "calibration")
        if found:
            points = found["after"]["curve"]
            line = Line(None, [p[0] for p in points], [p[1] for p in points], colours(c)[arm], marker="o")
            panels.append(Panel(arm, "probability of viral", "share viral", [line], y_range=(0, 1.02), diagonal=True))
    return panels


def training_panels(c: Comparison, histories: Mapping[str, Sequence[History]], metric: str = "accuracy") -> list[Panel]:
    """Training and validation by epoch: one panel per arm, with a thin line for each head (fold and replicate)."""
    control = {t["arm"] for t in c["training"] if t["role"] == "control"}
    panels = []
    for arm, heads in histories.items():
        if arm in control:
            continue
        lines: list[Line] = []
        for part, word, colour in (
            ("train", "training", colours(c).get(arm, COLOURS[0])),
            ("validation", "validation", GREY),
        ):
            curves = [[(h["epoch"], h[part][metric]) for h in history if h[part].get(metric) is not None] for history in heads]
            for i, points in enumerate(curve for curve in curves if curve):
                marker, width = "." if len(points) == 1 else "", 0.7 if len(heads) > 1 else 1.4
                name = word if i == 0 else None
                epochs, values = [p[0] for p in points], [p[1] for p in points]
                lines.append(Line(name, epochs, values, colour, width=width, marker=marker))
        if lines:
            panels.append(Panel(arm, "epoch", AXIS[metric], lines))
    return panels


def all_panels(c: Comparison, histories: Mapping[str, Sequence[History]]) -> dict[str, list[Panel]]:
    """The plots of figures/ by file name."""
    found = {
        "forest": forest_panels(c),
        "length": length_panels(c),
        "length_auroc": length_panels(c, "auroc"),
        "genomes": genome_panels(c),
        "novelty": novelty_panels(c),
        "voting": voting_panels(c),
        "pairs": pair_panels(c),
        "curves": curve_panels(c),
        "reliability": reliability_panels(c),
        "training": training_panels(c, histories),
    }
    return {name: panels for name, panels in found.items() if panels}
