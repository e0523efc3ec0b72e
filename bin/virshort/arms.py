"""Arms: rows of a YAML file, each a remedy or a control, checked key by key."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from virshort.arm_record import Arm, Finetuning
from virshort.errors import InputError, nearest
from virshort.modalities import ENCODED, FINETUNED, MODALITIES, OF_ARM, UNTRANSLATED
from virshort.strict_yaml import choice, flag, number, read_yaml, text, whole_number

WINDOW_SETS = ("short", "scratch", "mixed", "full")
ROLES = ("remedy", "control", "baseline")
STARTS = ("random", "baseline")
LABELLINGS = ("true", "shuffled")
PROTEIN_INPUTS = ("translated", "nucleotide")
OPTIMIZERS = ("adam", "adamw")
SCHEDULES = ("constant", "one_cycle")
ADAPTERS = ("lora", "none")
WIDTHS = (4, 8192)
DEEPEST = 4
"""Hidden layers that a head may have at most."""


_DEFAULTS: dict[str, Any] = {
    "description": "",
    "role": "remedy",
    "windows": None,
    "modalities": ["dna", "protein"],
    "encoders": {},
    "protein_input": None,
    "start": "random",
    "frozen": False,
    "labels": "true",
    "epochs": 10,
    "learning_rate": 1e-3,
    "batch_size": 256,
    "dropout": 0.1,
    "patience": 3,
    "hidden": [512],
    "optimizer": "adam",
    "weight_decay": None,
    "schedule": "constant",
    "standardize": False,
    "combine": [],
    "adapters": None,
    "rank": 8,
    "alpha": 16,
    "targets": [],
    "batch_tokens": 16384,
    "gradient_checkpointing": False,
}
_NOT_TRAINING = ("name", "description", "role", "note", "curve_of", "variant_of", "encoding")
"""Keys that do not change what an arm learns. `encoding` is a key of earlier versions: the encoders, joined by +."""
_FITTED = ("description", "role", "modalities", "encoders")
"""Keys of an arm that believes the matches of a homology search, which is fitted on validation windows of `short`."""
_COMBINED = ("description", "role", "combine")
"""Keys of an arm that combines others, likewise."""
_OF_LORA = ("rank", "alpha", "targets")
"""Keys that only low-rank adapters have."""
_OF_FINETUNING = ("adapters", *_OF_LORA, "batch_tokens", "gradient_checkpointing")
"""Keys of an arm whose encoder is trained end to end."""
_NO_FINETUNING = ("start", "frozen", "labels", "batch_size", "standardize")
"""Keys that such an arm does not have."""


def read_arms(
    path: Path,
    encoders: Mapping[str, str],
    known: Mapping[str, Collection[str]],
    protein_input: str = "translated",
    ready_features: bool = False,
) -> list[Arm]:
    """All arms of a file, completed with the defaults, in the file's order.

    encoders: the run's encoder for each modality; known: the names of all encoders for each modality; protein_input: what the
    run feeds to its protein encoder (translated or nucleotide), unless an arm says otherwise; ready_features: whether the
    features are given, so that neither the windows nor what was fed to the encoders can be chosen.
    Raises InputError naming the file, the arm and the key that is wrong."""
    rows = read_yaml(path, "--arms_file")
    if not isinstance(rows, dict) or not rows:
        raise InputError(f"{path.name}: contains no arms: write one entry per arm, as in assets/arms.yaml")
    arms = []
    for name, row in rows.items():
        try:
            arms.append(_complete(name, row, encoders, known, protein_input))
            if ready_features:
                _check_ready(arms[-1])
        except InputError as e:
            raise InputError(f"{path.name}: arm {name}: {e}") from e
    arms = [_with_parts(arm, arms, path) if arm["combine"] else arm for arm in arms]
    if [a["name"] for a in arms if a["role"] == "baseline"] != ["baseline"]:
        raise InputError(f"{path.name}: exactly one arm must have the role baseline, and its name must be baseline")
    if next(a for a in arms if a["role"] == "baseline")["start"] == "baseline":
        raise InputError(f"{path.name}: arm baseline: cannot start from itself: remove its start")
    return arms


def _complete(
    name: Any, row: Any, encoders: Mapping[str, str], known: Mapping[str, Collection[str]], protein_input: str
) -> Arm:
    """One arm with its defaults. Raises InputError naming the key that is wrong."""
    _check_name(name)
    if not isinstance(row, dict):
        raise InputError(f"expected keys and values, got {row!r}")
    for key in row:
        if key not in _DEFAULTS:
            raise InputError(f"unknown key {key}: {nearest(str(key), _DEFAULTS)}")
    _check_keys_of_fitted(row)
    _check_keys_of_finetuning(row)
    values = _DEFAULTS | {"protein_input": protein_input} | row
    modalities = _modalities(values["modalities"])
    if fitted := "combine" in row or modalities == ["homology"]:
        values |= {"windows": "short", "start": "random"}
    arm: Arm = {
        "name": name,
        "description": text(values, "description"),
        "role": choice(values, "role", ROLES),
        "windows": choice(values, "windows", WINDOW_SETS),
        "modalities": modalities,
        "encoders": _given_encoders({**encoders, **_own_encoders(values["encoders"], modalities, known)}, modalities),
        "protein_input": choice(values, "protein_input", PROTEIN_INPUTS),
        "start": choice(values, "start", STARTS),
        "frozen": flag(values, "frozen"),
        "labels": choice(values, "labels", LABELLINGS),
        "epochs": whole_number(values, "epochs", 1, 1000),
        "learning_rate": number(values, "learning_rate", 1e-8, 1.0),
        "batch_size": whole_number(values, "batch_size", 2, 65536),
        "dropout": number(values, "dropout", 0.0, 0.9),
        "patience": whole_number(values, "patience", 1, 1000),
        "hidden": _hidden(values["hidden"]),
        "optimizer": choice(values, "optimizer", OPTIMIZERS),
        "weight_decay": _weight_decay(values),
        "schedule": choice(values, "schedule", SCHEDULES),
        "standardize": flag(values, "standardize"),
        "combine": _parts(values["combine"]) if "combine" in row else [],
        "begins_with": [],
        "training_folds": None,
    }
    arm["begins_with"] = ["baseline"] if arm["start"] == "baseline" else arm["combine"]
    if fitted:
        arm["start"] = "parts" if arm["combine"] else "fitted"
    if "protein_input" in row and "protein" not in modalities:
        raise InputError("protein_input is set, but protein is not among its modalities: remove it or add protein")
    if arm["protein_input"] == "nucleotide" and "protein" in arm["encoders"]:
        arm["encoders"]["protein"] += UNTRANSLATED
    if "adapters" in row:
        return _finetuned(arm, values)
    if arm["frozen"] and arm["start"] == "random":
        raise InputError("frozen with random weights learns nothing: set start: baseline")
    return arm


def _check_keys_of_fitted(row: Mapping[str, Any]) -> None:
    """Raise InputError where an arm that is fitted on validation windows has keys of training, which would have no effect, and
    where matches are joined with other modalities in one head."""
    kinds: dict[str, tuple[str, tuple[str, ...]]] = {}
    if "combine" in row:
        kinds["combine"] = ("combines other arms", _COMBINED)
    modalities = row.get("modalities")
    if isinstance(modalities, list) and "homology" in modalities:
        if modalities != ["homology"]:
            raise InputError(
                f"modalities is {modalities!r}: homology is not read by a head together with others: give it an arm of its own "
                "with modalities [homology], and join arms with combine"
            )
        kinds["modalities"] = ("believes matches and is not trained", _FITTED)
    for what, keys in kinds.values():
        if other := [key for key in row if key not in keys]:
            raise InputError(f"{other[0]} has no effect on an arm that {what}: remove it")


def _check_keys_of_finetuning(row: Mapping[str, Any]) -> None:
    """Raise InputError for keys that have no effect on an arm whose encoder is, or is not, trained end to end."""
    if "adapters" not in row:
        if other := [key for key in _OF_FINETUNING if key in row]:
            raise InputError(f"{other[0]} has no effect without adapters: remove it, or set adapters: lora")
        return
    if other := [key for key in _NO_FINETUNING if key in row]:
        raise InputError(f"{other[0]} has no effect on an arm whose encoder is trained end to end (adapters): remove it")
    if row["adapters"] == "none" and (other := [key for key in _OF_LORA if key in row]):
        raise InputError(f"{other[0]} has no effect with adapters: none, which trains all weights: remove it")


def _finetuned(arm: Arm, values: Mapping[str, Any]) -> Arm:
    """An arm whose encoder is trained end to end with its head. Raises InputError naming the key that is wrong."""
    if arm["modalities"] not in (["dna"], ["protein"]):
        raise InputError(
            f"modalities is {arm['modalities']!r}: with adapters one encoder is trained: set modalities: [dna] or [protein]"
        )
    if arm["windows"] != "short":
        raise InputError(f"windows is {arm['windows']!r}: encoders are trained on windows of short: set windows: short")
    if arm["role"] == "baseline":
        raise InputError("adapters: the baseline is a head on fixed embeddings: remove it, or give another arm adapters")
    (modality,) = arm["modalities"]
    finetune: Finetuning = {
        "encoder": arm["encoders"][modality],
        "modality": modality,
        "adapters": choice(values, "adapters", ADAPTERS),
        "rank": whole_number(values, "rank", 1, 1024),
        "alpha": number(values, "alpha", 1e-3, 1e4),
        "targets": _targets(values["targets"]),
        "batch_tokens": whole_number(values, "batch_tokens", 2, 1 << 24),
        "gradient_checkpointing": flag(values, "gradient_checkpointing"),
    }
    return {
        **arm,
        "modalities": [FINETUNED],
        "encoders": {FINETUNED: OF_ARM + arm["name"]},
        "start": "end_to_end",
        "finetune": finetune,
    }


def _targets(value: Any) -> list[str]:
    """The names of the linear layers that get adapters; all linear layers of the encoder if there are none."""
    if not isinstance(value, list) or any(not isinstance(n, str) or value.count(n) > 1 for n in value):
        raise InputError(f"targets is {value!r}: must be a list of names of linear layers, as in [qkv, attention_out]")
    return list(value)


def _parts(value: Any) -> list[str]:
    """The names of the arms that are combined."""
    if not isinstance(value, list) or len(value) < 2 or any(not isinstance(n, str) or value.count(n) > 1 for n in value):
        raise InputError(f"combine is {value!r}: must be a list of two or more arms of this file, as in [homology, codon]")
    return list(value)


def _with_parts(arm: Arm, arms: Sequence[Arm], path: Path) -> Arm:
    """An arm that combines others, with the modalities and encoders of all of them.

    Raises InputError where a part is not known, is itself a combination or was trained on shuffled labels, and where two parts
    read the same modality by different encoders."""
    known = {a["name"]: a for a in arms}
    where = f"{path.name}: arm {arm['name']}: combine"
    encoders: dict[str, str] = {}
    for name in arm["combine"]:
        if name not in known:
            raise InputError(f"{where}: unknown arm {name}: {nearest(name, known)}")
        part = known[name]
        if part["combine"]:
            raise InputError(f"{where}: {name} combines arms itself: name the arms that it combines")
        if part["labels"] == "shuffled":
            raise InputError(f"{where}: {name} is trained on shuffled labels: remove it")
        for modality, encoder in part["encoders"].items():
            if modality in part["modalities"] and encoders.setdefault(modality, encoder) != encoder:
                raise InputError(
                    f"{where}: {name} reads {modality} by {encoder}, but another part by {encoders[modality]}: combine arms "
                    "with the same encoders"
                )
    modalities = [m for m in MODALITIES if any(m in known[name]["modalities"] for name in arm["combine"])]
    fed = next((known[n]["protein_input"] for n in arm["combine"] if "protein" in known[n]["modalities"]), arm["protein_input"])
    return {
        **arm,
        "modalities": modalities,
        "encoders": _given_encoders({**arm["encoders"], **encoders}, modalities),
        "protein_input": fed,
    }


def _check_name(name: Any) -> None:
    if not isinstance(name, str):
        raise InputError(f"the name {name!r} is not text: put it in quotes")
    if not re.fullmatch(r"[A-Za-z0-9_-]*[A-Za-z0-9][A-Za-z0-9_-]*", name) or name.startswith("-"):
        raise InputError("a name consists of letters, digits, _ and - and does not begin with -: rename it")


def _check_ready(arm: Arm) -> None:
    """Raise InputError where an arm asks for something that ready features (--features) cannot give."""
    if arm["windows"] != "short":
        raise InputError(f"windows is {arm['windows']!r}: with --features it must be short, which stands for all given rows")
    if "finetune" in arm:
        raise InputError("adapters cannot be trained with --features, where there are no sequences: remove the arm")
    if arm["protein_input"] != "translated":
        raise InputError("protein_input has no effect with --features, whose rows are already encoded: remove it")
    for modality, what in (("gc", "GC content"), ("length", "length")):
        if modality in arm["modalities"]:
            raise InputError(
                f"modalities contains {modality}, but the {what} of rows given with --features is not known: remove it"
            )


def _hidden(value: Any) -> list[int]:
    """Units of each hidden layer. Dropout draws its masks four units at a time."""
    low, high = WIDTHS
    widths = value if isinstance(value, list) and 1 <= len(value) <= DEEPEST else [None]
    if any(isinstance(n, bool) or not isinstance(n, int) or not low <= n <= high or n % 4 for n in widths):
        raise InputError(
            f"hidden is {value!r}: must be a list of the units of one to {DEEPEST} layers, multiples of 4 from {low} to "
            f"{high}, as in [512, 512]"
        )
    return list(value)


def _weight_decay(values: Mapping[str, Any]) -> float:
    """What AdamW takes from the weights; 0 with Adam, which has none. torch's default is 0.01."""
    if values["optimizer"] == "adam":
        if values["weight_decay"] is not None:
            raise InputError("weight_decay has no effect with optimizer adam: remove it or set optimizer: adamw")
        return 0.0
    return number({"weight_decay": 0.01} | {k: v for k, v in values.items() if v is not None}, "weight_decay", 0.0, 1.0)


