"""The demo's report in a browser without network: no errors, no requests, every section visible, readable on a phone."""

import json
import re
import shutil
import subprocess
from dataclasses import asdict
from html import unescape
from pathlib import Path

import pytest

import report
from harness import ARMS, ROOT, Run
from virshort.report.inputs import read_inputs
from virshort.report.numbers import duration
from virshort.report.page import SECTIONS, sections
from virshort.verdict.wording import SIMULATED

ASSETS = ROOT / "assets" / "report"
ARTIFACTS = ROOT / "test_artifacts"  # screenshots to look at; not in git
PROBE = """<script>window.addEventListener('load', () => setTimeout(() => {
const boxes = {};
document.querySelectorAll('[id^=mqc-section-wrapper-vs_]').forEach(e => {
  const b = e.getBoundingClientRect(); boxes[e.id.replace('mqc-section-wrapper-', '')] = [b.width, b.height] });
const small = [...document.querySelectorAll('.vs p, .vs td, .vs th, .vs li, .vs h4, .vs figcaption span')].filter(
  e => parseFloat(getComputedStyle(e).fontSize) < 13).length;
const requests = performance.getEntriesByType('resource').map(e => e.name).filter(n => !/^(data|blob|file):/.test(n));
const plots = [...document.querySelectorAll('.vs-panels svg')].filter(e => e.getBoundingClientRect().width > 200).length;
const page = document.documentElement.scrollWidth;
parent.postMessage(JSON.stringify({width: innerWidth, page, boxes, small, requests, plots}), '*')
}, 3000))</script>"""
FRAME = """<body style="margin:0"><iframe style="border:0" width="{width}" height="1600" src="page.html"></iframe><script>
onmessage = e => {{ const p = document.createElement('pre'); p.id = 'probe'; p.textContent = e.data; document.body.append(p) }}
</script>"""


def chromium(*args: object) -> subprocess.CompletedProcess[str]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    fixed = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--disable-background-networking",
        "--enable-logging=stderr",
        "--virtual-time-budget=15000",
        "--window-size=1300,1600",
    ]
    return subprocess.run([program, *fixed, *map(str, args)], capture_output=True, text=True, timeout=300, check=True)


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_is_readable_in_a_browser(width: int, demo: Run, tmp_path: Path) -> None:
    page = (demo.results / "report.html").read_text()
    end = page.rindex("</body>")
    (tmp_path / "page.html").write_text(page[:end] + PROBE + page[end:])
    frame = tmp_path / f"{width}.html"
    frame.write_text(FRAME.format(width=width))
    done = chromium("--dump-dom", frame.as_uri())
    found = json.loads(unescape(re.search(r'<pre id="probe">(.*?)</pre>', done.stdout)[1]))
    errors = [line for line in done.stderr.splitlines() if "CONSOLE" in line and ("rror" in line or "refused" in line)]
    assert errors == []
    assert found["requests"] == []
    assert found["width"] == width and found["page"] <= width, "the page is wider than the screen"
    assert found["small"] == 0, "text under 13 px"
    assert found["plots"] >= 30  # several for each of eight arms
    assert set(found["boxes"]) == {f"vs_{s.name}" for s in SECTIONS}
    assert all(w > 0.5 * min(width, 900) and h > 40 for w, h in found["boxes"].values()), found["boxes"]
    ARTIFACTS.mkdir(exist_ok=True)
    chromium(f"--screenshot={ARTIFACTS / f'report_{width}.png'}", frame.as_uri())


NUMBER = re.compile(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?![\w-])")


def numbers_in(value: object) -> list[float | str]:
    """Every number in a JSON value; those within texts as they are written there."""
    if isinstance(value, dict):
        return [n for k, v in value.items() for part in (k, v) for n in numbers_in(part)]
    if isinstance(value, list | tuple):
        return [len(value), *(n for v in value for n in numbers_in(v))]
    if isinstance(value, str):
        return NUMBER.findall(value)
    return [] if isinstance(value, bool) or value is None else [abs(value)]


