"""A database with layouts installed by hand, and what its statements were answered from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sartor
from sartor.components.layouts import LAYOUTS, cells, truth_bits
from sartor.components.layouts.conditions import Bit, conditions
from sartor.components.layouts.estimate import estimate
from sartor.core.action import Action, Estimate
from sartor.core.derived import DerivedObject
from sartor.core.table import TableName
from sartor.interfaces.connection import Connection, session_of
from sartor.interfaces.tailoring import _knowing
from sartor.interfaces.writing import own_write
from sartor.sql.analyse import analyse

ROWS = 400_000
SCHEMA = f"""
CREATE TABLE facts AS SELECT i AS id, (hash(i) % 1000)::INTEGER AS r, (hash(i + 1) % 1000)::INTEGER AS q,
    CASE WHEN hash(i + 2) % 50 = 0 THEN NULL
        WHEN hash(i + 3) % 100 = 0 THEN 'an error ' || (i % 7) ELSE 'fine ' || (i % 90) END AS note,
    DATE '2024-01-01' + (hash(i + 4) % 600)::INTEGER AS d, ((hash(i + 5) % 100000) / 100)::DECIMAL(9, 2) AS m,
    (hash(i + 6) % 7) / 2 AS f, (i % 40)::SMALLINT AS dim FROM range({ROWS}) r(i);
CREATE TABLE dims AS SELECT i::SMALLINT AS dim, 'n' || (i % 4) AS name FROM range(30) r(i);
CREATE TABLE nothing AS FROM facts LIMIT 0;
"""


def opened(path: Path | str = ":memory:", **options: Any) -> Connection:
    """A connection to a new database with the tables of SCHEMA."""
    connection = sartor.connect(path, config={"threads": 1}, layouts=True, **options)
    for statement in SCHEMA.split(";"):
        if statement.strip():
            connection.execute(statement)
    return connection


def bits_of(connection: Connection, *asked: str, table: str = "facts") -> tuple[Bit, ...]:
    """Conditions as layouts store them; each has to be one that may be stored."""
    database = session_of(connection).database
    found = []
    with database.engine_lock:
        for condition in asked:
            (one,) = conditions(analyse(f"SELECT count(*) FROM {table} WHERE {condition}", database.catalog()), 0)
            found.append(one.example)
    return tuple(found)


def action(connection: Connection, *conditions: str, table: str = "facts", then: tuple[str, ...] = ()) -> Action:
    """The layout of a whole table by these conditions."""
    database = session_of(connection).database
    bits = bits_of(connection, *conditions, table=table)
    with database.engine_lock:
        info = database.catalog().resolve((table,))
    assert info is not None
    assert isinstance(info.source, TableName)
    return truth_bits.truth_bits(info.source, info.columns, bits, then, frozenset())


def install(connection: Connection, *conditions: str, table: str = "facts", then: tuple[str, ...] = ()) -> DerivedObject:
    """A layout of a whole table by these conditions, put in force without a trial."""
    return session_of(connection).database.install(action(connection, *conditions, table=table, then=then))


def plain(connection: Connection, text: str, parameters: Any = None) -> tuple[Any, list[tuple[Any, ...]]]:
    """Names, types and rows as plain DuckDB gives them on the same connection, in the transaction that it is in."""
    database = session_of(connection).database
    mode, database.mode = database.mode, "off"
    try:
        return _answer(connection, text, parameters)
    finally:
        database.mode = mode


def served(connection: Connection, text: str, parameters: Any = None, times: int = 2) -> bool:
    """Whether a statement is answered from a layout when it is asked again; the answer is plain DuckDB's each time."""
    for _ in range(times):
        given = _answer(connection, text, parameters)
        pending = session_of(connection).pending
        found = pending is not None and bool(pending.alternative)
        assert given == plain(connection, text, parameters), text
    return found


def _answer(connection: Connection, text: str, parameters: Any) -> tuple[Any, list[tuple[Any, ...]]]:
    connection.execute(text, parameters)
    described = [column[:2] for column in connection.description]
    return described, connection.fetchall()


def install_cells(connection: Connection, kind: str, *dimensions: str, table: str = "facts", parts: int = 4) -> DerivedObject:
    """A layout of a whole table by cells, put in force without a trial; of a grid each column that is cut is, in so many parts."""
    database = session_of(connection).database
    with database.engine_lock:
        info = database.catalog().resolve((table,))
    assert info is not None
    assert isinstance(info.source, TableName)
    if kind == cells.GRID:
        cut = (parts,) * (len(dimensions) - 1)
        return database.install(cells.grid(info.source, info.columns, dimensions, cut, frozenset()))
    if kind == cells.OUTLIERS:
        first, second = dimensions
        return database.install(cells.apart(info.source, info.columns, (first, second), info.rows, frozenset()))
    return database.install(cells.curve(kind, info.source, info.columns, dimensions, frozenset()))


def proposed(connection: Connection, wanted: Callable[[Action], bool]) -> tuple[list[Action], list[Estimate]]:
    """The layouts of some kind that are proposed for what was asked, and what `estimate` makes of them."""
    database = session_of(connection).database
    database.observer.take_in()
    with database.engine_lock, own_write(database):
        workload, catalog = _knowing(database, database.design)
        actions = [action for action in LAYOUTS.propose(workload, catalog) if wanted(action)]
        return actions, estimate(actions, workload, catalog, database.engine())
