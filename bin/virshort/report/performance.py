"""The report's sections on how the arms do: by length, by votes, by group, by threshold; and their plots as panels."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from virshort.report.charts import Line, Panel, svg
from virshort.report.markup import count, section, span, table, with_interval, wrap

Json = Mapping[str, Any]
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22")
GREY = "#888888"
SHOWN = 25  # rows of a long list
THRESHOLD = {"balanced": "best MCC", "fpr_1e-2": "FPR 1 %", "fpr_1e-3": "FPR 0.1 %"}
PURPOSE = {"short": "short", "full": "full length"}
METRIC = {"accuracy": "accuracy", "auroc": "AUROC", "loss": "loss"}  # as an axis says it


def colours(c: Json) -> dict[str, str]:
    """A colour an arm, the same in every plot."""
    return {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(dict.fromkeys(r["arm"] for r in c["arms"]))}


def remedies(c: Json) -> list[str]:
    """Arms that are no control, in the order of arms.json."""
    return list(dict.fromkeys(r["arm"] for r in c["arms"] if r["role"] != "control"))


def of_interest(c: Json) -> list[str]:
    """The arms that tables by group can hold: the baseline, finetune, and the best on validation."""
    known = {r["arm"] for r in c["arms"]}
    return [a for a in dict.fromkeys(["baseline", "finetune", c["best_arm"]["arm"]]) if a in known]


def detail(c: Json, arm: str | None, test_set: str, name: str) -> Any:
    return c.get("details", {}).get(arm, {}).get(test_set, {}).get(name)


def by_length(c: Json, arm: str, metric: str) -> list[tuple[int, Json]]:
    """An arm's metric {mean, ci95} at each length of the sweep, rising."""
    rows = [r for r in c["arms"] if r["arm"] == arm and r["test_set"].startswith("length_") and r["test_set"][7:].isdigit()]
    found = [(int(r["test_set"][7:]), r["metrics"][metric]) for r in rows if r["metrics"][metric]["mean"] is not None]
    return sorted(found, key=lambda pair: pair[0])


# Panels


def length_panels(c: Json, metric: str = "accuracy") -> list[Panel]:
    """Accuracy or AUROC against length with its band, a panel an arm, the baseline in grey behind it."""
    base = _length_line(c, "baseline", metric, GREY)
    panels = []
    for arm in (a for a in remedies(c) if a != "baseline"):
        line = _length_line(c, arm, metric, colours(c)[arm])
        if line and len(line.x) > 1:
            lines = [*([base] if base else []), line]
            panels.append(
                Panel(
                    arm,
                    "window length, bp",
                    METRIC[metric],
                    lines,
                    line.x,
                    log=True,
                    y_range=(0.4, 1.0),
                    level=0.5,
                    legend=True,
                )
            )
    return panels


def _length_line(c: Json, arm: str, metric: str, colour: str) -> Line | None:
    points = by_length(c, arm, metric)
    if not points:
        return None
    lows, highs = ([m["ci95"][i] if m["ci95"] else None for _, m in points] for i in (0, 1))
    return Line(arm, [n for n, _ in points], [m["mean"] for _, m in points], colour, lows, highs, marker="o")


def forest_panels(c: Json) -> list[Panel]:
    bars = []
    for r in c["arms"]:
        d = r["difference_to_baseline"]
        if r["test_set"] == "short" and d:
            low, high = d["ci95"] or (None, None)
            bars.append((r["arm"], d["points"], low, high, GREY if r["role"] == "control" else colours(c)[r["arm"]]))
    return [Panel("Accuracy on short windows", "points against the baseline", "", [], (0, 5, 15), bars=bars)] if bars else []


def voting_panels(c: Json) -> list[Panel]:
    lines = []
    for arm in remedies(c):
        votes = (detail(c, arm, "short", "voting") or {}).get("votes") or []
        if votes:
            lows, highs = ([v["ci95"][i] if v["ci95"] and arm in of_interest(c) else None for v in votes] for i in (0, 1))
            lines.append(
                Line(
                    arm, [v["windows"] for v in votes], [v["accuracy"] for v in votes], colours(c)[arm], lows, highs, marker="o"
                )
            )
    if not lines:
        return []
    return [Panel("Votes of one source", "windows that vote", "accuracy", lines, lines[0].x, log=True, wide=True)]


