#!/usr/bin/env python3
"""Build report.html and summary.txt from a results folder, in seconds and without computing anything again.

The folder must hold comparison.json. The report also shows what else it finds: the models' histories, leakage.json,
folds.json, clusters.json, mask.json, input.json, skipped.tsv, the windows' metadata, parameters (params*.json), software
versions (*versions*.yml) and Nextflow's newest trace*.tsv, each in the folder itself or one level below it.
"""

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from virshort.errors import run
from virshort.files import whole, write_json
from virshort.report.charts import save
from virshort.report.dome import dome, sheet
from virshort.report.inputs import Inputs, read_inputs
from virshort.report.methods import paragraph, references
from virshort.report.multiqc import render
from virshort.report.page import sections
from virshort.report.panels import all_panels
from virshort.report.terminal import summary_text


def main() -> None:
    p = argparse.ArgumentParser(description="Build the report from a results folder.")
    p.add_argument("folder", type=Path, help="a results folder")
    p.add_argument("--out", type=Path, default=Path("report.html"), help="the page (default: report.html)")
    p.add_argument("--summary", type=Path, help="also write the summary for the terminal")
    p.add_argument("--parameters", type=Path, help="JSON file of the run's parameters, if it is not in the folder")
    p.add_argument("--versions", type=Path, help="YAML file of the software versions, if it is not in the folder")
    p.add_argument("--trace", type=Path, help="Nextflow's trace, if it is not in the folder")
    p.add_argument("--paper", type=Path, help="also write figures (SVG, PNG), methods.txt and dome.json into this folder")
    p.add_argument(
        "--assets",
        type=Path,
        default=Path(__file__).resolve().parents[1] / "assets" / "report",
        help="folder of the page's templates and style (default: assets/report of this repository)",
    )
    args = p.parse_args()

    data = read_inputs(args.folder, args.parameters, args.versions, args.trace)
    if args.summary:
        with whole(args.summary) as temporary:
            temporary.write_text(summary_text(data), encoding="utf-8")
    # What goes into a paper is drawn beside the page: a run ends with the report, so nothing else needs the second core.
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as other:
        paper = other.submit(write_paper, data, args.paper) if args.paper else None
        built = sections(data, args.assets)
        page = render(built, args.assets / "multiqc_config.yml")
        if paper:
            paper.result()
    with whole(args.out) as temporary:
        temporary.write_text(page, encoding="utf-8")
    print(f"{args.out.name}: {len(built)} sections, from {len(data.comparison['arms'])} rows of results")


def write_paper(data: Inputs, folder: Path) -> None:
    """Write the figures, the methods paragraph with its references, and the DOME sheet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, panels in all_panels(data.comparison, data.histories).items():
        save(panels, folder / name)
    with whole(folder / "methods.txt") as temporary:
        temporary.write_text("\n\n".join([paragraph(data), *references(data)]) + "\n", encoding="utf-8")
    write_json(folder / "dome.json", sheet(dome(data)))


if __name__ == "__main__":
    run(main)
