"""The report: every section there, every user-made name escaped, every case readable."""

import copy
import json
import re
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import report
from compared import DEGENERATE, compared
from synthetic_results import Arm, standard_arms, write_results
from virshort.errors import InputError
from virshort.report.page import Inputs, missing_sections, sections, summary_text
from virshort.report.performance import of_interest

EVIL = "<script>alert(1)</script>"
IDS = [
    "vs_answer",
    "vs_arms",
    "vs_forest",
    "vs_length",
    "vs_bands",
    "vs_voting",
    "vs_fails",
    "vs_training",
    "vs_replicates",
    "vs_curves",
    "vs_reliability",
    "vs_thresholds",
    "vs_controls",
    "vs_data",
    "vs_run",
    "vs_dome",
    "vs_cost",
    "vs_methods",
]
ARMS = [a for a in standard_arms() if a.name in ("baseline", "finetune", "multilength", "gc", "shuffled_labels")]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with everything the report shows, and names that must not reach the page as they are."""
    sets = {"short": 2000, "full": 800, "length_100": 500, "length_500": 500}
    folder = write_results(tmp_path_factory.mktemp("results"), ARMS, sets, folds=3)
    counts = [{"label": "viral", "kingdom": EVIL, "records": 5, "bases": 1000, "skipped": 1}]
    totals = {"records": 5, "bases": 1000, "skipped": 1}
    put(folder / "input.json", {**totals, "counts": counts, "notes": [f"kingdom {EVIL} is small"]})
    table = [{"fold": 0, "label": "viral", "kingdom": EVIL, "clusters": 2, "sources": 5, "bases": 1000}]
    put(folder / "folds.json", {"folds": 3, "test_folds": [0], "table": table, "notes": [f"fold note {EVIL}"]})
    pool = {"windows": 7, "counts": [{"label": "viral", "kingdom": EVIL, "fold": 0, "windows": 7}], "notes": []}
    put(folder / "windows" / "train" / "short" / "metadata.json", pool)
    (folder / "skipped.tsv").write_text(f'source\tfile\treason\n{EVIL}\tx"y.fa\ttoo short\n')
    put(folder / "pipeline_info" / "params.json", {"protein_input": "nucleotide", "input": EVIL})
    (folder / "pipeline_info" / "software_versions.yml").write_text("EMBED:\n  torch: '2.9'\n")
    worst = [{"test_set": "short", "train_set": "short", "window": EVIL, "shared_kmers": 3, "training_source": EVIL}]
    leakage = json.loads((folder / "leakage.json").read_text())
    put(folder / "leakage.json", {**leakage, "worst": worst})
    compared(folder)
    return folder


def put(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def text_of(built: dict[str, dict[str, Any]]) -> str:
    return json.dumps(built)


def test_the_page_holds_every_section_and_no_name_as_markup(
    results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out, summary = tmp_path / "report.html", tmp_path / "summary.txt"
    monkeypatch.setattr(sys, "argv", ["report.py", str(results), "--out", str(out), "--summary", str(summary)])
    report.main()
    page = out.read_text()
    assert missing_sections(page, IDS) == []
    assert EVIL not in page and "&lt;script&gt;alert(1)" in page
    assert summary.read_text().startswith("VERDICT")
    assert str(results) not in page


def test_every_field_of_a_user_is_escaped(results: Path) -> None:
    built = sections(report.read_inputs(results))
    assert list(built) == IDS
    assert "<script" not in text_of(built)
    for place in ("vs_data", "vs_controls", "vs_run"):
        assert "&lt;script" in built[place]["data"], place


def test_arm_names_are_escaped(results: Path) -> None:
    """Also where the name is a key of a plot."""
    raw = (results / "comparison.json").read_text().replace('"finetune"', '"<b>arm</b>"').replace("finetune ", "<b>arm</b> ")
    data = Inputs(json.loads(raw), {"<b>arm</b>": [[{"epoch": 1, "train": {"accuracy": 0.5}, "validation": {}}]]})
    built = sections(data)
    assert "<b>arm" not in text_of(built)
    assert "&lt;b&gt;arm" in text_of({"x": built["vs_length"]}) and "&lt;b&gt;arm" in text_of({"x": built["vs_training"]})


def test_nucleotide_input_has_a_red_banner(results: Path) -> None:
    data = report.read_inputs(results)
    assert 'class="vs-banner vs-red"' in sections(data)["vs_answer"]["data"]
    quiet = Inputs(data.comparison, parameters={"protein_input": "translated"})
    assert "vs-red" not in sections(quiet)["vs_answer"]["data"]


def test_a_leak_is_said_first(results: Path) -> None:
    c = copy.deepcopy(report.read_inputs(results).comparison)
    c["leakage"] |= {"ok": False, "sentence": "LEAKAGE ABOVE THE LIMIT."}
    page = sections(Inputs(c))["vs_answer"]["data"]
    assert page.index("LEAKAGE ABOVE") < page.index(c["verdict"]["headline"])
    assert "LEAKAGE ABOVE" in summary_text(c)


def test_numbers_on_the_first_screen_are_those_of_the_comparison(results: Path) -> None:
    c = report.read_inputs(results).comparison
    page = sections(Inputs(c))["vs_answer"]["data"].replace("&nbsp;", " ")
    v = c["verdict"]
    for number in (100 * v["baseline_accuracy"], 100 * v["finetuned_accuracy"], v["difference_points"], *v["ci95"]):
        assert f"{number:.1f}" in page


def test_every_arm_stands_with_its_own_numbers(results: Path) -> None:
    """Accuracy, difference and p of the first table, a row an arm; errors by kingdom, a column an arm."""
    c = report.read_inputs(results).comparison
    built = sections(Inputs(c))
    rows = {cells[0]: cells[1:] for cells in table_rows(built["vs_arms"]["data"])}
    for r in (r for r in c["arms"] if r["test_set"] == "short"):
        accuracy, difference, p, *_ = rows[r["arm"]]
        m, d = r["metrics"]["accuracy"], r["difference_to_baseline"]
        low, high = (100 * x for x in m["ci95"])
        assert accuracy == f"{100 * m['mean']:.1f} ({low:.1f} to {high:.1f})"
        if d:
            assert difference == f"{d['points']:+.1f} ({d['ci95'][0]:.1f} to {d['ci95'][1]:.1f})"
            holm = d["p"] if r["role"] == "control" else d["p_holm"]
            assert p == ("< 0.001" if holm < 0.001 else f"{holm:.3f}")
    shown = table_rows(built["vs_fails"]["data"])
    for i, arm in enumerate(of_interest(c)):
        for g in c["details"][arm]["short"]["groups"]["kingdom"]:
            cells = next(row for row in shown if unescape(row[0]) == g["group"])
            assert cells[4 + i].startswith(f"{100 * g['wrong']:.1f}"), (arm, g)


def table_rows(html: str) -> list[list[str]]:
    """Cells of every table row, first come first; the first word of the first cell."""
    found, seen = [], set()
    for row in re.findall(r"<tr>(.*?)</tr>", html):
        cells = [
            re.sub(r"<[^>]*>", "", cell.replace("<br>", " ")).replace("&nbsp;", " ")
            for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)
        ]
        name = cells[0].split(" best on")[0].split(" control")[0] if cells else ""
        if name and name not in seen:
            seen.add(name)
            found.append([name, *cells[1:]])
    return found


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_results_are_still_a_report(
    case: str,
    degenerate: Callable[[str], tuple[Path, dict[str, Any]]],
) -> None:
    folder, c = degenerate(case)
    built = sections(report.read_inputs(folder))
    assert list(built) == IDS
    shown = text_of(built) + summary_text(c)
    assert not re.search(r"\bnan\b|\bNone\b|NaN|\binf\b", re.sub(r'"[a-z_]+": null', "", shown))
    assert max(len(line) for line in summary_text(c).splitlines()) <= 100


def test_summary_says_verdict_arms_and_audit(results: Path) -> None:
    c = report.read_inputs(results).comparison
    lines = summary_text(c).splitlines()
    assert lines[0] == f"VERDICT  {c['verdict']['headline']}"
    for arm in ARMS:
        assert any(line.startswith(arm.name + " ") for line in lines)
    assert any("31-mer" in line for line in lines) and len(lines) < 45


def test_a_section_that_multiqc_leaves_out_is_missed() -> None:
    assert missing_sections('<div id="mqc-section-wrapper-vs_run">', ["vs_run", "vs_data"]) == ["vs_data"]


def test_a_folder_without_results_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"comparison\.json is missing"):
        report.read_inputs(tmp_path)


def test_multiqc_failing_is_an_error() -> None:
    """A null in a pair of a line makes MultiQC drop all custom content."""
    broken = {"id": "vs_x", "plot_type": "linegraph", "pconfig": {"id": "p", "title": "t: t"}, "data": {"a": [[1, None]]}}
    config = Path(report.__file__).parents[1] / "assets" / "report" / "multiqc_config.yml"
    with pytest.raises(InputError, match="MultiQC"):
        report.render({"vs_x": broken}, config)


def test_training_curves_keep_the_last_value_of_a_model_that_stopped(results: Path) -> None:
    epochs = [{"epoch": i + 1, "train": {"accuracy": a, "loss": 1.0}, "validation": {}} for i, a in enumerate((0.5, 0.7))]
    data = Inputs(report.read_inputs(results).comparison, {"finetune": [epochs, epochs[:1]]})
    assert sections(data)["vs_training"]["data"][0]["finetune, training"] == [[1, 0.5], [2, 0.6]]


def test_an_arm_without_windows_stands_in_no_table(tmp_path: Path) -> None:
    compared(write_results(tmp_path, [Arm("baseline", role="baseline")], {"short": 0}, folds=2))
    assert "no verdict is claimed" in sections(report.read_inputs(tmp_path))["vs_answer"]["data"]
