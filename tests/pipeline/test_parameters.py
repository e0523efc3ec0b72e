"""Parameters are checked against the schema before anything is computed, and each problem is one clear line."""

import json
from pathlib import Path
from typing import Any

import pytest
from Bio.Data.CodonTable import unambiguous_dna_by_id

from harness import ROOT, SPECS, environment, nextflow, run_nextflow

DRIVER = ROOT / "tests/pipeline/nf/params.nf"
DEFAULTS = {name: spec.get("default") for name, spec in SPECS.items()}
SHEET = str(ROOT / "README.md")
"""Any file at all, for parameters that need one: what is in it is not read here."""
PARSERS = pytest.mark.parametrize("parser", ["v1", "v2"])

# What is given (besides the demo) -> how the problems begin, in their order.
REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"shrot_windows": 5}, ["--shrot_windows is unknown (did you mean --short_windows?)"]),
    ({"zzzzzzzzzzzz": 5}, ["--zzzzzzzzzzzz is unknown: --help lists all parameters"]),
    ({"short-windows": 5, "shortWindows": 5}, ["--shortWindows is unknown (did you mean --short_windows?)"]),
    ({"short_windows": "many"}, ["--short_windows must be of type integer, got 'many'"]),
    ({"short_windows": "100.5"}, ["--short_windows must be of type integer, got '100.5'"]),
    ({"short_windows": True}, ["--short_windows needs a value"]),
    ({"input": True}, ["--input needs a value"]),
    ({"viral_share": "half"}, ["--viral_share must be of type number, got 'half'"]),
    ({"viral_share": "1.5"}, ["--viral_share must be at most 0.95, got '1.5'"]),
    ({"viral_share": "NaN"}, ["--viral_share must be of type number, got 'NaN'"]),
    ({"window_length": 49}, ["--window_length must be at least 50, got '49'"]),
    ({"window_length": 3001}, ["--window_length must be at most 3000, got '3001'"]),
    ({"seed": -1}, ["--seed must be at least 0, got '-1'"]),
    ({"seed": "99999999999999999999"}, ["--seed must be at most 4294967295, got '99999999999999999999'"]),
    ({"demo": "maybe"}, ["--demo must be of type boolean, got 'maybe'"]),
    ({"publish_mode": "move"}, ["--publish_mode must be one of copy, link, symlink, rellink, got 'move'"]),
    ({"genetic_code": 7}, ["--genetic_code must be one of"]),
    ({"input": "nowhere.csv"}, ["--input names no existing file, got 'nowhere.csv'"]),
    ({"arms_file": "/"}, ["--arms_file names a folder, not a file, got '/'"]),
    ({"arms": "base line"}, ["--arms does not have the form of its description, got 'base line'"]),
    ({"test_folds": "0"}, ["--test_folds does not have the form of its description, got '0'"]),
    ({"test_folds": 4, "folds": 3}, ["--test_folds must be at most --folds (3) or all, got '4'"]),
    ({"short_windows": 200, "scratch_windows": 100}, ["--scratch_windows must be at least --short_windows (200)"]),
    ({"sweep_lengths": "100,9000"}, ["--sweep_lengths must be lengths from 50 to 3000, got '9000'"]),
    ({"sweep_lengths": "100;200"}, ["--sweep_lengths does not have the form of its description, got '100;200'"]),
    ({"features": "nowhere.csv"}, ["--features names no existing file, got 'nowhere.csv'"]),
    ({"demo": False}, ["--input is required"]),
    (
        {"features": SHEET, "input": SHEET},
        [f"--features takes the place of --input: give only one of them, got '{SHEET}'"],
    ),
    ({"source_table": SHEET}, ["--source_table describes records of --input or --features: give one of them too"]),
    ({"reads": SHEET}, ["--reads needs a model to classify by: give --model, the folder model/ of a run's results"]),
    ({"model": str(ROOT)}, [f"--model classifies reads: give them by --reads, got '{ROOT}'"]),
    (
        {"reads": SHEET, "model": str(ROOT), "input": SHEET},
        [f"--reads takes the place of --input: give only one of them, got '{SHEET}'"],
    ),
    ({"model": SHEET}, [f"--model names a file, not a folder, got '{SHEET}'"]),
    ({"quality_trim": -1}, ["--quality_trim must be at least 0, got '-1'"]),
    ({"outdir": ""}, ["--outdir is empty: give a value, or leave it out for results"]),
    ({"folds": None}, ["--folds is empty: give a value, or leave it out for 5"]),
    ({"min_recall": 80}, ["--min_recall must be at most 1, got '80'"]),
    ({"short_windows": "1e999999999"}, ["--short_windows must be of type integer, got '1e999999999'"]),
    ({"sweep_lengths": [150, 1.5]}, ["--sweep_lengths does not have the form of its description, got '150,1.5'"]),
    ({"pretrained": "/dev/null"}, ["--pretrained does not have the form of its description, got '/dev/null'"]),
    ({"frames": "both"}, ["--frames must be one of longest, all, got 'both'"]),
    ({"outdir": "/dev/null/results"}, ["--outdir cannot be written to"]),
    ({"threshold": "fpr_1e-4"}, ["--threshold does not have the form of its description, got 'fpr_1e-4'"]),
    ({"threshold": 1.5}, ["--threshold does not have the form of its description, got '1.5'"]),
    ({"threshold": "0.5; touch EFFECT"}, ["--threshold does not have the form of its description"]),
    ({"pair_rule": "any"}, ["--pair_rule must be one of model, both, either, best, got 'any'"]),
    ({"formats": "lyra,kraken2"}, ["--formats does not have the form of its description, got 'lyra,kraken2'"]),
    ({"arms": "finetune'; touch EFFECT; '"}, ["--arms does not have the form of its description"]),
    ({"sweep_lengths": "150; touch EFFECT"}, ["--sweep_lengths does not have the form of its description"]),
    ({"test_folds": "1$(touch EFFECT)"}, ["--test_folds does not have the form of its description"]),
    ({"hold_out": "family; touch EFFECT"}, ["--hold_out does not have the form of its description"]),
    ({"seed": "1;touch EFFECT"}, ["--seed must be of type integer"]),
    ({"folds": "`touch EFFECT`"}, ["--folds must be of type integer"]),
    ({"publish_mode": "copy; touch EFFECT"}, ["--publish_mode must be one of"]),
    ({"dna_encoder": "kmer-dna; touch EFFECT"}, ["--dna_encoder does not have the form of its description"]),
    ({"encoders_file": "nowhere.yaml"}, ["--encoders_file names no existing file, got 'nowhere.yaml'"]),
    ({"container": "image; touch EFFECT"}, ["--container does not have the form of its description"]),
    ({"slurm_queue": "normal; touch EFFECT"}, ["--slurm_queue does not have the form of its description"]),
    ({"slurm_gpu": "--gres=gpu:1; touch EFFECT"}, ["--slurm_gpu does not have the form of its description"]),
    ({"input": "${HOME}.csv"}, ["--input holds $, which a shell would expand: rename it"]),
    ({"source_table": "a\ntouch EFFECT\n.tsv"}, ["--source_table contains a line break or another control character"]),
    ({"arms_file": "*.yaml"}, ["--arms_file holds *, which a shell would expand: rename it"]),
    ({"folds": 2, "seeed": 1}, ["--seeed is unknown (did you mean --seed?)", "--folds must be at least 3, got '2'"]),
]

