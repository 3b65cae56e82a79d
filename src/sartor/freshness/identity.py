"""The file's identity, read through one descriptor that is never closed.

Closing any descriptor of a file drops this process's POSIX locks on it, and DuckDB's lock is one. So each file, told by its
device and inode, is opened once in the life of the process and read with `pread` only.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

_HEADER_BYTES = 4096  # DuckDB's main header and its two database headers take 4096 bytes each, in this order
_HELD: dict[tuple[int, int], HeldDescriptor] = {}
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class HeldDescriptor:
    """A file that is held open for reading for as long as the process lives."""

    path: Path
    descriptor: int

    def header(self) -> bytes:
        """The newer of the two database headers; its second word is the iteration, which moves with each checkpoint."""
        pages = os.pread(self.descriptor, 2 * _HEADER_BYTES, _HEADER_BYTES)
        first, second = pages[:_HEADER_BYTES], pages[_HEADER_BYTES:]
        return max(first, second, key=_iteration)

    def pair(self) -> tuple[int, int]:
        """The size of the write-ahead log (-1: none) and the header iteration: every commit moves one of them."""
        try:
            size = os.stat(f"{self.path}.wal").st_size
        except OSError:
            size = -1
        words = os.pread(self.descriptor, _HEADER_BYTES + 16, _HEADER_BYTES)
        return size, max(_iteration(words), _iteration(words[_HEADER_BYTES:]))

    def links(self) -> int:
        return os.fstat(self.descriptor).st_nlink


def hold(path: Path) -> HeldDescriptor | None:
    """The held descriptor of a file, opened if no earlier one is; None if the file can not be read.

    A path that leads to a file that is already held never opens it again.
    """
    with _LOCK:
        try:
            status = os.stat(path)
            held = _HELD.get((status.st_dev, status.st_ino))
            if held is None:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                held = HeldDescriptor(path.resolve(), descriptor)
                _HELD[status.st_dev, status.st_ino] = held
            return held
        except OSError:
            return None


def _iteration(header: bytes) -> int:
    return int.from_bytes(header[8:16], "little")
