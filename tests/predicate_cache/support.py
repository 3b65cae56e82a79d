"""A database whose conditions are remembered at once, and what its statements were answered with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import sartor
from sartor.components.predicate_cache import estimate
from sartor.interfaces import call, predicates
from sartor.interfaces.connection import Connection, session_of
from sartor.interfaces.predicates import Predicates
from sartor.interfaces.remembered import Entry

ROWS = 40_000
SCHEMA = f"""
CREATE TABLE facts AS SELECT i AS id, (i // 1000)::INTEGER AS batch, (hash(i) % 1000)::INTEGER AS r, 'x' || (i // 1000) || 'y' AS s,
    DATE '2024-01-01' + (i // 500)::INTEGER AS d, (i % 700 / 7)::DECIMAL(9, 2) AS m, i / 3 AS f, (i // 10000)::INTEGER AS region
    FROM range({ROWS}) r(i);
CREATE TABLE dims AS SELECT i::INTEGER AS batch, (i % 8)::INTEGER AS g, 'n' || i AS name FROM range(40) r(i);
CREATE TABLE regions AS SELECT i::INTEGER AS region, 'r' || i AS label FROM range(4) r(i);
CREATE VIEW seen AS SELECT * FROM facts;
"""


@contextmanager
def everything_is_remembered() -> Iterator[None]:
    """However short a statement, however much its ranges leave in, and however it turns out."""
    with ExitStack() as patches:
        for module, name, value in (
            (call, "PREDICATE_SECONDS", 0.0),
            (estimate, "PREDICATE_SHARE", 1.0),
            (predicates, "PREDICATE_RETRY", 0.0),
        ):
            patches.enter_context(mock.patch.object(module, name, replace(getattr(module, name), default=value)))
        patches.enter_context(mock.patch.object(Entry, "served", _served))
        yield


def _served(self: Entry, seconds: float, *, is_own: bool) -> bool:
    self.uses += 1
    return False


def opened(path: Path | str = ":memory:", **options: Any) -> Connection:
    """A connection to a new database."""
    connection = sartor.connect(path, config={"threads": 1}, predicate_cache=True, **options)
    for statement in SCHEMA.split(";"):
        if statement.strip():
            connection.execute(statement)
    return connection


def cache(connection: Connection) -> Predicates:
    return session_of(connection).database.predicates


def entries(connection: Connection) -> list[Entry]:
    """All that is remembered."""
    return list(cache(connection).store)


def ask(connection: Connection, text: str, parameters: Any = None, times: int = 3) -> list[tuple[Any, ...]]:
    """The answer, which is plain DuckDB's however often it is asked; what can be remembered is, before it is asked again."""
    for _ in range(times):
        given = connection.execute(text, parameters).fetchall()
        assert given == plain(connection, text, parameters), text
        cache(connection).wait()
    return given


def plain(connection: Connection, text: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """The answer of plain DuckDB from the same connection, in the transaction that it is in."""
    database = session_of(connection).database
    mode, database.mode = database.mode, "off"
    try:
        return connection.execute(text, parameters).fetchall()
    finally:
        database.mode = mode


def ranged(connection: Connection, text: str, parameters: Any = None) -> bool:
    """Whether a statement is run with remembered row ids, the answer being plain DuckDB's."""
    given = connection.execute(text, parameters).fetchall()
    session = session_of(connection)
    found = session.pending is not None and session.pending.ranged is not None
    assert given == plain(connection, text, parameters), text
    return found