def curve_panels(c: Json) -> list[Panel]:
    panels = []
    for name, title, x, y in (
        ("roc", "ROC", "false positive rate", "true positive rate"),
        ("precision_recall", "Precision and recall", "recall", "precision"),
    ):
        lines = [
            Line(arm, *zip(*found[name], strict=True), colours(c)[arm], width=1.2)
            for arm in remedies(c)
            if (found := detail(c, arm, "short", "curves"))
        ]
        if lines:
            panels.append(Panel(title, x, y, lines, y_range=(0, 1.02), diagonal=name == "roc", legend=True))
    return panels


def reliability_panels(c: Json) -> list[Panel]:
    panels = []
    for arm in remedies(c):
        found = detail(c, arm, "short", "calibration")
        if found:
            points = found["after"]["curve"]
            line = Line(arm, [p[0] for p in points], [p[1] for p in points], colours(c)[arm], marker="o")
            panels.append(Panel(arm, "probability of viral", "share viral", [line], y_range=(0, 1.02), diagonal=True))
    return panels


def training_panels(c: Json, histories: Mapping[str, Sequence[Sequence[Json]]], metric: str = "accuracy") -> list[Panel]:
    """A panel an arm: training and validation by epoch, a thin line a model (fold and replicate)."""
    control = {t["arm"] for t in c["training"] if t["role"] == "control"}
    panels = []
    for arm, models in histories.items():
        if arm in control:
            continue
        lines = []
        for part, colour in (("train", colours(c).get(arm, COLOURS[0])), ("validation", GREY)):
            for i, history in enumerate(models):
                points = [(h["epoch"], h[part][metric]) for h in history if h[part].get(metric) is not None]
                if points:
                    name = {"train": "training", "validation": "validation"}[part] if i == 0 else "_"
                    marker = "." if len(points) == 1 else ""
                    width = 0.7 if len(models) > 1 else 1.4
                    lines.append(Line(name, *zip(*points, strict=True), colour, width=width, marker=marker))
        if lines:
            panels.append(Panel(arm, "epoch", METRIC[metric], lines, legend=True))
    return panels


def all_panels(c: Json, histories: Mapping[str, Sequence[Sequence[Json]]]) -> dict[str, list[Panel]]:
    """The figures of a paper by file name."""
    found = {
        "forest": forest_panels(c),
        "length": length_panels(c),
        "length_auroc": length_panels(c, "auroc"),
        "voting": voting_panels(c),
        "curves": curve_panels(c),
        "reliability": reliability_panels(c),
        "training": training_panels(c, histories),
    }
    return {name: panels for name, panels in found.items() if panels}


def grid(panels: Sequence[Panel]) -> str:
    return '<div class="vs-panels">' + "".join(f"<div>{svg(p)}</div>" for p in panels) + "</div>"


# Sections


def bands_section(c: Json) -> dict[str, Any]:
    """Where does each arm break, and from which length on does the protein help?"""
    title = "Each arm by length"
    parts = []
    for metric, heading, scale, digits in (("accuracy", "Accuracy, %", 100, 1), ("auroc", "AUROC", 1, 2)):
        panels = length_panels(c, metric)
        if panels:
            rows = [
                [escape(arm), *(with_interval(m, scale, digits) for _, m in by_length(c, arm, metric))] for arm in remedies(c)
            ]
            heads = ["Arm", *(f"{n} bp" for n, _ in by_length(c, remedies(c)[0], metric))]
            parts += [f"<h4>{heading}</h4>", grid(panels), table(heads, rows, range(1, len(heads)))]
    if not parts:
        return section(title, "", wrap("<p>The length sweep was not run with two lengths or more.</p>"))
    text = "<p>Accuracy, and below it AUROC, each with its 95 % band; the baseline in grey. Dotted: guessing.</p>"
    protein = "".join(f"<p>{escape(s)}</p>" for s in c.get("protein", []))
    return section(title, "", wrap(text, protein, *parts))


