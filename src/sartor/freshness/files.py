"""What identifies the local files behind a file scan, and what is remembered of a scan that was copied."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import PurePath
from time import time

from sartor.core.constants import FILE_CLOCK_SECONDS
from sartor.core.derived import DerivedObject
from sartor.core.table import Column, FileScan, TableInfo

Identity = tuple[tuple[str, int, int, int], ...]
_MAGIC = frozenset("*?[")


def identity(scan: FileScan) -> Identity | None:
    """Path, size, mtime in nanoseconds and inode of every file that a scan may read, in order; None if there is none.

    A pattern is read widely: more files than DuckDB reads do no harm, one less would. Never raises: a file that cannot be asked
    makes the scan unidentified, and what was built from it unused.
    """
    try:
        paths = sorted(_matching(PurePath(scan.pattern))) if not _MAGIC.isdisjoint(scan.pattern) else [scan.pattern]
        statuses = [(path, os.stat(path)) for path in paths]
    except OSError:
        return None
    return tuple((path, status.st_size, status.st_mtime_ns, status.st_ino) for path, status in statuses) or None


def is_current(scan: FileScan, stamped: Identity) -> bool:
    """Whether the files are exactly those that were read when the stamp was taken."""
    return bool(stamped) and identity(scan) == stamped


def is_settled(files: Identity) -> bool:
    """Whether the files are old enough that a change from now on must show in their times, whatever the file system's clock."""
    newest = max(time_ns for _, _, time_ns, _ in files)
    return time() - newest / 1e9 > FILE_CLOCK_SECONDS.default


def known_scans(objects: Iterable[DerivedObject]) -> Mapping[FileScan, TableInfo]:
    """What is known of the scans that objects were built from; it holds while their files are the same."""
    found = {}
    for derived in objects:
        action = derived.action
        for source, schema, coverage in zip(action.sources, action.schemas, derived.coverages, strict=True):
            if isinstance(source, FileScan) and schema:
                found[source] = TableInfo(source, tuple(Column(*column) for column in schema), coverage.rows)
    return found


def _matching(pattern: PurePath) -> Iterator[str]:
    """All entries that a pattern may name. Brackets count as any one text, hidden files are not left out."""
    folders = [pattern.anchor]
    parts = pattern.parts[1:] if pattern.anchor else pattern.parts
    for place, part in enumerate(parts):
        if part == "**":
            raise OSError("a pattern over folders of any depth is not followed")
        if _MAGIC.isdisjoint(part):
            folders = [os.path.join(folder, part) for folder in folders]
            continue
        wide = part.partition("[")[0] + ("*" if "[" in part else "")
        found = []
        for folder in folders:
            with os.scandir(folder or ".") as entries:
                found += [
                    os.path.join(folder, entry.name)
                    for entry in entries
                    if fnmatchcase(entry.name, wide) and (place == len(parts) - 1 or entry.is_dir())
                ]
        folders = found
    yield from folders
