"""Opening a database file so that nobody in this process writes it unseen, and nobody's lock is lost.

DuckDB holds its lock on the file as a POSIX lock, which a process loses as soon as it closes any descriptor of the file. So
the one descriptor that Sartor reads through is opened here and never closed, and no other code opens the file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sartor.freshness.identity import HeldDescriptor, hold

# A value that nobody else gives: a plain duckdb.connect to the same file then fails with DuckDB's own clear error instead of
# sharing the instance unseen.
_PRIVATE = {"custom_user_agent": "sartor"}


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database.

    Attributes:
        key: what makes two connects to one file the same database; empty for a database in memory.
        connection: a new plain connection to it.
        folder: where what was observed is kept, beside the file; None for a database in memory.
        held: the descriptor that Sartor reads the file through; None for a database in memory.
        plain: why everything runs plain; empty if it does not.
    """

    key: str
    connection: duckdb.DuckDBPyConnection
    path: Path | None
    folder: Path | None
    held: HeldDescriptor | None
    read_only: bool
    shared: bool
    plain: str = ""


def open_plain(database: str | os.PathLike[str], read_only: bool, config: dict[str, Any] | None, *, shared: bool) -> Opened:
    """Open as `duckdb.connect` does and raise what it raises."""
    name = os.fspath(database)
    settings = dict(config or {})
    if not _is_file(name):
        connection = duckdb.connect(name or ":memory:", read_only, settings)
        plain = "" if name in ("", ":memory:") else "only local files and databases in memory are served"
        return Opened("", connection, None, None, None, read_only, shared, plain)
    if not shared:
        settings.setdefault("custom_user_agent", _PRIVATE["custom_user_agent"])
    path = Path(name).absolute()
    held = hold(path) if path.exists() else None
    connection = duckdb.connect(name, read_only, settings)
    held = held or hold(path)
    if held is None:
        return Opened("", connection, path, None, None, read_only, shared, "the file can not be read beside DuckDB")
    plain = "the file has more than one hard link, so it may be written unseen" if held.links() > 1 else ""
    folder = path.with_name(path.name + ".sartor")
    return Opened(
        str(path.resolve()),
        connection,
        path,
        folder,
        held,
        read_only,
        shared,
        plain=plain,
    )


def _is_file(name: str) -> bool:
    return bool(name) and not name.startswith(":memory:") and "://" not in name and not name.startswith("md:")
