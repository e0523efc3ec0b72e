"""What the report shows, read from a results folder."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from virshort.errors import InputError
from virshort.files import read_json
from virshort.report.agreement import check_agreement
from virshort.report.costs import Costs, costs, read_trace
from virshort.report.lookup import Json
from virshort.verdict.parts import check_parts
from virshort.verdict.schema import Comparison

History = Sequence[Json]
"""The epochs of one head: {epoch, train {accuracy, loss, ...}, validation {...}}."""


@dataclass(frozen=True)
class Inputs:
    """The contents of a results folder. Only `comparison` is always there."""

    comparison: Comparison
    histories: Mapping[str, Sequence[History]] = field(default_factory=dict)
    """By arm, the histories of its heads."""
    models: Mapping[str, Json] = field(default_factory=dict)
    """By arm, the model.json of one of its heads."""
    costs: Costs | None = None
    leakage: Json | None = None
    folds: Json | None = None
    clusters: Json | None = None
    mask: Json | None = None
    homology: Json | None = None
    input: Json | None = None
    skipped: Sequence[Mapping[str, str]] = ()
    windows: Mapping[tuple[str, str], Json] = field(default_factory=dict)
    """By purpose (train or test) and pool, its metadata.json."""
    parameters: Json = field(default_factory=dict)
    versions: Json = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether this is the demo, whose genomes are made up."""
        given = self.parameters.get("input") or self.parameters.get("features")
        return bool(self.parameters.get("demo")) and not given

    @property
    def nucleotides_as_protein(self) -> bool:
        """Whether the protein encoder was given nucleotides, the control that a user asks for by name."""
        return self.parameters.get("protein_input") == "nucleotide"


def read_inputs(
    folder: Path, parameters: Path | None = None, versions: Path | None = None, trace: Path | None = None
) -> Inputs:
    """Read a results folder. `parameters`, `versions` and `trace` are looked for in it unless they are given.

    Raises InputError if there is no comparison.json, or if files of two runs lie in the folder."""
    found = find(folder, "comparison.json")
    if found is None:
        raise InputError(f"{folder}: comparison.json is missing: give the --outdir of a finished run")
    comparison: Comparison = read_json(found)
    facts = {
        name: read_json(path) if (path := find(folder, f"{name}.json")) else None
        for name in ("leakage", "folds", "clusters", "mask", "input", "window_sets", "homology")
    }
    windows = {(m.parts[-3], m.parts[-2]): read_json(m) for m in sorted((folder / "windows").glob("*/*/metadata.json"))}
    parameters = parameters or find(folder, "params*.json") or find(folder, "parameters*.json")
    versions = versions or find(folder, "*versions*.yml")
    trace = trace or find(folder, "trace*.tsv")
    given = read_json(parameters) if parameters else {}
    check_parts(folder, comparison)
    check_agreement(folder, comparison, windows, facts, given)
    arms = list(dict.fromkeys(t["arm"] for t in comparison["training"]))
    tasks = read_trace(trace) if trace else []
    return Inputs(
        comparison=comparison,
        histories={a: h for a in arms if (h := read_heads(folder, a, "history.json"))},
        models={a: m[0] for a in arms if (m := read_heads(folder, a, "model.json"))},
        costs=costs(tasks, {"/".join(pool): w["windows"] for pool, w in windows.items()}) if tasks else None,
        leakage=facts["leakage"],
        folds=facts["folds"],
        clusters=facts["clusters"],
        mask=facts["mask"],
        homology=facts["homology"],
        input=facts["input"],
        skipped=read_table(find(folder, "skipped.tsv")),
        windows=windows,
        parameters=given,
        versions=(yaml.safe_load(versions.read_text(encoding="utf-8")) or {}) if versions else {},
    )


def read_heads(folder: Path, arm: str, name: str) -> list[Any]:
    """A JSON file of every head of an arm, by fold and replicate."""
    return [read_json(p) for p in sorted((folder / "models").glob(f"*/fold_*/replicate_*/{name}")) if p.parts[-4] == arm]


def find(folder: Path, pattern: str) -> Path | None:
    """The file of that name in the folder, else one level below it. Of several, the last by name, which is by date."""
    hits = sorted(folder.glob(pattern)) or sorted(folder.glob(f"*/{pattern}"))
    return hits[-1] if hits else None


def read_table(path: Path | None) -> list[dict[str, str]]:
    """The rows of a TSV file; none if there is no file."""
    if path is None:
        return []
    with path.open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