def voting_section(c: Json) -> dict[str, Any]:
    """How many windows of a source buy the accuracy of a long one?"""
    title = "Voting"
    panels = voting_panels(c)
    first = next((v for a in remedies(c) if (v := detail(c, a, "short", "voting")) and v["votes"]), None)
    if not panels or first is None:
        return section(
            title,
            "",
            wrap(
                "<p>Too few sources have several short test windows (ten clusters of each label with "
                "two or more are needed), so votes were not counted.</p>"
            ),
        )
    numbers = [v["windows"] for v in first["votes"]]
    rows = []
    for arm in remedies(c):
        found = detail(c, arm, "short", "voting")
        if found and found["votes"]:
            rows.append([escape(arm), *(_percent(v["accuracy"], v["ci95"]) for v in found["votes"])])
    text = (
        f"<p>Several short windows of one source, each scored alone, vote by the mean of their log-odds. The same "
        f"{count(first['sources'])} sources at every number, those with {numbers[-1]} test windows or more "
        f"({count(first['clusters'])} clusters).</p>"
    )
    if told := c.get("votes"):
        text += f"<p>{escape(told)}</p>"
    heads = ["Arm", *(f"{n} window{'s' if n > 1 else ''}" for n in numbers)]
    return section(title, "", wrap(text, grid(panels), "<h4>Accuracy, %</h4>", table(heads, rows, range(1, len(heads)))))


def failures_section(c: Json) -> dict[str, Any]:
    """False positives by kingdom, misses by kingdom and family, GC and peptide length; the worst sources."""
    arms = [a for a in of_interest(c) if detail(c, a, "short", "groups")]
    title = "Where it fails"
    if not arms:
        return section(title, "", wrap("<p>No arm has short test windows to break down.</p>"))
    parts = [
        "<p>Share of short windows that are called wrongly, in %, with 95 % intervals (none under ten effective "
        "clusters). "
        "Nonviral windows called viral are false positives, viral ones called nonviral are missed.</p>"
    ]
    for grouping, label, head in (
        ("kingdom", "nonviral", "False positives by kingdom"),
        ("kingdom", "viral", "Missed, by kingdom"),
        ("family", "viral", "Missed, by family"),
        ("gc", "nonviral", "False positives by GC"),
        ("gc", "viral", "Missed, by GC"),
        ("peptide", "nonviral", "False positives by residues of the longest stop-free stretch"),
        ("peptide", "viral", "Missed, by residues of the longest stop-free stretch"),
    ):
        rows = group_rows(c, arms, grouping, label)
        if not rows or (grouping == "family" and {r[0] for r in rows} == {"unknown"}):
            continue
        name = "GC share" if grouping == "gc" else grouping.capitalize()
        heads = [name, "Windows", "Clusters", "Effective", *map(escape, arms)]
        more = f"<p>... and {len(rows) - SHOWN:,} more, in comparison.json.</p>" if len(rows) > SHOWN else ""
        parts.append(f"<h4>{head}</h4>" + table(heads, rows[:SHOWN], range(1, len(heads))) + more)
    best = c["best_arm"]["arm"] if c["best_arm"]["arm"] in arms else arms[-1]
    worst = detail(c, best, "short", "worst_sources") or []
    if worst:
        rows = [
            [escape(str(w.get(k) or "")) for k in ("source", "label", "kingdom", "family", "cluster")]
            + [count(w["windows"]), f"{100 * w['wrong']:.1f}"]
            for w in worst
        ]
        parts.append(
            f"<h4>Sources that {escape(best)} gets most wrong</h4>"
            + table(["Source", "Label", "Kingdom", "Family", "Cluster", "Windows", "Wrong, %"], rows, (5, 6))
        )
    return section(title, "", wrap(*parts))


def group_rows(c: Json, arms: Sequence[str], grouping: str, label: str) -> list[list[str]]:
    """A row a group, a column an arm; the groups with most windows first, bins of a number in their order."""
    found = {a: {r["group"]: r for r in detail(c, a, "short", "groups").get(grouping, []) if r["label"] == label} for a in arms}
    order = list(found[arms[0]].values())
    if grouping in ("kingdom", "family"):
        order = sorted(order, key=lambda r: (-r["windows"], r["group"]))
    return [
        [
            escape(r["group"]),
            count(r["windows"]),
            count(r["clusters"]),
            f"{r['effective']:.1f}",
            *(_percent(found[a][r["group"]]["wrong"], found[a][r["group"]]["ci95"]) for a in arms),
        ]
        for r in order
    ]


