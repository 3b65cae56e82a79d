"""What identifies the local files behind a file scan."""

from __future__ import annotations

import glob
import os

from sartor.core.table import FileScan

Identity = tuple[tuple[str, int, int, int], ...]


def identity(scan: FileScan) -> Identity | None:
    """Path, size, mtime in nanoseconds and inode of every file that a scan reads, in order; None if there is none.

    Never raises: a file that cannot be asked makes the scan unidentified, and what was built from it unused.
    """
    paths = sorted(glob.glob(scan.pattern, recursive=True)) if glob.has_magic(scan.pattern) else [scan.pattern]
    found = []
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            return None
        found.append((path, status.st_size, status.st_mtime_ns, status.st_ino))
    return tuple(found) or None


def is_current(scan: FileScan, stamped: Identity) -> bool:
    """Whether the files are exactly those that were read when the stamp was taken."""
    return bool(stamped) and identity(scan) == stamped
