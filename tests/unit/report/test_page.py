"""The sections of the page: each is there with the numbers of its arms, and every name that a user gave is escaped."""

import copy
import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

import report
from compared import DEGENERATE, compared
from report_examples import ASSETS, EVIL
from synthetic_results import Arm, write_results
from virshort.report.charts import Panel, draw
from virshort.report.content import CustomContent
from virshort.report.inputs import Inputs, read_inputs
from virshort.report.lookup import arms_of_interest
from virshort.report.multiqc import missing_sections
from virshort.report.page import SECTIONS, sections
from virshort.report.terminal import summary_text
from virshort.verdict.rows import row_of
from virshort.verdict.wording import SIMULATED

Render = Callable[[str, Inputs], str]
IDS = [f"vs_{s.name}" for s in SECTIONS]


@pytest.fixture
def users_multiqc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configurations of MultiQC by the user, in every place where it looks for one."""
    other = tmp_path / "multiqc_config.yaml"
    for path in (other, tmp_path / ".multiqc_config.yaml", tmp_path / ".config" / "multiqc_config.yaml"):
        path.parent.mkdir(exist_ok=True)
        path.write_text('report_comment: "Somebody else"\nremove_sections: [vs_answer]\n')
    for name, value in {
        "MULTIQC_CONFIG_PATH": str(other),
        "MULTIQC_TITLE": "Somebody else",
        "MULTIQC_STRICT": "true",
        "LC_ALL": "POSIX",
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / ".config"),
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("users_multiqc")
def test_the_script_writes_a_page_with_every_section_and_no_name_as_markup(
    results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out, summary = tmp_path / "report.html", tmp_path / "summary.txt"
    monkeypatch.setattr(sys, "argv", ["report.py", str(results), "--out", str(out), "--summary", str(summary)])
    report.main()
    page = out.read_text()
    assert missing_sections(page, IDS) == []
    places = [page.index(f'id="mqc-section-wrapper-{name}"') for name in IDS]
    assert places == sorted(places)
    assert "Somebody else" not in page and "phagès" in page
    assert EVIL not in page and "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 * 7 }}" in page
    assert summary.read_text().startswith("VERDICT")
    assert str(results) not in page


def test_every_name_of_a_user_is_escaped(built: dict[str, CustomContent]) -> None:
    assert list(built) == IDS
    assert all("<script" not in s["data"] for s in built.values())
    for place in ("vs_data", "vs_controls", "vs_run", "vs_errors"):
        assert "&lt;script" in built[place]["data"], place


def test_arm_names_are_escaped_in_texts_tables_and_plots(data: Inputs, section: Render) -> None:
    raw = json.dumps(data.comparison).replace('"finetune"', '"<b>arm</b>"').replace("'finetune'", "'<b>arm</b>'")
    renamed = Inputs(json.loads(raw), {"<b>arm</b>": [[{"epoch": 1, "train": {"accuracy": 0.5}, "validation": {}}]]})
    for name in ("answer", "arms", "forest", "length", "pairs", "errors", "training", "curves", "reliability", "thresholds"):
        html = section(name, renamed)
        assert "<b>arm" not in html, name
        assert "&lt;b&gt;arm" in html, name


def test_every_template_belongs_to_a_section() -> None:
    templates = {p.stem for p in (ASSETS / "templates").glob("*.html")}
    assert templates == {s.name for s in SECTIONS} | {"macros"}


def test_nucleotide_input_has_a_red_banner(data: Inputs, section: Render) -> None:
    assert 'class="vs-banner vs-red"' in section("answer", data)
    assert "vs-red" not in section("answer", replace(data, parameters={"protein_input": "translated"}))


@pytest.mark.parametrize(
    ("parameters", "simulated"),
    [
        ({"demo": True, "input": None}, True),
        ({"demo": True, "input": "mine.csv"}, False),
        ({"demo": False}, False),
        ({}, False),
    ],
)
def test_the_demo_says_first_that_its_genomes_are_simulated(
    parameters: dict[str, Any], simulated: bool, data: Inputs, section: Render
) -> None:
    shown = replace(data, parameters=parameters)
    first_screen = section("answer", shown)
    assert (SIMULATED in first_screen) == simulated
    assert (SIMULATED in section("methods", shown)) == simulated
    assert (SIMULATED in section("dome", shown)) == simulated
    assert (SIMULATED in " ".join(summary_text(shown).split())) == simulated
    if simulated:
        assert first_screen.index(SIMULATED) < first_screen.index(data.comparison["verdict"]["headline"])


def test_a_leak_is_reported_first(data: Inputs, section: Render) -> None:
    c = copy.deepcopy(data.comparison)
    c["leakage"] |= {"ok": False, "sentence": "LEAKAGE ABOVE THE LIMIT."}
    html = section("answer", Inputs(c))
    assert html.index("LEAKAGE ABOVE") < html.index(c["verdict"]["headline"])
    assert "LEAKAGE ABOVE" in summary_text(Inputs(c))


def test_numbers_on_the_first_screen_are_those_of_the_comparison(data: Inputs, section: Render) -> None:
    html, v = section("answer", data), data.comparison["verdict"]
    for number in (100 * v["baseline_accuracy"], 100 * v["finetuned_accuracy"], v["difference_points"], *v["ci95"]):
        assert f"{number:.1f}" in html


def test_every_arm_has_its_own_numbers(data: Inputs, section: Render) -> None:
    """Accuracy, difference and p in the first table, one row per arm; errors by kingdom, one column per arm."""
    c = data.comparison
    rows = {cells[0]: cells[1:] for cells in table_rows(section("arms", data))}
    for r in (r for r in c["arms"] if r["test_set"] == "short"):
        accuracy, difference, p, *_ = rows[r["arm"]]
        m, d = r["metrics"]["accuracy"], r["difference_to_baseline"]
        low, high = (100 * x for x in m["ci95"])
        assert accuracy == f"{100 * m['mean']:.1f} ({low:.1f} to {high:.1f})"
        if d:
            assert difference == f"{d['points']:+.1f} ({d['ci95'][0]:.1f} to {d['ci95'][1]:.1f})"
            holm = d["p"] if r["role"] == "control" else d["p_holm"]
            assert p == ("< 0.001" if holm < 0.001 else f"{holm:.3f}")
    shown = table_rows(section("errors", data))
    for i, arm in enumerate(arms_of_interest(c)):
        for g in c["details"][arm]["short"]["groups"]["kingdom"]:
            cells = next(row for row in shown if row[0] == g["group"])
            assert cells[4 + i].startswith(f"{100 * g['wrong']:.1f}"), (arm, g)


def test_the_section_on_mates_has_the_numbers_of_one_and_of_both(data: Inputs, section: Render) -> None:
    c, html = data.comparison, section("pairs", data)
    tested = next(r["windows"] for r in c["arms"] if r["test_set"] == "pair")
    assert f"same\n{tested} fragments" in html and "In 25 % of the fragments the mates overlap." in html
    assert c["pairs"] is not None and c["pairs"] in unescape(html)
    rows = {cells[0]: cells[1:] for cells in table_rows(html)}
    assert list(rows) == [g["arm"] for g in c["pair_gains"]] == list(dict.fromkeys(r["arm"] for r in c["arms"]))
    for gain in c["pair_gains"]:
        one, both, difference, *_, worth = rows[gain["arm"]]
        for shown, test_set in ((one, "mate"), (both, "pair")):
            found = row_of(c["arms"], gain["arm"], test_set)
            assert found and shown.startswith(f"{100 * found['metrics']['accuracy']['mean']:.1f} (")
        assert difference.startswith(f"{gain['points']:+.1f} (") and worth == "1.60"
    second = html[html.index("At the threshold for 1 %") :]
    rates = {r["threshold"]: r for r in c["details"]["finetune"]["pair"]["thresholds"]}["fpr_1e-2"]
    cells = next(row for row in table_rows(second) if row[0] == "finetune")
    assert cells[2].startswith(f"{100 * rates['true_positive_rate']['share']:.1f}")
    assert cells[4].startswith(f"{100 * rates['false_positive_rate']['share']:.1f}")


def table_rows(html: str) -> list[list[str]]:
    """Texts of the cells of all table rows; of rows with the same first cell only the first. Arms without their notes."""
    found: dict[str, list[str]] = {}
    for row in re.findall(r"<tr>(.*?)</tr>", html, re.S):
        texts = re.findall(r"<td[^>]*>(.*?)</td>", row, re.S)
        cells = [" ".join(unescape(re.sub(r"<[^>]*>", "", text.replace("<br>", " "))).split()) for text in texts]
        if cells:
            name = cells[0].split(" best on")[0].split(" control")[0]
            found.setdefault(name, [name, *cells[1:]])
    return list(found.values())


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_results_are_still_a_report(
    case: str, degenerate: Callable[[str], tuple[Path, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("virshort.report.content.svg", drawn)
    found = read_inputs(degenerate(case)[0])
    built, summary = sections(found, ASSETS), summary_text(found)
    assert list(built) == IDS
    shown = " ".join(s["data"] for s in built.values()) + summary
    assert not re.search(r"\bnan\b|\bNone\b|NaN|\binf\b", shown)
    assert max(len(line) for line in summary.splitlines()) <= 100


def drawn(panel: Panel) -> str:
    """Draws a panel without writing it, which takes longest."""
    draw(Figure().subplots(), panel)
    return "<svg></svg>"


def test_an_arm_without_windows_is_in_no_table(tmp_path: Path, section: Render) -> None:
    compared(write_results(tmp_path, [Arm("baseline", role="baseline")], {"short": 0}, folds=2))
    assert "no verdict is claimed" in section("answer", read_inputs(tmp_path))


def test_what_overfits_is_named_above_the_training_curves(data: Inputs, section: Render) -> None:
    assert "No arm overfits" in section("training", data)
    c = {**data.comparison, "overfitting": [{"arm": "finetune", "sentence": "'finetune' overfits."}]}
    html = unescape(section("training", replace(data, comparison=c)))
    assert "'finetune' overfits." in html and "No arm overfits" not in html
    assert html.index("'finetune' overfits.") < html.index("<svg")


def test_sentences_have_names_in_quotes_and_tables_do_not(data: Inputs, section: Render) -> None:
    c = copy.deepcopy(data.comparison)
    for row in c["arms"]:
        row["notes"] = ["It has a note."] if row["arm"] in ("baseline", "finetune") else []
    best, noted = c["best_arm"]["arm"], replace(data, comparison=c)
    answer, arms, errors = (unescape(section(name, noted)) for name in ("answer", "arms", "errors"))
    assert f"of the viral calls of '{best}' would be correct" in " ".join(answer.split())
    assert c["recommendation"] in answer and f"'{best}'" in c["recommendation"]
    assert f"The sources that '{best}' gets wrong most often" in errors
    assert "<li>'baseline' and 'finetune': It has a note.</li>" in arms
    assert f"<b>{best}</b>" in arms and not re.search(r"<t[dh][^>]*>(<b>)?'", answer + arms + errors)


def test_page_without_any_plot(data: Inputs, section: Render) -> None:
    """Each section that lacks its plot says why."""
    c = {**data.comparison, "details": {}, "arms": [r for r in data.comparison["arms"] if r["test_set"] == "full"]}
    bare = Inputs({**c, "contrasts": [], "pair_gains": [], "pairs": None})
    for name in ("forest", "length", "voting", "pairs", "errors", "training", "curves", "reliability", "thresholds", "cost"):
        html = section(name, bare)
        assert "<svg" not in html and "<table" not in html and "<p>" in html, name


def test_a_precision_without_an_interval_says_so(data: Inputs, section: Render) -> None:
    c = copy.deepcopy(data.comparison)
    assert "no interval can be given" not in section("answer", replace(data, comparison=c))
    for row in c["arms"]:
        for p in row["precision_at_prevalence"]:
            p["ci95"] = None
    assert "would be correct (no interval can be given)." in " ".join(section("answer", replace(data, comparison=c)).split())


def test_the_learning_curve_is_shown_where_it_was_asked_for(data: Inputs, section: Render) -> None:
    curve = data.comparison["learning_curve"]
    assert curve is not None
    html = section("genomes", data)
    assert curve["sentence"] in unescape(html) and html.count("<svg") == 2
    assert curve["sentence"] in " ".join(summary_text(data).split())
    assert html.count("<tr><td>finetune</td>") == 2
    bare = replace(data, comparison={**data.comparison, "learning_curve": None})
    assert "--learning_curve" in section("genomes", bare) and "<svg" not in section("genomes", bare)
    assert "More genomes" not in summary_text(bare)