def reliability_section(c: Json) -> dict[str, Any]:
    """Are the scores probabilities?"""
    title = "Reliability"
    panels = reliability_panels(c)
    if not panels:
        return section(title, "", wrap("<p>No arm has short test windows, so calibration was not measured.</p>"))
    rows = []
    for arm in remedies(c):
        found = detail(c, arm, "short", "calibration")
        if found:
            before, after = found["before"], found["after"]
            rows.append(
                [
                    escape(arm),
                    *(f"{before[k]:.3f}<br><b>{after[k]:.3f}</b>" for k in ("brier", "log_loss", "ece")),
                    f"{after['ece_if_perfect']:.3f}",
                ]
            )
    text = (
        "<p>Of the windows that get a probability, how many are viral? On the diagonal, scores are probabilities (at "
        "this share "
        "of viral windows). Temperature and bias were fitted on validation windows and are kept in each model.json. Table: "
        "above before, <b>below after</b> scaling. The calibration error (ECE, 15 bins of equal mass) is never 0: the last "
        "column is what perfect probabilities would show on as many windows.</p>"
    )
    heads = ["Arm", "Brier score", "Log loss", "ECE", "ECE if perfect"]
    return section(title, "", wrap(text, grid(panels), table(heads, rows, range(1, 5))))


def thresholds_section(c: Json) -> dict[str, Any]:
    """What the thresholds chosen on validation reach on test."""
    title = "Thresholds"
    rows, dropped = [], False
    arms = [a for a in dict.fromkeys([c["best_arm"]["arm"], *of_interest(c)]) if a]
    for arm in arms:
        for test_set in ("short", "full"):
            for r in detail(c, arm, test_set, "thresholds") or []:
                low, high = r["lengths"]
                bp = f"under {high}" if not low else f"{low} and more" if high is None else f"{low} to {high - 1}"
                rates = [
                    _percent(r[k]["share"], r[k]["ci95"]) if r[k] else "" for k in ("true_positive_rate", "false_positive_rate")
                ]
                if not any(rates):
                    dropped = True
                    continue
                at = [
                    f"{100 * p['precision']:.1f}" if p["precision"] is not None else "no calls"
                    for p in r["precision_at_prevalence"]
                ] or [""] * 4
                bp += "" if r["own"] else " *"
                rows.append([escape(arm), PURPOSE[test_set], bp, THRESHOLD[r["threshold"]], *rates, *at])
    if not rows:
        return section(title, "", wrap("<p>No thresholds were measured: there are no test windows.</p>"))
    text = (
        "<p>Thresholds are chosen on validation windows of the arm's own window set, by length; what they reach on test "
        "windows "
        "is in %, with 95 % intervals. Precision: how many of the viral calls would be right if 50, 10, 1 or 0.1 % of "
        "the reads "
        "were viral. * Too few validation windows of these lengths (1,000 windows and 10 clusters of each label): the "
        "threshold of all lengths together is used.</p>"
    )
    if dropped:
        text += (
            "<p>Rates that are not shown have too few nonviral validation windows for a threshold (at least five must be "
            "expected above it).</p>"
        )
    heads = [
        "Arm",
        "Windows",
        "Length, bp",
        "Threshold",
        "Found (TPR)",
        "False positives (FPR)",
        "at 50 %",
        "at 10 %",
        "at 1 %",
        "at 0.1 %",
    ]
    return section(title, "", wrap(text, table(heads, rows, range(4, 10))))


def curves_section(c: Json) -> dict[str, Any]:
    """ROC and precision-recall curves of all arms on short windows."""
    title = "ROC and precision-recall"
    lines = {
        name: {escape(arm): found[name] for arm in remedies(c) if (found := detail(c, arm, "short", "curves"))}
        for name in ("roc", "precision_recall")
    }
    if not lines["roc"]:
        return section(title, "", wrap("<p>There are no short test windows of both labels, so there is no curve.</p>"))
    labels = [
        {"name": "ROC", "xlab": "false positive rate", "ylab": "true positive rate"},
        {"name": "Precision-recall", "xlab": "recall", "ylab": "precision"},
    ]
    return {
        "section_name": title,
        "description": "Short windows; means over folds and replicates at each rate, since scores of different heads are on no "
        "common scale.",
        "plot_type": "linegraph",
        "pconfig": {
            "id": "vs_curves_plot",
            "title": "virshort: ROC and precision-recall",
            "xlab": "false positive rate",
            "ylab": "true positive rate",
            "xmin": 0,
            "xmax": 1,
            "ymin": 0,
            "ymax": 1,
            "smooth_points": None,
            "style": "lines",
            "showlegend": True,
            "data_labels": labels,
            "colors": {escape(a): k for a, k in colours(c).items()},
        },
        "data": [lines["roc"], lines["precision_recall"]],
    }


def _percent(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None:
        return ""
    between = f'<br><span class="vs-soft">({span(interval, 100)})</span>' if interval else ""
    return f"{100 * value:.1f}{between}"