# Numbers in the sentences that are the same in every report: levels, bounds, prevalences, bins.
PROSE = {"0", "0.1", "1", "5", "10", "15", "30", "31", "50", "95", "100", "1,000", "200", "500", "1000", "499", "999"}


def test_every_number_shown_is_in_the_files_of_the_run(demo: Run) -> None:
    """With 0 to 4 digits, as a share or in percent, or as a duration or megabytes."""
    data = read_inputs(demo.results)
    files = [json.loads(p.read_text()) for p in demo.results.rglob("*.json")]
    counts = [pool["counts"] for pool in data.windows.values()]
    # The files count windows by label, kingdom and fold; the page shows the sums.
    files += [
        sum(r["windows"] for r in rows if all(r[k] == first[k] for k in ("label", *by)))
        for rows in counts
        for first in rows
        for by in ((), ("kingdom",), ("fold",))
    ]
    known = {n for value in [*files, asdict(data.costs), data.versions, data.skipped] for n in numbers_in(value)}
    written = {n for n in known if isinstance(n, str)}
    known -= written
    written |= {f"{n * scale:,.{digits}f}" for n in known for scale in (1, 100, 1 / 60, 1 / 3600) for digits in range(5)}
    written |= {f"{n:g}" for n in known}
    for name, section in sections(data, ASSETS).items():
        if name == "vs_methods":  # the years and pages of references are not results
            continue
        text = re.sub(r"<svg.*?</svg>|<style.*?</style>|<[^>]*>", " ", section["data"], flags=re.S)
        shown = NUMBER.findall(unescape(text))
        missing = [n for n in shown if n.rstrip(",") not in written | PROSE]
        assert not missing, (name, missing)


def test_the_report_of_a_run_has_its_costs(demo: Run) -> None:
    """Those of the steps before it, and how long each arm trained."""
    page = (demo.results / "report.html").read_text()
    assert all(f">{process}<" in page for process in ("SAMPLE_WINDOWS", "EMBED_KMERS", "TRAIN", "COMPARE"))
    training = read_inputs(demo.results).costs.training
    further = page[page.index("Further metrics and training") : page.index("in points above or below the baseline")]
    assert set(training) == set(ARMS) and all(f">{duration(seconds)}<" in further for seconds in training.values())


def test_a_report_is_built_again_from_the_results(demo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the costs of all processes, including its own, and every answer of the DOME sheet."""
    options = {"--out": tmp_path / "report.html", "--paper": tmp_path / "paper"}
    monkeypatch.setattr("sys.argv", ["report.py", str(demo.results), *(str(w) for pair in options.items() for w in pair)])
    report.main()
    page = (tmp_path / "report.html").read_text()
    assert json.loads((demo.results / "comparison.json").read_text())["verdict"]["headline"] in page
    assert all(f">{process}<" in page for process in ("TRAIN", "COMPARE", "REPORT"))
    sheet = json.loads((tmp_path / "paper" / "dome.json").read_text())
    answers = [a for part in sheet.values() for a in part.values()]
    assert set(sheet) == {"Data", "Optimization", "Model", "Evaluation"} and len(answers) >= 20
    assert all(a and "Not recorded" not in a for a in answers)


def test_the_figures_and_the_methods_are_there(demo: Run) -> None:
    methods = (demo.results / "figures" / "methods.txt").read_text()
    assert "sourmash" in methods and "Nextflow" in methods and "(seed 42)" in methods
    for name in ("forest", "length", "length_auroc", "voting", "pairs", "curves", "reliability", "training"):
        assert (demo.results / "figures" / f"{name}.svg").read_text().startswith("<?xml")
        assert (demo.results / "figures" / f"{name}.png").stat().st_size > 10_000


def test_the_demo_says_that_its_genomes_are_simulated(demo: Run) -> None:
    texts = [demo.results / name for name in ("report.html", "summary.txt", "figures/methods.txt", "figures/dome.json")]
    for path in texts:
        assert SIMULATED in " ".join(path.read_text().split()), path