def _modalities(value: Any) -> list[str]:
    """The modalities in their fixed order, so that the columns of features never change places."""
    known = [m for m in MODALITIES if m != FINETUNED]  # which arms with adapters have instead of what they name
    wrong = not isinstance(value, list) or not value or any(m not in known or value.count(m) > 1 for m in value)
    if wrong:
        raise InputError(f"modalities is {value!r}: must be a list of {', '.join(known)}, each at most once, as in [dna]")
    return [m for m in MODALITIES if m in value]


def _own_encoders(value: Any, modalities: Collection[str], known: Mapping[str, Collection[str]]) -> dict[str, str]:
    """The encoders that an arm chooses for itself, by modality."""
    if not isinstance(value, dict) or any(m not in known for m in value):
        raise InputError(f"encoders is {value!r}: must name encoders for {', '.join(known)}, as in {{dna: kmer-dna}}")
    for modality, encoder in value.items():
        if not isinstance(encoder, str) or encoder not in known[modality]:
            raise InputError(f"unknown {modality} encoder {encoder}: {nearest(str(encoder), known[modality])}")
        if modality not in modalities:
            raise InputError(
                f"encoders names one for {modality}, which is not among its modalities: remove it or add {modality}"
            )
    return value


def _given_encoders(encoders: Mapping[str, str], modalities: Collection[str]) -> dict[str, str]:
    """The encoders whose features an arm is given. Those of dna and protein stay together even where it reads only one of them
    or neither, so that the records of such arms name the same encoders.

    Raises InputError for a modality that no encoder of the run reads."""
    encoded = [m for m in modalities if m in ENCODED]
    for modality in encoded:
        if modality not in encoders:
            raise InputError(f"modalities contains {modality}, for which this run has no encoder: remove it")
    return {m: encoders[m] for m in (encoded if {*encoded} - {"dna", "protein"} else ("dna", "protein"))}


