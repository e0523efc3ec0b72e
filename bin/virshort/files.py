"""Files that are written completely or not at all, and digests of their content."""

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from virshort.errors import InputError


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`. It is renamed to `path` only if the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")  # process ids repeat between nodes and containers
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as JSON. Raises ValueError for NaN: an unknown number is written as null."""
    with whole(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """The content of a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def content_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def damaged(path: Path, why: object) -> InputError:
    """The error to raise for a file of an earlier step that cannot be read. It names the folder of the task that wrote it."""
    real = path.resolve()
    task = next((p for p in real.parents if (p / ".command.sh").exists()), real.parent)
    return InputError(f"{path.name}: damaged or truncated ({why}): delete {task} and run again with -resume")


def digest(*parts: bytes | str) -> str:
    """The first 16 hex digits of the SHA-256 of some parts. Each part is preceded by its length, so ("ab", "c") and ("a", "bc")
    differ."""
    h = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        h.update(len(raw).to_bytes(8, "little"))
        h.update(raw)
    return h.hexdigest()[:16]