# What is given -> the values that the run works with. The command line may give strings, and numbers in any form.
ACCEPTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {name: value for name, value in DEFAULTS.items() if name not in ("demo", "outdir")} | {"demo": True}),
    ({"short_windows": "1000", "viral_share": "0.5"}, {"short_windows": 1000, "viral_share": 0.5}),
    ({"scratch_windows": "1e6"}, {"scratch_windows": 1000000}),
    ({"scratch_windows": 1e6}, {"scratch_windows": 1000000}),
    ({"viral_share": ".5"}, {"viral_share": 0.5}),
    ({"viral_share": "5e-1"}, {"viral_share": 0.5}),
    ({"test_folds": 1}, {"test_folds": "1"}),
    ({"test_folds": 1.0}, {"test_folds": "1"}),
    ({"test_folds": "1e0"}, {"test_folds": "1"}),
    ({"sweep_lengths": 150}, {"sweep_lengths": "150"}),
    ({"sweep_lengths": 1e2}, {"sweep_lengths": "100"}),
    ({"sweep_lengths": "1e2,150.0, 3E3"}, {"sweep_lengths": "100,150,3000"}),
    ({"sweep_lengths": [100, "1e3"]}, {"sweep_lengths": "100,1000"}),
    ({"slurm_array": "1e2"}, {"slurm_array": 100}),
    ({"genetic_code": "1.1e1"}, {"genetic_code": 11}),
    ({"min_f1": "1"}, {"min_f1": 1.0}),
    ({"arms": ""}, {"arms": None}),
    ({"arms": ["finetune", "gc"]}, {"arms": "finetune,gc"}),
    ({"genetic_code": "11"}, {"genetic_code": 11}),
    ({"keep_features": "true"}, {"keep_features": True}),
    # What is given takes the place of the demo
    ({"input": SHEET}, {"input": SHEET, "demo": False}),
    ({"input": SHEET, "source_table": SHEET}, {"source_table": SHEET, "demo": False}),
    ({"features": SHEET}, {"features": SHEET, "demo": False}),
    ({"reads": SHEET, "model": str(ROOT)}, {"reads": SHEET, "demo": False}),
    ({"reads_per_chunk": "1e5"}, {"reads_per_chunk": 100000}),
    ({"threshold": 0.9, "formats": ["lyra", "kraken"]}, {"threshold": "0.9", "formats": "lyra,kraken"}),
    ({"demo": False, "input": SHEET}, {"input": SHEET, "demo": False}),
]
# What is given -> the parameters that the run warns of, since they change nothing in it.
WITHOUT_EFFECT: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"min_f1": 0.9, "folds": 4, "outdir": "elsewhere"}, []),
    ({"slurm_queue": "normal", "slurm_array": 10}, ["--slurm_queue", "--slurm_array"]),
    ({"container": "image"}, ["--container"]),
    ({"weights": str(ROOT)}, []),
    ({"weights": str(ROOT), "dna_encoder": "kmer-dna", "protein_encoder": "kmer-protein"}, ["--weights"]),
    ({"reads": SHEET, "model": str(ROOT), "max_n": 0.2, "min_read_length": 80, "precision": "fp32"}, []),
    ({"reads": SHEET, "model": str(ROOT), "folds": 4, "source_table": SHEET}, ["--source_table", "--folds"]),
    ({"min_read_length": 80, "quality_trim": 20}, ["--min_read_length", "--quality_trim"]),
    ({"pair_windows": 0, "insert_sd": 50}, ["--insert_sd"]),
    ({"features": SHEET, "window_length": 200, "cluster_cap": 0.1, "frames": "all"}, ["--frames", "--window_length"]),
]
NUMBERS = [name for name, spec in SPECS.items() if spec["type"] in ("integer", "number") or spec.get("numbers")]


