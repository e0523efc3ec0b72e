"""Whether a model is the one that was written: its record and every file are compared with their digests."""

import json
from hashlib import sha256
from pathlib import Path
from typing import TypedDict

from virshort.errors import InputError
from virshort.files import content_digest, read_json
from virshort.model.record import FORMAT, RECORD, ModelRecord

REMEDY = "copy the model again from the results folder of its run"


class Checked(TypedDict):
    """A model whose files have been compared with their digests. digest: of its record; files: of each, its size in bytes and
    the time of its last change in nanoseconds."""

    digest: str
    files: dict[str, list[int]]


def read_record(folder: Path) -> ModelRecord:
    """model.json. Raises InputError where it is missing, damaged or of another format."""
    path = folder / RECORD
    try:
        record: ModelRecord = read_json(path)
        form, claimed = record["format"], record["digest"]
    except FileNotFoundError as e:
        raise InputError(f"{path}: missing, so {folder} is no model: give the folder model/ of a run's results") from e
    except (OSError, ValueError, LookupError, TypeError) as e:
        raise InputError(f"{path}: damaged, or not the record of a model ({e!r}): {REMEDY}") from e
    if form != FORMAT:
        raise InputError(
            f"{path}: has format {form}, but this version reads format {FORMAT}: use the version that wrote it, or resume the "
            "run that wrote it with this version"
        )
    if record_digest(record) != claimed:
        raise InputError(f"{path}: damaged: it is not what was written: {REMEDY}")
    return record


def record_digest(record: ModelRecord) -> str:
    """SHA-256 of a record without the digest that it holds. As that of each file is in it, it names the whole model."""
    rest = {key: value for key, value in record.items() if key != "digest"}
    return sha256(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def check_files(folder: Path, record: ModelRecord, before: Checked | None = None) -> Checked:
    """Compare the files of a model with their digests.

    before: what an earlier check returned. A file that still has its size and its time is not read again; any other is, since a
    copy has another time. Raises InputError naming the first file that is damaged, missing or none of the model's, and where
    `before` is of another model."""
    if before is not None and before["digest"] != record["digest"]:
        raise InputError(f"{folder}: is another model than at the start of the run: start the run again with -resume")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()} - {RECORD}
    checked: Checked = {"digest": record["digest"], "files": {}}
    for name in sorted(found | record["files"].keys()):
        path = folder / name
        if name not in record["files"]:
            raise InputError(f"{path}: is not a file of this model: remove it")
        if name not in found:
            raise InputError(f"{path}: missing: {REMEDY}")
        status = path.stat()
        now = [status.st_size, status.st_mtime_ns]
        if (before is None or before["files"].get(name) != now) and content_digest(path) != record["files"][name]["sha256"]:
            raise InputError(f"{path}: damaged: its content does not have the digest in {RECORD}: {REMEDY}")
        checked["files"][name] = now
    return checked
