"""Parameters: checked against the schema before anything is computed, in one clear line each."""

import json
from pathlib import Path
from typing import Any

import pytest
from Bio.Data.CodonTable import unambiguous_dna_by_id

from harness import ROOT, environment, nextflow, run_nextflow

DRIVER = ROOT / "tests/pipeline/nf/params.nf"
SCHEMA = json.loads((ROOT / "nextflow_schema.json").read_text())
SPECS = {name: spec for group in SCHEMA["$defs"].values() for name, spec in group["properties"].items()}
PARSERS = pytest.mark.parametrize("parser", ["v1", "v2"])

# What is given (besides demo) -> the complaints, in order.
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
    ({"pretrained": "/dev/null"}, ["--pretrained does not have the form of its description, got '/dev/null'"]),
    ({"frames": "both"}, ["--frames must be one of longest, all, got 'both'"]),
    ({"outdir": "/dev/null/results"}, ["--outdir cannot be written to"]),
    ({"folds": 2, "seeed": 1}, ["--seeed is unknown (did you mean --seed?)", "--folds must be at least 3, got '2'"]),
]

# What is given -> what comes of it. All values may be strings, since the command line may give nothing else.
ACCEPTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {name: spec.get("default") for name, spec in SPECS.items() if name not in ("demo", "outdir")}),
    ({"short_windows": "1000", "viral_share": "0.5"}, {"short_windows": 1000, "viral_share": 0.5}),
    ({"scratch_windows": "1e6"}, {"scratch_windows": 1000000}),
    ({"scratch_windows": 1e6}, {"scratch_windows": 1000000}),
    ({"viral_share": ".5"}, {"viral_share": 0.5}),
    ({"test_folds": 1}, {"test_folds": "1"}),
    ({"sweep_lengths": 150}, {"sweep_lengths": "150"}),
    ({"arms": ""}, {"arms": None}),
    ({"genetic_code": "11"}, {"genetic_code": 11}),
]


def judged(cases: list[dict[str, Any]], folder: Path, parser: str) -> list[dict[str, Any]]:
    (folder / "cases.json").write_text(json.dumps(cases))
    done = nextflow("-q", "run", DRIVER, "--cases", folder / "cases.json", folder=folder, env=environment(parser))
    assert done.returncode == 0, done.stdout
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(rows) == len(cases)
    return rows


@PARSERS
def test_values(tmp_path: Path, parser: str) -> None:
    standing = {"demo": True, "outdir": str(tmp_path / "results")}
    rows = judged([standing | given for given, _ in REFUSED + ACCEPTED], tmp_path, parser)
    for (given, expected), row in zip(REFUSED, rows, strict=False):
        assert len(row["problems"]) == len(expected), (given, row)
        for problem, start in zip(row["problems"], expected, strict=True):
            assert problem.startswith(start), given
    for (given, expected), row in zip(ACCEPTED, rows[len(REFUSED) :], strict=True):
        assert row["problems"] == [], given
        assert expected.items() <= row["values"].items(), given
        assert set(row["values"]) == set(SPECS)


def test_input_is_required_except_in_the_demo(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").touch()
    outdir = {"outdir": str(tmp_path / "results")}
    rows = judged([outdir, outdir | {"input": str(tmp_path / "sheet.csv")}, outdir | {"demo": True}], tmp_path, "v2")
    assert [row["problems"] for row in rows] == [["--input is required"], [], []]


def test_features_take_the_place_of_input(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").touch()
    given = {"outdir": str(tmp_path / "results"), "features": str(tmp_path / "sheet.csv")}
    rows = judged([given, given | {"input": given["features"]}, given | {"demo": True}], tmp_path, "v2")
    assert rows[0]["problems"] == []
    for row, other in zip(rows[1:], ("--input", "the demo"), strict=True):
        assert row["problems"] == [f"--features takes the place of {other}: give one of them, got '{given['features']}'"]


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


@PARSERS
def test_help(tmp_path: Path, parser: str) -> None:
    run = run_nextflow("--help", folder=tmp_path, parser=parser)
    assert run.rc == 0
    for name, spec in SPECS.items():
        assert (f"--{name} " in run.output) == (not spec.get("hidden")), name
    one = run_nextflow("--help", "viral_share", folder=tmp_path, parser=parser)
    assert one.rc == 0 and SPECS["viral_share"]["description"] in one.output
    assert not one.results.exists() and not (tmp_path / "results").exists() and not computed(tmp_path)


@PARSERS
def test_the_config_heeds_the_command_lines_outdir(tmp_path: Path, parser: str) -> None:
    """Under v2 the config's own default would win wherever the config uses a parameter."""
    args = ("run", ROOT, "-profile", "test", "-preview", "--outdir", "elsewhere")
    done = nextflow(*args, folder=tmp_path, env=environment(parser))
    assert done.returncode == 0, done.stdout
    assert list((tmp_path / "elsewhere/pipeline_info").glob("trace_*.tsv")) and not (tmp_path / "results").exists()


@PARSERS
@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("--shrot_windows", "5"), "virshort: --shrot_windows is unknown (did you mean --short_windows?)"),
        (("--folds", "many"), "virshort: --folds must be of type integer, got 'many'"),
        (("--outdir", "/dev/null/x"), "virshort: --outdir cannot be written to"),
    ],
)
def test_a_refused_run_computes_nothing(tmp_path: Path, parser: str, args: tuple[str, ...], expected: str) -> None:
    run = run_nextflow("-profile", "test", *args, folder=tmp_path, parser=parser)
    assert run.rc == 1
    assert run.complaint().startswith(expected)
    assert run.trace == [] and not run.results.exists()
    assert not computed(tmp_path)
