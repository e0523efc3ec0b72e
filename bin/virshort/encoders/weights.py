"""A language model's weights on disk: what was fetched, according to which record, and whether it is complete.

fetching.py writes them. Its record, weights.json, is written last, so a folder without one is never used.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from virshort.errors import InputError
from virshort.files import read_json

RECORD = "weights.json"


class WeightsRecord(TypedDict):
    """weights.json. published: name -> SHA-256 of each published file; unchecked: names of those without a checksum known
    beforehand; stored: name -> bytes and SHA-256 of each file in the folder; digest: of the published files."""

    encoder: str
    repo: str
    revision: str
    published: dict[str, str]
    unchecked: list[str]
    stored: dict[str, tuple[int, str]]
    digest: str


@dataclass(frozen=True)
class Weights:
    """A folder ready for loading. digest: of the published files it was made from; revision: their commit, or local; checked:
    every file had a checksum to compare with."""

    encoder: str
    folder: Path
    digest: str
    revision: str
    checked: bool


def open_weights(folder: Path, encoder: str) -> Weights:
    """The fetched weights of an encoder in `folder/<encoder>`, checked by record and sizes only: checksums were compared when
    the weights were fetched, and hashing gigabytes again would cost every task seconds. Raises InputError naming the file that
    is missing or truncated."""
    at = folder / encoder
    record = read_record(at, encoder)
    for name, (size, _) in record["stored"].items():
        path = at / name
        if not path.is_file() or path.stat().st_size != size:
            raise InputError(
                f"{path}: {path.stat().st_size if path.is_file() else 'no'} bytes instead of {size}: "
                "delete the folder and fetch the weights again"
            )
    return Weights(encoder, at, record["digest"], record["revision"], not record["unchecked"])


def read_record(folder: Path, encoder: str) -> WeightsRecord:
    """The content of weights.json. Raises InputError if it is missing, damaged or about another encoder."""
    path = folder / RECORD
    try:
        record = read_json(path)
        if record["encoder"] != encoder:
            raise InputError(f"{path}: these are the weights of {record['encoder']}, not of {encoder}: rename the folder")
        missing = WeightsRecord.__required_keys__ - {"repo"} - record.keys()
        if missing:
            raise KeyError(*missing)
    except FileNotFoundError as e:
        raise InputError(f"{folder}: no {RECORD}, so no fetched weights of {encoder}: run bin/fetch_weights.py") from e
    except (json.JSONDecodeError, KeyError, TypeError) as e:
        raise InputError(f"{path}: damaged: delete the folder and fetch the weights again") from e
    return record
