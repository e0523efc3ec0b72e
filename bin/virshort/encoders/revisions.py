"""Which revision of each language model a run uses: the pinned one, another commit, or the user's own files."""

from collections.abc import Mapping

from virshort.encoders.checksums import LOCAL
from virshort.encoders.rows import Row
from virshort.errors import InputError


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
