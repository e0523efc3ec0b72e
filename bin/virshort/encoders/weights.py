"""A language model's weights on disk: what was fetched, by which record, and whether it is whole.

fetching.py puts them there; its record, weights.json, is written last, so that a folder without it is not used.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from virshort.encoders.published import LOCAL, Pin, published
from virshort.errors import InputError
from virshort.files import read_json

RECORD = "weights.json"


@dataclass(frozen=True)
class Weights:
    """A folder ready for loading. digest: of the published files it was made from; revision: their commit, or local;
    pinned: that commit is ours, and every file had a checksum to be checked against."""

    encoder: str
    folder: Path
    digest: str
    revision: str
    pinned: bool


def open_weights(folder: Path, encoder: str) -> Weights:
    """The fetched weights of an encoder in `folder/<encoder>`, checked by record and sizes: checksums were compared on
    fetching, and hashing gigabytes again would cost every task seconds. Raises InputError naming what is missing or cut
    short."""
    model, at = published(encoder), folder / encoder
    record = read_record(at, encoder)
    for name, (size, _) in record["stored"].items():
        path = at / name
        if not path.is_file() or path.stat().st_size != size:
            raise InputError(
                f"{path}: {path.stat().st_size if path.is_file() else 'no'} bytes instead of {size}: "
                "delete the folder and fetch the weights anew"
            )
    pinned = record["revision"] == model.revision and not record["unchecked"]
    return Weights(encoder, at, record["digest"], record["revision"], pinned)


def verify(folder: Path, encoder: str) -> Weights:
    """As `open_weights`, and every file by its checksum. Raises InputError naming the first that differs."""
    weights = open_weights(folder, encoder)
    for name, pin in read_record(weights.folder, encoder)["stored"].items():
        check_file(weights.folder / name, tuple(pin))
    return weights


def read_record(folder: Path, encoder: str) -> dict[str, Any]:
    """What weights.json says: encoder, repo, revision, published (name -> SHA-256), unchecked (names), stored (name ->
    bytes and SHA-256) and digest. Raises InputError where it is missing, damaged or another encoder's."""
    path = folder / RECORD
    try:
        record = read_json(path)
        if record["encoder"] != encoder:
            raise InputError(f"{path}: weights of {record['encoder']} in the place of {encoder}'s")
        missing = {"stored", "published", "unchecked", "digest", "revision"} - record.keys()
        if missing:
            raise KeyError(*missing)
    except FileNotFoundError as e:
        raise InputError(f"{folder}: no {RECORD}, so no fetched weights of {encoder}: run bin/fetch_weights.py") from e
    except (json.JSONDecodeError, KeyError, TypeError) as e:
        raise InputError(f"{path}: damaged: delete the folder and fetch the weights anew") from e
    return record


def check_file(path: Path, pin: Pin, etag: str | None = None) -> str:
    """The file's SHA-256, if it is as pinned, or else as the hub's ETag says (SHA-256 of large files, git's SHA-1 of
    small ones). Raises InputError otherwise."""
    size, found = path.stat().st_size, sha256_of(path)
    if (pin[1] and found != pin[1]) or (pin[0] is not None and size != pin[0]):
        raise differs(path, pin, size, found)
    if not pin[1] and etag and len(etag) == 64 and found != etag:
        raise differs(path, (pin[0], etag), size, found)
    if not pin[1] and etag and len(etag) == 40 and _git_sha1(path) != etag:
        raise differs(path, (pin[0], f"(git) {etag}"), size, f"(git) {_git_sha1(path)}")
    return found


def differs(path: Path, pin: Pin, size: int | None, found: str) -> InputError:
    """The error of a file that is not as pinned, with both checksums."""
    sizes = f", {pin[0]} bytes expected, {size} found" if pin[0] is not None and size not in (None, pin[0]) else ""
    return InputError(
        f"{path}: not the published file: sha256 {pin[1] or 'not known'} expected, {found} found{sizes}: "
        f"fetch it anew, or vouch for it yourself by revision {LOCAL}"
    )


def sha256_of(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def _git_sha1(path: Path) -> str:
    h = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    h.update(path.read_bytes())
    return h.hexdigest()