def choose(arms: Sequence[Arm], names: str | None) -> list[Arm]:
    """The named arms (comma-separated; all if None) in the file's order, always with the baseline and with the arms that a
    named one combines.

    Raises InputError for an unknown name, and for an arm that starts from the baseline but does not read the same inputs."""
    known = [a["name"] for a in arms]
    wanted = [n.strip() for n in names.split(",") if n.strip()] if names is not None else known
    if not wanted:
        raise InputError("--arms names no arm: give names separated by commas, or leave it out to run all arms")
    for name in wanted:
        if name not in known:
            raise InputError(f"--arms: unknown arm {name}: {nearest(name, known)}")
    baseline = next(a for a in arms if a["role"] == "baseline")
    wanted += [part for a in arms if a["name"] in wanted for part in a["combine"]]
    chosen = [a for a in arms if a["name"] in wanted or a is baseline]
    for arm in chosen:
        same_inputs = (arm["modalities"], arm["encoders"]) == (baseline["modalities"], baseline["encoders"])
        if arm["start"] == "baseline" and not same_inputs:
            raise InputError(f"arm {arm['name']}: starts from the baseline, so it needs the baseline's modalities and encoders")
        if arm["start"] == "baseline" and any(arm[key] != baseline[key] for key in ("hidden", "standardize")):
            raise InputError(
                f"arm {arm['name']}: starts from the baseline, so its head is the baseline's: remove hidden and standardize, "
                "or set them as the baseline has them"
            )
    return chosen


