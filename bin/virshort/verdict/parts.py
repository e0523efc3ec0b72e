"""Whether the files of a results folder belong to the comparison beside them.

A run that fails, or that runs fewer arms than the one before it, can leave files of two runs in one folder. So
comparison.json records a digest of everything that it was computed from, and whoever reads the folder checks it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from virshort.errors import InputError
from virshort.files import content_digest, digest

NOVELTY = "novelty.parquet"
"""How new each short test window is, in evaluation/."""
PATTERNS = {
    "models": ("models/*/fold_*/replicate_*/model.json", "models/*/fold_*/replicate_*/history.json"),
    "evaluation": ("evaluation/*/*/metrics.json", f"evaluation/{NOVELTY}"),
    "leakage": ("leakage.json", "pipeline_info/leakage.json"),
}
"""The files of each part, relative to the results folder."""
NAMES = {"models": "models/", "evaluation": "evaluation/", "leakage": "leakage.json"}


def digest_parts(folder: Path, leakage: Path | None = None) -> dict[str, str]:
    """A digest of each part that a results folder holds; a part without files is left out.

    The digest covers the relative paths and the contents of the files, in the order of their paths. `leakage`: the file
    leakage.json, if it is not in the folder.
    """
    found = {}
    for part, patterns in PATTERNS.items():
        files = {p.relative_to(folder).as_posix(): p for pattern in patterns for p in folder.glob(pattern)}
        if part == "leakage":  # a single file, which may lie elsewhere
            files = {NAMES[part]: leakage or next(iter(files.values()))} if leakage or files else {}
        if files:
            found[part] = digest(*(text for name in sorted(files) for text in (name, content_digest(files[name]))))
    return found


def check_parts(folder: Path, comparison: Mapping[str, Any]) -> None:
    """Raise InputError unless the parts in `folder` are those that `comparison` (comparison.json) was computed from.

    A part that the folder does not hold at all cannot be mixed up and is not missed.
    """
    recorded = comparison.get("parts")
    if recorded is None:
        raise InputError(
            f"{folder}/comparison.json: does not record which files it was computed from, because an earlier version of "
            "virshort wrote it: run the pipeline again with -resume"
        )
    for part, value in digest_parts(folder).items():
        if recorded.get(part) != value:
            raise InputError(
                f"{folder}/{NAMES[part]}: is not what comparison.json was computed from, so this folder holds files of "
                "two runs: run the pipeline again with a new --outdir"
            )
