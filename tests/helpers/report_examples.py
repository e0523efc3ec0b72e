"""What the tests of the report share: a results folder with everything in it, and names that must not become markup."""

import json
from pathlib import Path
from typing import Any

from compared import compared
from harness import ROOT
from synthetic_results import Arm, standard_arms, write_results
from virshort.curve_arms import CURVE

ASSETS = ROOT / "assets" / "report"
EVIL = "<script>alert(1)</script>{{ 7 * 7 }}"
ARMS = [a for a in standard_arms() if a.name in ("baseline", "finetune", "multilength", "gc", "shuffled_labels")]
CURVE_ARMS = [Arm("finetune_1_fold", 0.66, CURVE, curve_of="finetune", training_folds=1)]


def put(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_everything(folder: Path) -> None:
    """Write a results folder with everything that the report shows."""
    sets = {"short": 2000, "full": 800, "length_100": 500, "length_500": 500, "mate": 900, "pair": 900}
    write_results(folder, ARMS + CURVE_ARMS, sets, folds=4)
    worst = [{"test_set": "short", "train_set": "short", "window": EVIL, "shared_kmers": 3, "training_source": EVIL}]
    put(folder / "leakage.json", {**json.loads((folder / "leakage.json").read_text()), "worst": worst})
    compared(folder)
    counts = [{"label": "viral", "kingdom": EVIL, "records": 5, "bases": 1000, "skipped": 1}]
    totals = {"records": 5, "bases": 1000, "skipped": 1}
    put(folder / "input.json", {**totals, "counts": counts, "notes": [f"kingdom {EVIL} is small", "phagès"]})
    table = [{"fold": 0, "label": "viral", "kingdom": EVIL, "clusters": 2, "sources": 5, "bases": 1000}]
    put(folder / "folds.json", {"folds": 4, "test_folds": [0], "table": table, "notes": [f"fold note {EVIL}"]})
    pool = {"windows": 7, "counts": [{"label": "viral", "kingdom": EVIL, "fold": 0, "windows": 7}], "notes": []}
    put(folder / "windows" / "train" / "short" / "metadata.json", pool)
    (folder / "skipped.tsv").write_text(f'source\tfile\treason\n{EVIL}\tx"y.fa\ttoo short\n')
    put(folder / "pipeline_info" / "params.json", {"protein_input": "nucleotide", "input": EVIL})
    (folder / "pipeline_info" / "software_versions.yml").write_text("EMBED:\n  torch: '2.9'\n")