def judged(cases: list[dict[str, Any]], folder: Path, parser: str) -> tuple[list[dict[str, Any]], list[str]]:
    """What the pipeline makes of each set of parameters, given beside the defaults and the demo; and five help texts."""
    base = DEFAULTS | {"demo": True, "outdir": str(folder / "results")}
    (folder / "cases.json").write_text(json.dumps([base | given for given in cases]))
    done = nextflow("-q", "run", DRIVER, "--cases", folder / "cases.json", folder=folder, env=environment(parser))
    assert done.returncode == 0, done.stdout
    *rows, last = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(rows) == len(cases)
    return rows, last["help"]


def in_powers_of_ten(name: str) -> dict[str, Any]:
    """The default of a parameter, or 1 for `all`, in a form such as 4.2e1."""
    parts = str(DEFAULTS[name]).replace("all", "1").split(",")
    return {name: ",".join(f"{float(part):.12e}" for part in parts)}


@PARSERS
def test_values(tmp_path: Path, parser: str) -> None:
    written = [in_powers_of_ten(name) for name in NUMBERS]
    given_first = [given for given, _ in REFUSED + ACCEPTED] + [given for given, _ in WITHOUT_EFFECT]
    rows, texts = judged(given_first + written, tmp_path, parser)
    for (given, expected), row in zip(REFUSED, rows, strict=False):
        assert len(row["problems"]) == len(expected), (given, row)
        for problem, start in zip(row["problems"], expected, strict=True):
            assert problem.startswith(start), (given, problem)
    for (given, values), row in zip(ACCEPTED, rows[len(REFUSED) :], strict=False):
        assert row["problems"] == [], given
        assert values.items() <= row["values"].items(), (given, row["values"])
        assert set(row["values"]) == set(SPECS)
    for (given, names), row in zip(WITHOUT_EFFECT, rows[len(REFUSED) + len(ACCEPTED) :], strict=False):
        assert [note.split(" has no effect ")[0] for note in row["notes"]] == names, (given, row["notes"])
    for name, row in zip(NUMBERS, rows[-len(NUMBERS) :], strict=True):
        assert row["values"][name] == ("1" if name == "test_folds" else DEFAULTS[name]), (name, row)

    plain, everything, one, with_dashes, unknown = texts
    for name, spec in SPECS.items():
        assert (f"--{name} " in plain) == (not spec.get("hidden")), name
        assert f"--{name} " in everything
    assert "With --input or --features it runs on" in plain
    assert SPECS["viral_share"]["description"] in one and SPECS["seed"]["description"] in with_dashes
    assert unknown == "--viral_shade is unknown (did you mean --viral_share?)"


