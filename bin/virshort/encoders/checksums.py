"""Whether a file is the published one: by its size and SHA-256, or by the checksum that the hub states."""

import hashlib
from pathlib import Path

from virshort.errors import InputError
from virshort.files import content_digest

LOCAL = "local"
"""The revision of files that the user vouches for: they are taken from a folder as they are, and their checksums recorded."""

Pin = tuple[int | None, str | None]
"""Bytes and SHA-256 of a file, each None if it is not known beforehand."""
UNPINNED: Pin = (None, None)
"""Nothing is known beforehand; the hub's own statement decides."""


def check_file(path: Path, pin: Pin, etag: str | None = None) -> str:
    """The file's SHA-256, provided that it is the pinned one or else agrees with the hub's ETag (SHA-256 of large files, git's
    SHA-1 of small ones). Raises InputError otherwise."""
    size, found = path.stat().st_size, content_digest(path)
    if (pin[1] and found != pin[1]) or (pin[0] is not None and size != pin[0]):
        raise not_published(path, pin, size, found)
    if not pin[1] and etag and len(etag) == 64 and found != etag:
        raise not_published(path, (pin[0], etag), size, found)
    if not pin[1] and etag and len(etag) == 40 and _git_sha1(path) != etag:
        raise not_published(path, (pin[0], f"(git) {etag}"), size, f"(git) {_git_sha1(path)}")
    return found


def not_published(path: Path, pin: Pin, size: int | None, found: str) -> InputError:
    """The error for a file that is not the pinned one, with both checksums."""
    sizes = f", {pin[0]} bytes expected, {size} found" if pin[0] is not None and size not in (None, pin[0]) else ""
    return InputError(
        f"{path}: not the published file: sha256 {pin[1] or 'unknown'} expected, {found} found{sizes}: "
        f"fetch it again, or vouch for it yourself with the revision {LOCAL}"
    )


def _git_sha1(path: Path) -> str:
    h = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    h.update(path.read_bytes())
    return h.hexdigest()
