"""A database with a table whose rows are held in memory, and what its statements were answered by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sartor
from sartor.components.point_lookup.apply import held_columns
from sartor.core.derived import DerivedObject
from sartor.core.table import Column, TableName
from sartor.interfaces.connection import Connection, session_of

COLUMNS = (Column("k", "INTEGER"), Column("s", "VARCHAR"), Column("m", "DECIMAL(9,2)"), Column("d", "DATE"))
_ROWS = "(1, 'a', 1.50, DATE '2024-01-01'), (2, NULL, NULL, NULL), (NULL, 'n', 0, DATE '2024-01-03'), (1, 'b', -3, DATE '0001-01-01')"


def opened(path: Path | str = ":memory:") -> Connection:
    """A connection to a database with the table `t` of a few rows."""
    connection = sartor.connect(path, config={"threads": 1}, keep_results=False)
    connection.execute("CREATE TABLE t (" + ", ".join(f"{one.name} {one.type}" for one in COLUMNS) + ")")
    connection.execute(f"INSERT INTO t VALUES {_ROWS}")
    return connection


def hold(connection: Connection, key: str = "k", columns: Sequence[Column] = COLUMNS) -> DerivedObject:
    """Hold columns of `t` by a key, in force."""
    database = session_of(connection).database
    return database.install(held_columns(TableName(database.engine().database, "main", "t"), key, tuple(columns)))


def ask(connection: Connection, text: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """The answer, which is the same however often it is asked; asked often enough that it is looked up if it can be."""
    answers = [connection.execute(text, parameters).fetchall() for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    return answers[-1]


def looked_up(connection: Connection) -> bool:
    """Whether the last statement was answered from memory."""
    session = session_of(connection)
    used = session.pending.alternative if session.pending is not None else ()
    objects = session.database.design.objects
    return any(identifier in objects and objects[identifier].action.in_memory for identifier in used)


def held(connection: Connection) -> DerivedObject:
    """The only object in force."""
    (derived,) = session_of(connection).database.design.objects.values()
    return derived
