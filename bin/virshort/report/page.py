"""The report's sections as MultiQC custom content, and the summary for the terminal.

Everything shown is taken from the run's own files; nothing is typed in. Names that users gave (arms, kingdoms, sources,
files) are escaped, because MultiQC puts text into the page as it is. The answer comes first, in plain words.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from virshort.report import performance
from virshort.report.markup import count, p_value, plain, red, section, signed, span, table, with_interval, wrap
from virshort.report.methods import dome, paragraph, references
from virshort.report.performance import SHOWN

Json = Mapping[str, Any]
METRICS = {
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "mcc": "MCC",
    "auroc": "AUROC",
    "auprc": "AUPRC",
}
CONTROLS = ("gc", "shuffled_labels", "untranslated")
PARENT = "Every figure comes from the files of this run."


@dataclass(frozen=True)
class Inputs:
    """What a results folder holds for the report; only `comparison` must be there."""

    comparison: Json
    histories: Mapping[str, Sequence[Sequence[Json]]] = field(default_factory=dict)  # arm: a history a model
    models: Mapping[str, Json] = field(default_factory=dict)  # arm: one of its models' records
    costs: Json | None = None
    leakage: Json | None = None
    folds: Json | None = None
    clusters: Json | None = None
    mask: Json | None = None
    input: Json | None = None
    skipped: Sequence[Json] = ()
    windows: Mapping[tuple[str, str], Json] = field(default_factory=dict)  # (purpose, pool): metadata
    parameters: Json = field(default_factory=dict)
    versions: Json = field(default_factory=dict)


def sections(data: Inputs, style: str = "") -> dict[str, dict[str, Any]]:
    """MultiQC custom content by section id, in reading order. `style`: CSS for the page."""
    c = data.comparison
    built = {
        "vs_answer": section("The answer", "", f"<style>{style}</style>" + answer(data)),
        "vs_arms": section("Arms side by side", "", arms_table(data)),
        "vs_forest": section("Difference to the baseline", "", forest(data)),
        "vs_length": length_plot(data),
        "vs_bands": performance.bands_section(c),
        "vs_voting": performance.voting_section(c),
        "vs_fails": performance.failures_section(c),
        "vs_training": training_plot(data),
        "vs_replicates": section("Training by replicate", "", replicates(data)),
        "vs_curves": performance.curves_section(c),
        "vs_reliability": performance.reliability_section(c),
        "vs_thresholds": performance.thresholds_section(c),
        "vs_controls": section("Controls and leakage", "", controls(data)),
        "vs_data": section("Data", "", data_section(data)),
        "vs_run": section("Encoders, parameters, versions", "", run_section(data)),
        "vs_dome": section("DOME sheet", "", dome_section(data)),
        "vs_cost": section("What it cost", "", cost_section(data)),
        "vs_methods": section("Methods, ready to paste", "", methods_section(data)),
    }
    return {
        name: {"id": name, "parent_id": "vs", "parent_name": "Results", "parent_description": PARENT, **content}
        for name, content in built.items()
    }


def answer(data: Inputs) -> str:
    """Did the remedy work, how sure is that, which arm to use, what next."""
    c, v = data.comparison, data.comparison["verdict"]
    parts = []
    if data.parameters.get("protein_input") == "nucleotide":
        parts.append(
            red(
                "Named control: the protein encoder was fed nucleotides",
                "This run leaves out the translation on purpose (protein_input is 'nucleotide'). A protein encoder "
                "cannot read bases: "
                "its features are noise here, and the arms that use them do not show what the classifier can do.",
            )
        )
    leak = c["leakage"]
    if leak["ok"] is False:
        parts.append(red("Training and test are not apart", leak["sentence"]))
    colour = v["verdict"] if v["certain"] else "undecided"
    parts.append(f'<div class="vs-banner vs-{colour}"><b>{escape(v["headline"])}</b>{escape(c["answer"])}</div>')
    parts.append(f"<h4>Which arm to use</h4><p>{escape(c['recommendation'])}</p>")
    rare = _precision_at(find_row(c, c["best_arm"]["arm"], "short"), 0.01)
    if rare:
        between = f" (95 % interval {span(rare['ci95'], 100)})" if rare["ci95"] else ""
        parts.append(
            f"<p><b>Among real reads:</b> where 1 in 100 reads is viral, {100 * rare['precision']:.1f} % of the "
            f"viral calls of "
            f"{escape(c['best_arm']['arm'])} would be right{between}.</p>"
        )
    parts.append(criteria_table(c))
    if c["scenario"]:
        steps = "".join(f"<li>{escape(s)}</li>" for s in c["scenario"]["next_steps"])
        parts.append(f"<h4>{escape(c['scenario']['title'])}</h4><p>What these numbers suggest to do next:</p><ul>{steps}</ul>")
    told = [w for w in c["warnings"] if w != leak["sentence"]]
    if told:
        parts.append("<h4>Before you trust the figures</h4><ul>" + "".join(f"<li>{escape(w)}</li>" for w in told) + "</ul>")
    return wrap(*parts)


def criteria_table(c: Json) -> str:
    """The success criteria set beforehand, met or not, for finetune and the best arm."""
    if not c["criteria"]:
        return ""
    arms = list(c["criteria"])
    rows = []
    for i, first in enumerate(c["criteria"][arms[0]]):
        cells = [escape(first["name"]), escape(first["target"])]
        for arm in arms:
            k = c["criteria"][arm][i]
            mark = {True: '<b class="vs-yes">met</b>', False: '<b class="vs-no">not met</b>', None: "not known"}[k["met"]]
            value = f"{100 * k['value']:.1f} %" if k["value"] is not None else ""
            between = f' <span class="vs-soft">({span(k["ci95"], 100)})</span>' if k["ci95"] else ""
            note = f", {escape(k['note'])}" if k["note"] else ""
            cells.append(f"{value}{between} {mark}{note}")
        rows.append(cells)
    heads = [escape(a) + (" (best on validation)" if a == c["best_arm"]["arm"] else "") for a in arms]
    return "<h4>The criteria set beforehand</h4>" + table(["Criterion", "Target", *heads], rows)


def arms_table(data: Inputs) -> str:
    """Every arm on short windows with full length beside it; then the finer metrics and what its training took."""
    c = data.comparison
    training = {t["arm"]: t for t in c["training"]}
    short = [r for r in c["arms"] if r["test_set"] == "short"]
    if not short:
        return wrap("<p>No arm was evaluated on short windows.</p>")
    took = (data.costs or {}).get("training", {})
    first, second = [], []
    for row in short:
        t, full, name = training.get(row["arm"], {}), find_row(c, row["arm"], "full"), _arm_name(row, c)
        rare = _precision_at(row, 0.01)
        first.append(
            [
                name,
                with_interval(row["metrics"]["accuracy"], 100),
                signed(row["difference_to_baseline"], "<br>"),
                p_value(row["difference_to_baseline"], row["role"]),
                with_interval(full["metrics"]["accuracy"], 100) if full else "",
                *(with_interval(row["metrics"][m], 100) for m in ("precision", "recall")),
                f"{100 * rare['precision']:.1f}" if rare else "",
            ]
        )
        second.append(
            [
                name,
                *(with_interval(row["metrics"][m], 1, 3) for m in ("auroc", "auprc", "f1", "mcc")),
                *(count(t.get(k)) for k in ("training_windows", "trained_parameters")),
                duration(took[row["arm"]]) if row["arm"] in took else "",
            ]
        )
    eff = short[0]["effective_clusters"]
    here = "this run's " if c.get("pretrained") else ""
    length = f" of {c['window_length']} bp" if c["window_length"] else ""
    text = (
        f"<p>{count(short[0]['windows'])} test windows{length} from "
        f"{count(short[0]['clusters'])} clusters of similar "
        f"sources, none seen in {here}training. As clusters differ in "
        f"size, they carry the evidence of {eff['viral']:.0f} "
        f"viral and "
        f"{eff['nonviral']:.0f} nonviral ones of equal size. All in percent, differences in points; in brackets 95 % "
        f"intervals, over clusters and "
        "replicates. p: corrected for the number of arms (Holm). Right at 1 %: how many of the viral calls would be "
        "right if 1 in 100 reads were viral.</p>"
    )
    heads = ["Arm", "Accuracy", "Against baseline", "p", "Accuracy, full length", "Precision", "Recall", "Right at 1 %"]
    more = ["Arm", "AUROC", "AUPRC", "F1", "MCC", "Trained on", "Parameters", "Time"]
    of_note: dict[str, list[str]] = {}
    for r in short:
        for n in r["notes"]:
            of_note.setdefault(n, []).append(r["arm"])
    notes = [f"{', '.join(arms) if len(arms) < len(short) else 'All arms'}: {n}" for n, arms in of_note.items()]
    listed = "<ul>" + "".join(f"<li>{escape(n)}</li>" for n in notes) + "</ul>" if notes else ""
    return wrap(
        text,
        table(heads, first, range(1, 8)),
        listed,
        "<h4>Further metrics and training</h4>",
        table(more, second, range(1, 8)),
    )


def forest(data: Inputs) -> str:
    """Differences to the baseline on short windows with their intervals, as a drawing of plain HTML."""
    rows = [r for r in data.comparison["arms"] if r["test_set"] == "short" and r["difference_to_baseline"]]
    if not rows:
        return wrap("<p>There is no baseline on short windows to differ from.</p>")
    ends = [x for r in rows for x in (r["difference_to_baseline"]["ci95"] or [r["difference_to_baseline"]["points"]])]
    low, high = min([*ends, -2.0]) - 1, max([*ends, 17.0]) + 1

    def at(x: float) -> str:
        return f"{100 * (x - low) / (high - low):.2f}%"

    lines = f'<i style="left:{at(5)}"></i><i style="left:{at(15)}"></i><i class="zero" style="left:{at(0)}"></i>'
    cells = []
    for r in rows:
        d = r["difference_to_baseline"]
        bar = ""
        if d["ci95"]:
            left, right = d["ci95"]
            bar = f'<i class="bar" style="left:{at(left)};width:{100 * (right - left) / (high - low):.2f}%"></i>'
        dot = f'<i class="dot" style="left:{at(d["points"])}"></i>'
        cells.append(
            f'<div class="name">{escape(r["arm"])}</div><div class="vs-track">{lines}{bar}{dot}</div>'
            f"<div>{signed(d)} points</div>"
        )
    marks = "".join(f'<span style="left:{at(x)}">{name}</span>' for x, name in ((0, "0"), (5, "5"), (15, "15")))
    axis = f'<div></div><div class="vs-track vs-axis">{marks}</div><div></div>'
    text = (
        "<p>Accuracy on short windows, in points above or below the baseline; the bar is the 95 % interval. Right of "
        "15 is strong, "
        "from 5 to 15 moderate, left of 5 rejected.</p>"
    )
    return wrap(text, f'<div class="vs-forest">{"".join(cells)}{axis}</div>', _contrasts(data.comparison))


def length_plot(data: Inputs) -> dict[str, Any]:
    """Accuracy and AUROC against window length, a line an arm."""
    series: dict[str, dict[str, dict[str, float]]] = {"accuracy": {}, "auroc": {}}
    for row in data.comparison["arms"]:
        length = row["test_set"].removeprefix("length_")
        if row["test_set"].startswith("length_") and length.isdigit() and row["role"] != "control":
            for metric, lines in series.items():
                value = row["metrics"][metric]["mean"]
                if value is not None:
                    lines.setdefault(escape(row["arm"]), {})[length] = value
    title = "Accuracy and AUROC against length"
    if not any(len(line) > 1 for line in series["accuracy"].values()):
        return section(
            title,
            "",
            wrap("<p>The length sweep was not run with two lengths or more, so there is no curve to draw.</p>"),
        )
    labels = [{"name": "Accuracy", "ylab": "accuracy"}, {"name": "AUROC", "ylab": "AUROC"}]
    return {
        "section_name": title,
        "description": "Where does each arm break, and where does it recover? Test windows of one length each, cut "
        "from the same stretches.",
        "plot_type": "linegraph",
        "pconfig": {
            "id": "vs_length_plot",
            "title": "virshort: result by window length",
            "xlab": "window length (bp)",
            "ylab": "accuracy",
            "categories": True,
            "showlegend": True,
            "smooth_points": None,
            "style": "lines+markers",
            "colors": _colours(data),
            "data_labels": labels,
            "y_lines": [{"value": 0.5, "dash": "dash", "label": "chance"}],
        },
        "data": [lines for lines in (series["accuracy"], series["auroc"]) if lines],
    }


def training_plot(data: Inputs) -> dict[str, Any]:
    """Accuracy and loss by epoch, training and validation, mean over the models of an arm."""
    series: dict[str, dict[str, list[list[float]]]] = {"accuracy": {}, "loss": {}}
    dashes = {}
    control = {t["arm"] for t in data.comparison["training"] if t["role"] == "control"}
    for arm, histories in ((a, h) for a, h in data.histories.items() if a not in control):
        for metric, lines in series.items():
            for part, word in (("train", "training"), ("validation", "validation")):
                name = f"{escape(arm)}, {word}"
                points = _mean_curve(histories, part, metric)
                if points:
                    lines[name] = points
                    dashes[name] = "solid" if part == "train" else "dash"
    title = "Training curves"
    found = [o["sentence"] for o in data.comparison["overfitting"]]
    text = (
        "Overfitting: " + " ".join(found)
        if found
        else "No arm learned its training windows by heart (90 % or more there with a test near chance)."
    )
    if not series["accuracy"]:
        return section(title, "", wrap(f"<p>{escape(text)} No curve was kept.</p>"))
    colours = _colours(data)
    return {
        "section_name": title,
        "description": escape(text) + " Solid: training, dashed: validation; each line is the mean over folds and "
        "replicates. "
        "A model that stopped early keeps its last value.",
        "plot_type": "linegraph",
        "pconfig": {
            "id": "vs_training_plot",
            "title": "virshort: training",
            "xlab": "epoch",
            "ylab": "accuracy",
            "smooth_points": None,
            "style": "lines",
            "data_labels": [{"name": "Accuracy", "ylab": "accuracy"}, {"name": "Loss", "ylab": "loss"}],
            "dash_styles": dashes,
            "colors": {name: colours.get(name.rsplit(", ", 1)[0], "#888888") for name in dashes},
            "showlegend": True,
            "xmin": 1,
            "x_decimals": False,
        },
        "data": [lines for lines in (series["accuracy"], series["loss"]) if lines],
    }


def replicates(data: Inputs) -> str:
    """Training and validation by epoch, a line a model, accuracy and loss."""
    parts = []
    for metric in ("accuracy", "loss"):
        panels = performance.training_panels(data.comparison, data.histories, metric)
        if panels:
            parts.append(f"<h4>{metric.capitalize()}</h4>" + performance.grid(panels))
    if not parts:
        return wrap("<p>No history of training was kept in this folder.</p>")
    text = "<p>A thin line a head (fold and replicate): training in colour, validation in grey.</p>"
    return wrap(text, *parts)


def dome_section(data: Inputs) -> str:
    """The DOME sheet."""
    rows = [[escape(cell) for cell in row] for row in dome(data)]
    text = (
        "<p>The recommendations for reporting supervised machine learning in biology (data, optimization, model, "
        "evaluation), answered by this run.</p>"
    )
    return wrap(text, table(["Part", "Question", "Answer"], rows))


def methods_section(data: Inputs) -> str:
    """The methods paragraph and its references."""
    cited = "".join(f"<li>{escape(r)}</li>" for r in references(data))
    return wrap(
        f"<p>{escape(paragraph(data))}</p>",
        f"<h4>References</h4><ul>{cited}</ul>",
        "<p>comparison.tsv and figures/ (SVG and PNG) in the results folder hold the same numbers and plots.</p>",
    )


def cost_section(data: Inputs) -> str:
    """Time and memory by process, windows a second, and an estimate for more."""
    k = data.costs
    if not k or not k["processes"]:
        return wrap(
            "<p>The run's trace (pipeline_info/trace_*.tsv) could not be read from here. bin/report.py RESULTS adds "
            "these figures.</p>"
        )
    rows = [
        [escape(r["process"]), count(r["tasks"]), count(r["cached"]), duration(r["seconds"]), f"{r['peak_mb']:,.0f}"]
        for r in k["processes"]
    ]
    speed = (
        f" {count(k['windows_per_second'])} windows a second were embedded, by all their encoders."
        if k["windows_per_second"]
        else ""
    )
    text = (
        f"<p>All tasks together ran {duration(k['seconds'])}; side by side they take less.{speed} {k['more']} times the "
        f"windows "
        f"would take {duration(k['seconds_for_more'])} at most: sampling, embedding, training, evaluating and the audit "
        f"grow "
        "with them, the rest does not.</p>"
    )
    return wrap(text, table(["Process", "Tasks", "From the cache", "Time", "Peak memory, MB"], rows, range(1, 5)))


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def controls(data: Inputs) -> str:
    """What composition alone reaches, what shuffled labels reach, and what training and test share."""
    c = data.comparison
    parts = ["<h4>Controls</h4>"]
    told = [c["controls"][k]["sentence"] for k in CONTROLS if c["controls"].get(k)]
    parts += [f"<p>{escape(s)}</p>" for s in told] or ["<p>No control was run.</p>"]
    leak = c["leakage"]
    parts.append(f"<h4>Leakage audit</h4><p>{escape(leak['sentence'])}</p>")
    rows = [
        [
            escape(a["arm"]),
            escape(", ".join(a["train_sets"])),
            "not audited" if a["share"] is None else f"{100 * a['share']:.3f} %",
        ]
        for a in leak["by_arm"]
    ]
    if rows:
        parts.append(table(["Arm", "Trained on", "Short test windows that share a 31-mer with them"], rows, numbers=[2]))
    worst = (data.leakage or {}).get("worst", [])[:SHOWN]
    if worst:
        listed = [
            [escape(str(w.get(k, ""))) for k in ("test_set", "train_set", "window", "shared_kmers", "training_source")]
            for w in worst
        ]
        parts.append(
            "<h4>The windows that share most</h4>" + table(["Test set", "Training set", "Window", "31-mers", "Also in"], listed)
        )
    return wrap(*parts)


def data_section(data: Inputs) -> str:
    """Sources, clusters, folds and windows; what was left out and why; notes."""
    parts = []
    if data.input:
        rows = [
            [
                escape(str(r["label"])),
                escape(str(r["kingdom"])),
                count(r["records"]),
                count(r["bases"]),
                count(r["skipped"]),
            ]
            for r in data.input["counts"]
        ]
        parts.append(
            "<h4>Sources</h4>" + table(["Label", "Kingdom", "Sources", "Bases", "Left out"], rows, numbers=range(2, 5))
        )
    if data.folds:
        parts.append(
            "<h4>Folds</h4><p>A cluster of similar sources lies in one fold as a whole. Each fold is tested by "
            "models that "
            "never saw it here, neither in training nor when training was stopped.</p>" + _fold_table(data.folds)
        )
    if data.windows:
        heads = ["Purpose", "Pool", "Label", "Windows", "By kingdom", "By fold"]
        parts.append("<h4>Windows</h4>" + table(heads, _window_rows(data), numbers=[3]))
    eff = {r["test_set"]: r for r in data.comparison["arms"] if r["windows"]}
    if rows := [
        [escape(s), count(r["windows"]), *map(count, r["frame_rows"].values())] for s, r in eff.items() if r.get("frame_rows")
    ]:
        heads = ["Test set", "Windows", "Rows", "Windows without a stop-free frame"]
        text = (
            "<h4>Frames</h4><p>A row is a stop-free frame of a window, and a window has the largest score of its rows. "
            "One without a stop-free frame has a row of its longest stop-free stretch.</p>"
        )
        parts.append(text + table(heads, rows, numbers=range(1, 4)))
    rows = [
        [
            escape(s),
            count(r["windows"]),
            count(r["clusters"]),
            f"{r['effective_clusters']['viral']:.1f}",
            f"{r['effective_clusters']['nonviral']:.1f}",
        ]
        for s, r in eff.items()
    ]
    parts.append(
        "<h4>Evidence in the test sets</h4><p>Windows of one cluster resemble each other, and clusters differ in "
        "size. Effective clusters: "
        "how many clusters of equal size would carry the same evidence. Under 10 of a label no interval is given, "
        "under 30 it is rough.</p>"
        + table(["Test set", "Windows", "Clusters", "Effective, viral", "Effective, nonviral"], rows, numbers=range(1, 5))
    )
    parts.append(_left_out(data))
    notes = [n for source in (data.input, data.clusters, data.folds, data.mask) if source for n in source.get("notes", [])]
    notes += [f"{purpose} {pool}: {n}" for (purpose, pool), m in data.windows.items() for n in m.get("notes", [])]
    if notes:
        parts.append("<h4>Notes</h4><ul>" + "".join(f"<li>{escape(n)}</li>" for n in dict.fromkeys(notes)) + "</ul>")
    return wrap(*parts)


def run_section(data: Inputs) -> str:
    """Encoders, parameters and versions."""
    parts = []
    used = {arm: m["encoders"] for arm, m in data.models.items() if m.get("encoders")}
    if data.parameters.get("protein_input") == "nucleotide":
        parts.append(red("Nucleotides were fed to the protein encoder", "protein_input is 'nucleotide': a named control."))
    if used:
        rows = [[escape(arm), escape(_encoders(e))] for arm, e in used.items()]
        parts.append("<h4>Encoders</h4>" + table(["Arm", "Encoders"], rows))
    if given := data.comparison.get("pretrained"):
        about = {k: given[k] for k in ("file", "form", "sha256")} | given["metadata"]
        rows = [[escape(str(k)), escape(plain(v))] for k, v in about.items()]
        parts.append("<h4>The pretrained head</h4>" + table(["Name", "Value"], rows))
    for title, values in (("Parameters", data.parameters), ("Versions", _flat(data.versions))):
        shown = [[escape(str(k)), escape(plain(v))] for k, v in sorted(values.items()) if not isinstance(v, Mapping)]
        parts.append(
            f"<h4>{title}</h4>" + (table(["Name", "Value"], shown) if shown else "<p>Not recorded in this folder.</p>")
        )
    c = data.comparison
    parts.append(
        f"<h4>How the intervals are made</h4><p>Accuracy, recall, AUROC, AUPRC and every difference: jackknife over "
        f"clusters (one left out at a "
        f"time), with t. Precision, F1, MCC: {count(c['draws'])} resamples of the clusters (seed {c['seed']}). The "
        f"spread between replicates is "
        f"added. The verdict uses the interval at a level corrected for the number of arms.</p>"
    )
    return wrap(*parts)


def summary_text(c: Json) -> str:
    """The answer for the terminal: verdict first, then arms, best arm, leakage, warnings."""
    v = c["verdict"]
    lines = [f"VERDICT  {v['headline']}", "", *_fold(c["answer"]), "", *_fold(c["recommendation"]), ""]
    names = [r["arm"] for r in c["arms"] if r["test_set"] in ("short", "full")]
    width = max([len(n) for n in names] + [8])
    lines.append(f"{'arm':<{width}}  {'short windows':<22}  {'against baseline':<24}  full length")
    for name in dict.fromkeys(names):
        short, full = find_row(c, name, "short"), find_row(c, name, "full")
        d = short and short["difference_to_baseline"]
        cells = [_terminal(short), f"{d['points']:+5.1f} {_brackets(d['ci95'], 1)}" if d else "", _terminal(full)]
        mark = " *" if name == c["best_arm"]["arm"] else ""
        lines.append(f"{name:<{width}}  {cells[0]:<22}  {cells[1]:<24}  {cells[2]}{mark}".rstrip())
    lines.append(f"(accuracy in %, 95 % intervals; * best on validation: {c['best_arm']['arm'] or 'none known'})")
    lines += ["", *_fold(c["leakage"]["sentence"])]
    lines += [line for k in CONTROLS if c["controls"].get(k) for line in _fold(c["controls"][k]["sentence"])]
    lines += [line for o in c["overfitting"] for line in _fold(o["sentence"])]
    lines += [line for w in c["warnings"] if w != c["leakage"]["sentence"] for line in _fold(f"WARNING: {w}")]
    return "\n".join(lines) + "\n"


def find_row(c: Json, arm: str | None, test_set: str) -> Json | None:
    return next((r for r in c["arms"] if r["arm"] == arm and r["test_set"] == test_set and r["windows"]), None)


def missing_sections(page: str, wanted: Iterable[str]) -> list[str]:
    """The section ids that a page lacks: MultiQC can leave out all custom content and still exit 0."""
    return [name for name in wanted if f'id="{name}"' not in page and f'id="mqc-section-wrapper-{name}"' not in page]


def _fold_table(folds: Json) -> str:
    """A row a label and kingdom, a column a fold: clusters and sources."""
    names = sorted({r["fold"] for r in folds["table"]})
    cells: dict[tuple[str, str], dict[int, str]] = {}
    for r in folds["table"]:
        cells.setdefault((str(r["label"]), str(r["kingdom"])), {})[r["fold"]] = f"{r['clusters']:,} / {r['sources']:,}"
    rows = [[escape(label), escape(k), *(c.get(f, "") for f in names)] for (label, k), c in sorted(cells.items())]
    heads = ["Label", "Kingdom", *(f"Fold {f}" for f in names)]
    return "<p>Clusters / sources.</p>" + table(heads, rows, numbers=range(2, len(heads)))


def _window_rows(data: Inputs) -> list[list[str]]:
    """A row a pool and label: all windows, then by kingdom and by fold."""
    rows = []
    for (purpose, pool), m in data.windows.items():
        for label in sorted({str(r["label"]) for r in m.get("counts", [])}):
            mine = [r for r in m["counts"] if str(r["label"]) == label]
            by = {key: _totals(mine, key) for key in ("kingdom", "fold")}
            kingdoms = ", ".join(f"{escape(k)} {count(n)}" for k, n in by["kingdom"].items())
            folds = ", ".join(f"{escape(k)}: {count(n)}" for k, n in by["fold"].items())
            total = count(sum(r["windows"] for r in mine))
            rows.append([escape(purpose), escape(pool), escape(label), total, kingdoms, folds])
    return rows


def _totals(rows: Iterable[Json], key: str) -> dict[str, int]:
    total: dict[str, int] = {}
    for r in rows:
        total[str(r[key])] = total.get(str(r[key]), 0) + r["windows"]
    return dict(sorted(total.items()))


def _left_out(data: Inputs) -> str:
    rows = [[escape(str(s.get(k, ""))) for k in ("source", "file", "reason")] for s in data.skipped]
    if not rows:
        return "<h4>Left out</h4><p>No source was left out.</p>"
    more = f"<p>... and {len(rows) - SHOWN:,} more, in skipped.tsv.</p>" if len(rows) > SHOWN else ""
    return (
        f"<h4>Left out</h4><p>{len(rows):,} sources were not used:</p>" + table(["Source", "File", "Why"], rows[:SHOWN]) + more
    )


def _contrasts(c: Json) -> str:
    rows = [[f"{escape(k['arm'])} less {escape(k['against'])}", signed(k)] for k in c["contrasts"] if k["test_set"] == "short"]
    return (
        "<h4>Between arms</h4><p>Points of accuracy on short windows, with 95 % intervals.</p>"
        + table(["Arms", "Points"], rows, [1])
        if rows
        else ""
    )


def _mean_curve(histories: Sequence[Sequence[Json]], part: str, metric: str) -> list[list[float]]:
    """[[epoch, mean over models]]; a model that stopped earlier keeps its last value."""
    curves = [[h[part][metric] for h in history if h[part].get(metric) is not None] for history in histories]
    curves = [c for c in curves if c]
    last = max((len(c) for c in curves), default=0)
    return [[e + 1, sum(c[min(e, len(c) - 1)] for c in curves) / len(curves)] for e in range(last)]


def _colours(data: Inputs) -> dict[str, str]:
    return {escape(n): colour for n, colour in performance.colours(data.comparison).items()}


def _precision_at(row: Json | None, prevalence: float) -> Json | None:
    return next((p for p in row["precision_at_prevalence"] if p["prevalence"] == prevalence), None) if row else None


def _arm_name(row: Json, c: Json) -> str:
    name = escape(row["arm"])
    if row["arm"] == c["best_arm"]["arm"]:
        return f'<b>{name}</b><br><span class="vs-soft">best on validation</span>'
    return f'{name}<br><span class="vs-soft">control</span>' if row["role"] == "control" else name


def _encoders(used: Any) -> str:
    """The names, with what identifies the weights where a model records it."""
    if not isinstance(used, list | tuple):
        return plain(used)
    rest = [", ".join(f"{k} {plain(v)}" for k, v in e.items() if k not in ("modality", "encoder") and v) for e in used]
    return "; ".join(
        f"{e.get('modality')}: {e.get('encoder')}" + (f" ({r})" if r else "") for e, r in zip(used, rest, strict=True)
    )


def _flat(values: Json) -> dict[str, Any]:
    """{process: {tool: version}} as {"process tool": version}."""
    out = {}
    for k, v in values.items():
        out |= {f"{k} {tool}": version for tool, version in v.items()} if isinstance(v, Mapping) else {k: v}
    return out


def _terminal(row: Json | None) -> str:
    if row is None or row["metrics"]["accuracy"]["mean"] is None:
        return ""
    accuracy = row["metrics"]["accuracy"]
    return f"{100 * accuracy['mean']:5.1f} {_brackets(accuracy['ci95'], 100)}"


def _brackets(interval: Sequence[float] | None, scale: float) -> str:
    return f"({span(interval, scale)})" if interval else "(no interval)"


def _fold(text: str, width: int = 100) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
