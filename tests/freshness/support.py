"""A database with a hand-made sorted copy, and ways to tell how a statement was answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

import sartor
from sartor.components.sort_keys.apply import sorted_copy
from sartor.core.derived import DerivedObject
from sartor.core.table import TableName
from sartor.freshness.usable import Use
from sartor.interfaces.connection import session_of
from sartor.interfaces.database import Database

ROWS = 300_000
LOOK_UP = "SELECT a, b FROM t WHERE b = 7"
COUNT = "SELECT count(*), sum(a) FROM t WHERE b BETWEEN 5 AND 9"


def opened(path: str | Path = ":memory:", rows: int = ROWS, **options: Any) -> Any:
    """A table t(a, b) of that many rows with a copy sorted by b, in force."""
    connection = sartor.connect(path, **options)
    connection.execute(f"CREATE TABLE t AS SELECT range AS a, (hash(range) % 1000)::INTEGER AS b FROM range({rows})")
    copy_of(connection)
    return connection


def copy_of(connection: Any) -> DerivedObject:
    database = database_of(connection)
    name = TableName(database.engine().database, "main", "t")
    return database.install(sorted_copy(name, ("a", "b"), ("b",), frozenset()))


def database_of(connection: Any) -> Database:
    return session_of(connection).database


def ask(connection: Any, text: str = COUNT) -> tuple[list[Any], tuple[Use, ...]]:
    """The rows of a statement, and how derived objects were used for it: nothing if it ran plain."""
    connection.execute(text)
    pending = session_of(connection).pending
    return connection.fetchall(), pending.how if pending is not None else ()


def plain(connection: Any, text: str = COUNT) -> list[Any]:
    """What plain DuckDB answers on a connection of its own to the same database."""
    cursor = duckdb.DuckDBPyConnection.cursor(connection)
    try:
        return cursor.execute(text).fetchall()
    finally:
        cursor.close()


def warm(connection: Any, *texts: str) -> None:
    """Ask twice, so that the template is analysed and its alternative has run without an error."""
    for text in texts or (COUNT, LOOK_UP):
        ask(connection, text)
        ask(connection, text)
