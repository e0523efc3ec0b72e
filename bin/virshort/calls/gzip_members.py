"""Gzip files as a series of members of a fixed size, which any program reads as one file.

The bytes of the file depend only on what is written, not on the portions in which it is written or on the number of threads.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from isal import igzip

from virshort.files import whole

SIZE = 1 << 20
"""Bytes in a member."""
LEVEL = 1


class GzipWriter:
    """Compresses what is written, a member at a time, on a pool of threads."""

    def __init__(self, file: BinaryIO, pool: ThreadPoolExecutor, threads: int):
        self._file, self._pool, self._ahead = file, pool, 2 * threads
        self._rest = bytearray()
        self._pending: deque[Future[bytes]] = deque()
        self._empty = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes to the file."""
        self._rest += data
        whole_members = len(self._rest) // SIZE * SIZE
        for start in range(0, whole_members, SIZE):
            self._compress(bytes(self._rest[start : start + SIZE]))
        del self._rest[:whole_members]

    def close(self) -> None:
        """Write what is left. An empty file has one empty member, so that it is gzip too."""
        if self._rest or self._empty:
            self._compress(bytes(self._rest))
        while self._pending:
            self._file.write(self._pending.popleft().result())

    def _compress(self, member: bytes) -> None:
        self._empty = False
        self._pending.append(self._pool.submit(igzip.compress, member, LEVEL, mtime=0))
        while len(self._pending) > self._ahead:
            self._file.write(self._pending.popleft().result())


@contextmanager
def gzip_writer(path: Path, threads: int) -> Iterator[GzipWriter]:
    """A writer of a file that appears whole or not at all."""
    with whole(path) as temporary, temporary.open("wb") as file, ThreadPoolExecutor(threads) as pool:
        writer = GzipWriter(file, pool, threads)
        yield writer
        writer.close()
