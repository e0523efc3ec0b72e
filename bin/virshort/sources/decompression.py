"""Files of sequences, opened by their content, whatever their names say."""

import io
import lzma
import zlib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from xopen import xopen

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MAGIC = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zst"}
"""First bytes of compressed files -> xopen's name of the format."""
DAMAGED = (
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    *(import_module(name).error for name in ("isal.isal_zlib", "zlib_ng.zlib_ng") if find_spec(name.split(".")[0])),
)
"""What reading from xopen raises for a damaged file; this depends on the decompressors that are installed."""


def open_decompressed(path: Path) -> io.BufferedReader:
    """Open a file that is plain or compressed. xopen itself would trust the ending of its name."""
    with path.open("rb") as f:
        start = f.read(max(map(len, _MAGIC)))
    compression = next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)
    if compression is None:
        return path.open("rb")
    # Without a thread of its own, since tasks that read have one core. xopen declares a BinaryIO, but BufferedReader needs only
    # its readinto.
    return io.BufferedReader(cast(io.RawIOBase, xopen(str(path), "rb", threads=0, format=compression)))