def test_every_parameter_is_described() -> None:
    for name, spec in SPECS.items():
        assert spec["description"].endswith(".") and "\n" not in spec["description"], name
        assert len(spec["help_text"]) > 10, name
        if spec["type"] in ("integer", "number"):
            assert "enum" in spec or {"minimum", "maximum", "default"} <= spec.keys(), name


def test_genetic_codes_are_biopythons() -> None:
    assert SPECS["genetic_code"]["enum"] == sorted(unambiguous_dna_by_id)


def computed(folder: Path) -> list[Path]:
    return list((folder / "work").rglob(".command.sh"))


def test_help_computes_nothing(tmp_path: Path) -> None:
    run = run_nextflow("--help", "viral_share", folder=tmp_path)
    assert run.rc == 0 and SPECS["viral_share"]["description"] in run.output
    assert not list((tmp_path / ".nextflow").glob("trace_*")) + list((tmp_path / ".nextflow").glob("timeline_*"))
    assert not run.results.exists() and not (tmp_path / "results").exists() and not computed(tmp_path)


@PARSERS
def test_a_refused_run_computes_nothing(tmp_path: Path, parser: str) -> None:
    run = run_nextflow("-profile", "test", "--shrot_windows", "5", "--folds", "many", folder=tmp_path, parser=parser)
    assert run.rc == 1
    for line in ("--shrot_windows is unknown (did you mean --short_windows?)", "--folds must be of type integer, got 'many'"):
        assert f"virshort: {line}" in run.output
    assert run.trace == [] and not run.results.exists()
    assert not computed(tmp_path)
