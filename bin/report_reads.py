#!/usr/bin/env python3
"""Write the report on classified reads, a page, a table and a text, from the summaries of all samples."""

import argparse
from pathlib import Path

import yaml

from virshort.calls.sample_record import SampleSummary
from virshort.errors import InputError, run
from virshort.files import read_json, whole
from virshort.report.multiqc import render
from virshort.report.reads_page import sections
from virshort.report.reads_summary import summary_table, summary_text


def read_summaries(folder: Path) -> list[SampleSummary]:
    """The summaries of all samples, sorted by their names. Raises InputError where there are none, or of two models."""
    found: list[SampleSummary] = [read_json(path) for path in folder.glob("*.summary.json")]
    if not found:
        raise InputError(f"{folder}: holds no <sample>.summary.json")
    if len({s["model_digest"] for s in found}) > 1:
        raise InputError(f"{folder}: its samples were scored by different models: give those of one run")
    return sorted(found, key=lambda s: s["sample"])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--summaries", type=Path, required=True, help="folder of <sample>.summary.json")
    p.add_argument("--forecast", type=Path, help="forecast.json: how long the run was going to take")
    p.add_argument("--model", type=Path, required=True, help="model.json")
    p.add_argument("--parameters", type=Path, required=True, help="JSON file of the run's parameters")
    p.add_argument("--versions", type=Path, required=True, help="YAML file of the software versions")
    p.add_argument(
        "--assets",
        type=Path,
        default=Path(__file__).resolve().parents[1] / "assets" / "report",
        help="folder of the page's templates and style (default: assets/report of this repository)",
    )
    p.add_argument("--out", type=Path, default=Path("report.html"), help="the page (default: report.html)")
    p.add_argument("--table", type=Path, default=Path("summary.tsv"), help="one row per sample (default: summary.tsv)")
    p.add_argument("--text", type=Path, default=Path("summary.txt"), help="for the terminal (default: summary.txt)")
    args = p.parse_args()

    samples = read_summaries(args.summaries)
    with whole(args.table) as path:
        path.write_text(summary_table(samples), encoding="utf-8")
    with whole(args.text) as path:
        path.write_text(summary_text(samples, read_json(args.forecast) if args.forecast else None), encoding="utf-8")
    versions = yaml.safe_load(args.versions.read_text(encoding="utf-8"))
    built = sections(samples, read_json(args.model), read_json(args.parameters), versions, args.assets)
    page = render(built, args.assets / "reads" / "multiqc_config.yml")
    with whole(args.out) as path:
        path.write_text(page, encoding="utf-8")
    print(f"{args.out.name}: {len(built)} sections on {len(samples)} samples")


if __name__ == "__main__":
    run(main)
