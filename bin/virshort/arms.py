"""Arms are data: rows of a YAML file, checked here key by key."""

from pathlib import Path
from typing import Any

import yaml

from virshort.errors import InputError, nearest
from virshort.modalities import MODALITIES, UNTRANSLATED

WINDOW_SETS = ("short", "scratch", "mixed", "full")
_DEFAULTS: dict[str, Any] = {
    "description": "",
    "role": "remedy",
    "windows": None,
    "modalities": ["dna", "protein"],
    "encoders": None,
    "protein_input": None,
    "start": "random",
    "frozen": False,
    "labels": "true",
    "epochs": 10,
    "learning_rate": 1e-3,
    "batch_size": 256,
    "dropout": 0.1,
    "patience": 3,
}
_CHOICES = {
    "role": ("remedy", "control", "baseline"),
    "windows": WINDOW_SETS,
    "start": ("random", "baseline"),
    "labels": ("true", "shuffled"),
    "frozen": (True, False),
    "protein_input": ("translated", "nucleotide"),
}
_RANGES = {
    "epochs": (1, 1000),
    "learning_rate": (1e-8, 1.0),
    "batch_size": (2, 65536),
    "dropout": (0.0, 0.9),
    "patience": (1, 1000),
}


def read_arms(
    path: Path, encoders: dict[str, str], dims: dict[str, dict[str, int]], protein_input: str = "translated"
) -> list[dict[str, Any]]:
    """All arms of a file, complete with defaults, in the file's order.

    encoders: the run's encoder by modality; dims: known encoders by modality (the values are not used); protein_input:
    the run's, translated or nucleotide, which an arm may differ from.
    Raises InputError naming the file, the arm and the key for anything that is not understood."""
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise InputError(f"{path.name}: not readable as YAML: {e}") from e
    except OSError as e:
        raise InputError(f"{path.name}: {e.strerror}: give an existing file with --arms_file") from e
    if not isinstance(rows, dict) or not rows:
        raise InputError(f"{path.name}: has no arms: write one a row, as in assets/arms.yaml")
    arms = [_complete(path.name, str(name), row, encoders, dims, protein_input) for name, row in rows.items()]
    if [a["name"] for a in arms if a["role"] == "baseline"] != ["baseline"]:
        raise InputError(f"{path.name}: exactly one arm must have the role baseline, and be named so")
    return arms


def _complete(
    file: str, name: str, row: Any, encoders: dict[str, str], dims: dict[str, dict[str, int]], protein_input: str
) -> dict:
    where = f"{file}: arm {name}"
    if not name.replace("_", "").replace("-", "").isalnum() or not name.isascii() or name[0] == "-":
        raise InputError(f"{where}: a name has letters, digits, _ and (not first) - only: rename it")
    if not isinstance(row, dict):
        raise InputError(f"{where}: expected keys and values, got {row!r}")
    for key in row:
        if key not in _DEFAULTS:
            raise InputError(f"{where}: unknown key {key}: {nearest(str(key), _DEFAULTS)}")
    arm = {"name": name} | _DEFAULTS | {"protein_input": protein_input} | row
    if isinstance(arm["labels"], bool):  # YAML reads a bare true so
        arm["labels"] = str(arm["labels"]).lower()
    for key, choices in _CHOICES.items():
        if arm[key] not in choices:
            raise InputError(f"{where}: {key} is {arm[key]!r}: must be one of {', '.join(map(str, choices))}")
    for key, (low, high) in _RANGES.items():
        value = arm[key]
        whole = key in ("epochs", "batch_size", "patience")
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not low <= value <= high:
            raise InputError(f"{where}: {key} is {value!r}: must be {'a whole' if whole else 'a'} number from {low} to {high}")
    modalities = arm["modalities"]
    if (
        not isinstance(modalities, list)
        or not modalities
        or set(modalities) - set(MODALITIES)
        or len(set(modalities)) < len(modalities)
    ):
        raise InputError(f"{where}: modalities is {modalities!r}: must be a list of {', '.join(MODALITIES)}, each once")
    arm["modalities"] = [m for m in MODALITIES if m in modalities]  # one order, so that columns never change places
    given = arm["encoders"] or {}
    if not isinstance(given, dict) or set(given) - set(dims):
        raise InputError(f"{where}: encoders is {given!r}: must name an encoder for dna, protein or both")
    for modality, encoder in given.items():
        if encoder not in dims[modality]:
            raise InputError(f"{where}: unknown {modality} encoder {encoder}: {nearest(str(encoder), dims[modality])}")
    arm["encoders"] = encoders | given
    if arm["protein_input"] == "nucleotide":
        arm["encoders"]["protein"] += UNTRANSLATED
    if arm["frozen"] and arm["start"] == "random":
        raise InputError(f"{where}: frozen with random weights learns nothing: set start: baseline")
    return arm


def choose(arms: list[dict[str, Any]], names: str | None) -> list[dict[str, Any]]:
    """The arms named (comma-separated; all if None) in the file's order, and the baseline with them, always.

    Raises InputError for a name that no arm has, and for an arm that starts from a baseline of other inputs."""
    known = [a["name"] for a in arms]
    wanted = [n.strip() for n in names.split(",") if n.strip()] if names else known
    for name in wanted:
        if name not in known:
            raise InputError(f"--arms: unknown arm {name}: {nearest(name, known)}")
    chosen = [a for a in arms if a["name"] in wanted or a["role"] == "baseline"]
    baseline = next(a for a in arms if a["role"] == "baseline")
    for arm in chosen:
        if arm["start"] == "baseline" and any(arm[k] != baseline[k] for k in ("modalities", "encoders")):
            raise InputError(f"arm {arm['name']}: starts from the baseline, so it needs the baseline's modalities and encoders")
    return chosen


def untranslated_twins(arms: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(untranslated, translated, test set of the length that both know): arms that differ only in what their protein encoder
    is fed. At another length their thresholds would be compared, not what they learned."""
    same = set(_DEFAULTS) - {"description", "role", "protein_input", "encoders"}

    def rest(arm: dict[str, Any]) -> list[Any]:
        return [{m: e.removesuffix(UNTRANSLATED) for m, e in arm["encoders"].items()}, *(arm.get(k) for k in sorted(same))]

    fed = [a for a in arms if a.get("protein_input") == "nucleotide" and "protein" in a["modalities"]]
    return [
        (a["name"], b["name"], "full" if a["windows"] == "full" else "short")
        for a in fed
        for b in arms
        if b.get("protein_input") == "translated" and rest(a) == rest(b)
    ]
