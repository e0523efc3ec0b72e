#!/usr/bin/env python3
"""Build report.html and summary.txt from a results folder, in seconds and without computing anything again.

Needs comparison.json; shows what else it finds: models' histories, leakage.json, folds.json, clusters.json, mask.json,
input.json, skipped.tsv, windows' metadata, parameters (params*.json), software versions (*versions*.yml) and
Nextflow's newest trace*.tsv, each in the folder itself or one level below it. MultiQC makes the page; every expected section is
looked for in it afterwards.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from virshort.errors import InputError, run
from virshort.files import read_json, whole, write_json
from virshort.report.charts import save
from virshort.report.costs import costs, read_trace
from virshort.report.methods import dome, paragraph, references, sheet
from virshort.report.page import Inputs, missing_sections, sections, summary_text
from virshort.report.performance import all_panels


def main() -> None:
    p = argparse.ArgumentParser(description="Build the report from a results folder.")
    p.add_argument("folder", type=Path, help="a results folder")
    p.add_argument("--out", type=Path, default=Path("report.html"))
    p.add_argument("--summary", type=Path, help="also write the summary for the terminal")
    p.add_argument("--parameters", type=Path, help="JSON of the run's parameters, if not in the folder")
    p.add_argument("--versions", type=Path, help="YAML of software versions, if not in the folder")
    p.add_argument("--trace", type=Path, help="Nextflow's trace, if not in the folder")
    p.add_argument("--paper", type=Path, help="also write figures (SVG, PNG), methods.txt and dome.json into this folder")
    p.add_argument("--assets", type=Path, default=Path(__file__).resolve().parents[1] / "assets" / "report")
    args = p.parse_args()

    data = read_inputs(args.folder, args.parameters, args.versions, args.trace)
    if args.summary:
        with whole(args.summary) as temporary:
            temporary.write_text(summary_text(data.comparison), encoding="utf-8")
    if args.paper:
        write_paper(data, args.paper)
    built = sections(data, (args.assets / "style.css").read_text(encoding="utf-8"))
    page = render(built, args.assets / "multiqc_config.yml")
    with whole(args.out) as temporary:
        temporary.write_text(page, encoding="utf-8")
    print(f"{len(built)} sections in {args.out.name}, {len(data.comparison['arms'])} rows of results")


def read_inputs(
    folder: Path, parameters: Path | None = None, versions: Path | None = None, trace: Path | None = None
) -> Inputs:
    """Everything the report shows, read from a results folder."""
    comparison = find(folder, "comparison.json")
    if comparison is None:
        raise InputError(f"{folder}: comparison.json is missing: give the --outdir of a finished run")
    models = sorted((folder / "models").glob("*/fold_*/replicate_*"))
    compared = read_json(comparison)
    arms = list(dict.fromkeys(t["arm"] for t in compared["training"]))
    histories = {
        a: [read_json(m / "history.json") for m in models if m.parts[-3] == a and (m / "history.json").exists()] for a in arms
    }
    records: dict[str, Any] = {}
    for m in models:
        if m.parts[-3] not in records and (m / "model.json").exists():
            records[m.parts[-3]] = read_json(m / "model.json")
    metadata = sorted((folder / "windows").glob("*/*/metadata.json"))
    windows = {(m.parts[-3], m.parts[-2]): read_json(m) for m in metadata}
    trace = trace or find(folder, "trace*.tsv")
    tasks = read_trace(trace) if trace else []
    parameters = parameters or find(folder, "params*.json") or find(folder, "parameters*.json")
    versions = versions or find(folder, "*versions*.yml")
    return Inputs(
        comparison=compared,
        histories={a: h for a, h in histories.items() if h},
        models={a: records[a] for a in arms if a in records},
        windows=windows,
        costs=costs(tasks, sum(w["windows"] for w in windows.values())) if tasks else None,
        skipped=read_table(find(folder, "skipped.tsv")),
        parameters=read_json(parameters) if parameters else {},
        versions=(yaml.safe_load(versions.read_text(encoding="utf-8")) or {}) if versions else {},
        **{
            k: read_json(f) if (f := find(folder, f"{k}.json")) else None
            for k in ("leakage", "folds", "clusters", "mask", "input")
        },
    )


def write_paper(data: Inputs, folder: Path) -> None:
    """Figures, the methods paragraph with its references, and the DOME sheet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, panels in all_panels(data.comparison, data.histories).items():
        save(panels, folder / name)
    with whole(folder / "methods.txt") as temporary:
        temporary.write_text("\n\n".join([paragraph(data), *references(data)]) + "\n", encoding="utf-8")
    write_json(folder / "dome.json", sheet(dome(data)))


def render(built: dict[str, dict[str, Any]], config: Path) -> str:
    """Run MultiQC on the sections in a folder of their own; the page. InputError if a section is missing in it."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for section, content in built.items():
            text = json.dumps(content, allow_nan=False, sort_keys=False)
            (work / f"{section}_mqc.json").write_text(text, encoding="utf-8")
        shutil.copy(config, work / "multiqc_config.yml")
        command = [
            sys.executable,
            "-m",
            "multiqc",
            ".",
            "-n",
            "report.html",
            "-o",
            ".",
            "--no-data-dir",
            "--force",
            "--quiet",
        ]
        environment = {**os.environ, "MPLBACKEND": "agg", "NO_COLOR": "1"}
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, env=environment, check=False)
        page = work / "report.html"
        if done.returncode or not page.exists():
            last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
            raise InputError(
                f"report: MultiQC ended with exit code {done.returncode} ({last}): please report this with comparison.json"
            )
        html = page.read_text(encoding="utf-8")
    if missing := missing_sections(html, built):
        raise InputError(f"report: MultiQC left out the section {', '.join(missing)}: please report this with comparison.json")
    return html


def find(folder: Path, pattern: str) -> Path | None:
    """The file of that name in the folder, else one level below it; of several that match, the last by name (date)."""
    hits = sorted(folder.glob(pattern)) or sorted(folder.glob(f"*/{pattern}"))
    return hits[-1] if hits else None


def read_table(path: Path | None) -> list[dict[str, str]]:
    if path is None:
        return []
    with path.open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


if __name__ == "__main__":
    run(main)
