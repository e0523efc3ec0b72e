"""Language models as rows of a file: what each reads, how it is loaded, where it is published, and how to cite it.

assets/encoders.yaml holds the rows that come with virshort. A user's own file adds rows, or changes keys of these.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from virshort.encoders.checksums import LOCAL, UNPINNED, Pin
from virshort.encoders.reading import POOLINGS, Reading
from virshort.errors import InputError, nearest
from virshort.modalities import UNTRANSLATED
from virshort.strict_yaml import choice, flag, read_yaml, text, whole_number

SHIPPED = Path(__file__).resolve().parents[3] / "assets/encoders.yaml"
FAMILIES = ("dnabert-s", "esm2", "transformers")
_READING: dict[str, Any] = {
    "pooling": "mean",
    "max_tokens": None,
    "spaces": False,
    "case": "upper",
    "thymine": "T",
    "letters": "",
    "unknown": "",
    "precision": "auto",
}
_DEFAULTS: dict[str, Any] = {
    "modality": None,
    "family": None,
    "dim": None,
    "repo": "",
    "revision": "",
    "files": [],
    "folder": "",
    "licence": "",
    "citation": "",
    **_READING,
}


@dataclass(frozen=True)
class Published:
    """A model as its authors publish it. files: name -> pin; revision: the commit that is used, empty if no public record names
    one, so that the user has to; folder: where the files are on this machine, empty if they are on the hub."""

    repo: str
    revision: str
    files: Mapping[str, Pin]
    folder: str = ""


@dataclass(frozen=True)
class Row:
    """One language model. dim: numbers in a vector; family: what loads it; reading: how a model of the library transformers
    reads sequences, None for families that know that themselves; keys: the row as it is written, completed."""

    name: str
    modality: str
    family: str
    dim: int
    published: Published
    reading: Reading | None
    licence: str
    citation: str
    keys: dict[str, Any]


def read_rows(paths: Sequence[Path] = (SHIPPED,)) -> dict[str, Row]:
    """The rows of some files; keys of a later file take the place of those of an earlier one.

    Raises InputError naming the file, the row and the key that is wrong."""
    merged: dict[str, dict[str, Any]] = {}
    rows: dict[str, Row] = {}
    for path in paths:
        found = read_yaml(path, "--encoders_file")
        if not isinstance(found, dict) or not found:
            raise InputError(f"{path.name}: contains no encoders: write one entry per encoder, as in assets/encoders.yaml")
        for name, keys in found.items():
            try:
                if not isinstance(keys, dict):
                    raise InputError(f"expected keys and values, got {keys!r}")
                merged[name] = _changed(merged.get(name, {}), keys)
                rows[name] = row_of(name, merged[name])
            except InputError as e:
                raise InputError(f"{path.name}: encoder {name}: {e}") from e
    return rows


def _changed(before: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    """A row with other values for some keys. A folder takes the place of what is published, and the other way round."""
    gone = {"repo", "revision", "files"} if "folder" in keys else {"folder"} if "repo" in keys else set()
    return {key: value for key, value in before.items() if key not in gone} | dict(keys)


def row_of(name: Any, keys: Mapping[str, Any]) -> Row:
    """One row, checked and completed. Raises InputError naming the key that is wrong."""
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or name.endswith(UNTRANSLATED):
        raise InputError(
            f"a name consists of lower-case letters, digits and -, and does not end with {UNTRANSLATED}: rename it"
        )
    for key in keys:
        if key not in _DEFAULTS:
            raise InputError(f"unknown key {key}: {nearest(str(key), _DEFAULTS)}")
    values = _DEFAULTS | dict(keys)
    family = choice(values, "family", FAMILIES)
    if family != "transformers" and (idle := [key for key in _READING if values[key] != _READING[key]]):
        raise InputError(f"{idle[0]} has no effect on the family {family}, which knows it itself: remove it")
    modality = choice(values, "modality", ("dna", "protein"))
    if family != "transformers" and modality != {"dnabert-s": "dna", "esm2": "protein"}[family]:
        raise InputError(f"modality is {modality!r}, which models of the family {family} do not read: correct it")
    dim = whole_number(values, "dim", 1, 65536)
    return Row(
        name,
        modality,
        family,
        dim,
        _published(values),
        _reading(values, modality, dim) if family == "transformers" else None,
        text(values, "licence"),
        text(values, "citation"),
        values,
    )


def _published(values: Mapping[str, Any]) -> Published:
    repo, revision, folder = (text(values, key) for key in ("repo", "revision", "folder"))
    if bool(repo) == bool(folder):
        raise InputError("where are its files? give either repo, as on the Hugging Face hub, or folder")
    if folder:
        if not Path(folder).is_absolute():
            raise InputError(f"folder is {folder!r}: must be an absolute path, since tasks work in folders of their own")
        if revision or values["files"]:
            raise InputError("revision and files have no effect with folder, whose files are taken as they are: remove them")
        return Published("", LOCAL, {}, folder)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        raise InputError(f"repo is {repo!r}: must be OWNER/NAME, as on the Hugging Face hub")
    if not re.fullmatch(r"([\w.-]*)", revision) or revision == LOCAL:
        raise InputError(f"revision is {revision!r}: must be a commit of {repo}, or empty where --weights_revision gives it")
    return Published(repo, revision, _files(values["files"]))


def _files(value: Any) -> dict[str, Pin]:
    """The pin of each published file: of a list of names nothing is known beforehand."""
    pins = dict.fromkeys(value) if isinstance(value, list) and all(isinstance(n, str) for n in value) else value
    if not isinstance(pins, dict) or not pins:
        raise InputError(f"files is {value!r}: must list the names of the published files, or give [bytes, SHA-256] for each")
    return {name: _pin(name, pin) for name, pin in pins.items()}


def _pin(name: Any, pin: Any) -> Pin:
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w.-]*\.(json|txt|model|bin|safetensors)", name):
        raise InputError(f"files names {name!r}: must be .json, .txt, .model, .bin or .safetensors files, without a folder")
    size, sha256 = pin if isinstance(pin, list) and len(pin) == 2 else UNPINNED if pin is None else (-1, "")
    right = (size is None or (isinstance(size, int) and size >= 0)) and (
        sha256 is None or (isinstance(sha256, str) and re.fullmatch(r"[0-9a-f]{64}", sha256))
    )
    if not right:
        raise InputError(f"files: {name} has {pin!r}: must be [bytes, SHA-256], with null for what is not known")
    return size, sha256


def _reading(values: Mapping[str, Any], modality: str, dim: int) -> Reading:
    letters, unknown = text(values, "letters"), text(values, "unknown")
    if len(unknown) > 1 or bool(unknown) != bool(letters) or not (letters + unknown).isascii():
        raise InputError(
            f"letters is {letters!r} and unknown is {unknown!r}: give the letters that the model knows and the one that every "
            "other letter becomes, as in ACGTN and N, or neither"
        )
    thymine = choice(values, "thymine", ("T", "U"))
    if thymine == "U" and modality != "dna":
        raise InputError("thymine has no effect on a model of proteins: remove it")
    return Reading(
        modality,
        dim,
        choice(values, "pooling", POOLINGS),
        None if values["max_tokens"] is None else whole_number(values, "max_tokens", 8, 10_000_000),
        flag(values, "spaces"),
        choice(values, "case", ("upper", "lower")),
        thymine,
        letters,
        unknown,
        choice(values, "precision", ("auto", "fp32", "bf16", "fp16")),
    )
