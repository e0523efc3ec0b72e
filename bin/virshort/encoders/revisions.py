"""Which revision of each language model a run fetches: the pinned one, another commit, or the user's own files."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from virshort.encoders.catalogue import Catalogue, entry_of
from virshort.encoders.checksums import LOCAL
from virshort.encoders.rows import Row
from virshort.errors import InputError


@dataclass(frozen=True)
class PlannedWeights:
    """What to fetch of a language model. row: its row of encoders.yaml, completed."""

    revision: str
    row: dict[str, Any]


def planned_weights(encoders: Collection[str], catalogue: Catalogue, revisions: str | None) -> dict[str, PlannedWeights]:
    """What to fetch for some encoders. revisions: `local`, or ENCODER=REVISION, comma-separated; None for the pinned ones.

    Raises InputError for revisions that do not fit their language models."""
    rows = {row.name: row for row in (entry_of(name, catalogue).row for name in encoders) if row}
    chosen = choose_revisions(rows, revisions)
    return {name: PlannedWeights(chosen[name], rows[name].keys) for name in sorted(rows)}


def choose_revisions(rows: Mapping[str, Row], asked: str | None) -> dict[str, str]:
    """The revision of each language model of a run, by name: the pinned one, unless another is asked for. A model whose row
    names a folder is local.

    asked: `local` for all, or ENCODER=REVISION, comma-separated. Raises InputError for a model without a revision, and for a
    revision of a model that the run does not use."""
    wanted = sorted(rows)
    named: dict[str, str] = {}
    for part in asked.split(",") if asked and asked != LOCAL else []:
        encoder, _, revision = part.partition("=")
        if encoder not in wanted or not revision or rows[encoder].published.folder:
            usable = ", ".join(name for name in wanted if not rows[name].published.folder)
            raise InputError(
                f"--weights_revision {part}: must be {LOCAL}, or ENCODER=REVISION of a language model that this run uses "
                f"({usable or 'it uses none'})"
            )
        named[encoder] = revision
    chosen = {name: LOCAL if asked == LOCAL else named.get(name) or rows[name].published.revision for name in wanted}
    for name, revision in chosen.items():
        if not revision:
            raise InputError(
                f"{name}: no commit of {rows[name].published.repo} is pinned: name the one you want by "
                f"--weights_revision {name}=COMMIT"
            )
    return chosen
