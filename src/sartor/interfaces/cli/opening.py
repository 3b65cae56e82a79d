"""Opening a user's database from the command line, and showing what goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

import sartor
from sartor.core.errors import DatabaseUnavailable
from sartor.interfaces.connection import Connection


@contextmanager
def opened(path: Path, *, read_only: bool = False) -> Iterator[Connection]:
    """An existing database file, closed at the end of the block.

    Raises:
        DatabaseUnavailable: with one line that says what to do, for a file that is missing, not a database, of a newer
            format, locked by another process, or not permitted.
    """
    if not path.exists():
        raise DatabaseUnavailable(f"{path} does not exist; give the path of a DuckDB file")
    if path.is_dir():
        raise DatabaseUnavailable(f"{path} is a directory; give the path of a DuckDB file")
    try:
        connection = sartor.connect(path, read_only=read_only)
    except duckdb.Error as error:
        raise DatabaseUnavailable(_advice(path, str(error))) from None
    with connection:
        yield connection


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """A progress bar on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda text, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda text, share: bar.update(task, description=text, completed=share)


def show(value: Any, as_json: bool) -> None:
    """Print a report, for people or for programs."""
    if as_json:
        print(json.dumps(value.to_dict() if hasattr(value, "to_dict") else value, indent=1, default=str))
    else:
        print(value)


def _advice(path: Path, message: str) -> str:
    lowered = message.lower()
    if "lock" in lowered:
        return f"{path} is in use by another process; close it there, then try again"
    if "newer" in lowered or "version" in lowered:
        return f"{path} was written by a newer DuckDB; install the version that wrote it, then try again"
    if "permission" in lowered:
        return f"{path} may not be opened; ask for read and write permission on it"
    if "not a valid" in lowered or "magic" in lowered:
        return f"{path} is not a DuckDB database; give the path of a DuckDB file"
    return f"{path} can not be opened: {message.partition(chr(10))[0]}"