def trained_alike(arm: Arm, other: Arm) -> bool:
    """Whether two arms differ in name, description and role only, so that they learn the same."""
    return not _differences(arm, other)


def untranslated_twins(arms: Iterable[Arm]) -> list[tuple[str, str, str]]:
    """Pairs of arms that differ only in whether their protein encoder is fed bases or residues.

    Each is (untranslated arm, translated arm, test set of the length that both were trained on). At another length the
    comparison would be between their thresholds, not between what they learned."""
    arms = list(arms)
    # Results folders of earlier versions do not record protein_input.
    fed_bases = [a for a in arms if a.get("protein_input") == "nucleotide" and "protein" in a["modalities"]]
    return [
        (a["name"], b["name"], "full" if a["windows"] == "full" else "short")
        for a in fed_bases
        for b in arms
        if b.get("protein_input") == "translated" and _differences(a, b) <= {"protein_input", "encoders"}
        if _translated_encoders(a) == _translated_encoders(b)
    ]


def _differences(arm: Arm, other: Arm) -> set[str]:
    """The keys in which two arms differ, of those that change what they learn."""
    pairs = {key: (arm.get(key), other.get(key)) for key in {*arm, *other} - set(_NOT_TRAINING)}
    return {key for key, (one, two) in pairs.items() if one != two}


def _translated_encoders(arm: Arm) -> dict[str, str]:
    return {m: e.removesuffix(UNTRANSLATED) for m, e in arm["encoders"].items()}
