"""Tables in an order that no column has: what the kernels tell of cells is what SQL says, and rows and keys stay together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from sartor.components.layouts import cells
from sartor.components.layouts.curves import HILBERT, Z_ORDER
from sartor.core.action import Action
from sartor.core.ordered import Computed, OrderedQuery
from sartor.core.table import Column, TableName
from sartor.engines.duckdb import computed
from sartor.engines.duckdb import create as module
from sartor.engines.duckdb.engine import DuckDBEngine
from tests.engines.support import COLUMNS, assert_stored, create, filled_table, streaming_whatever_can_be

_HIDDEN = "sartor_key_0"
_ROWS = 20_000
_TEXTS = {"word", "text", "often", "bytes"}


@pytest.fixture(scope="module")
def filled() -> Iterator[Any]:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA sartor")
        filled_table(connection, _ROWS)
        for name, rows in (("none", "LIMIT 0"), ("one", "LIMIT 1"), ("two", "LIMIT 2"), ("nulls", "WHERE small IS NULL")):
            connection.execute(f"CREATE TABLE {name} AS FROM t {rows}")
        connection.execute("CREATE TABLE ties AS SELECT * REPLACE ((i % 2)::UTINYINT AS utiny, 7 AS small) FROM t, range(3) r(i)")
        connection.execute("CREATE TABLE laid AS FROM t ORDER BY small, big")
        yield connection


@pytest.fixture(autouse=True)
def streams(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Streams whatever can be; tells of each try whether it did."""
    return streaming_whatever_can_be(monkeypatch)


def _layout(kind: str, *dimensions: str, table: str = "t") -> Action:
    source, schema = TableName("memory", "main", table), [Column(name, sql_type) for name, (sql_type, _, _) in COLUMNS.items()]
    if kind == cells.GRID:
        return cells.grid(source, schema, dimensions, tuple(range(3, 2 + len(dimensions))), frozenset())
    if kind == cells.OUTLIERS:
        return cells.apart(source, schema, (dimensions[0], dimensions[1]), _ROWS, frozenset())
    return cells.curve(kind, source, schema, dimensions, frozenset())


def _same(connection: Any, query: OrderedQuery) -> None:
    """A table made of a query holds the rows of its SELECT, in its order, and where the key is the same those of the table."""
    assert_stored(connection, create(connection, query), replace(query, then="sartor_row").sql)


@pytest.mark.parametrize("name", COLUMNS)
def test_cells_of_each_type_are_those_that_sql_tells(filled: Any, streams: list[bool], name: str) -> None:
    for kind, dimensions in ((cells.GRID, (name, "whole")), (Z_ORDER, ("double", name)), (HILBERT, ("small", "day", name))):
        query = cells.copy(_layout(kind, *dimensions)).build_query()
        _same(filled, query)
        engine = DuckDBEngine(filled.cursor())
        with module._compact(engine):
            assert query.computed is not None
            assert query.computed.cells is not None
            told = computed._placed(engine, query.computed, query.computed.cells)
        assert (told is None) is (name in _TEXTS or name == "huge")
        engine.close()
    assert streams == [True] * 3


@pytest.mark.parametrize("table", ["none", "one", "two", "nulls", "ties", "laid"])
@pytest.mark.parametrize("kind", [*cells.KINDS, cells.OUTLIERS])
def test_small_tables_nulls_and_ties(filled: Any, streams: list[bool], kind: str, table: str) -> None:
    _same(filled, cells.copy(_layout(kind, "small", "utiny", table=table)).build_query())
    _same(filled, cells.copy(_layout(kind, "utiny", "word", table=table)).build_query())
    assert streams == [True] * 2


def test_deleted_rows_leave_gaps(filled: Any, streams: list[bool]) -> None:
    filled.execute("CREATE TABLE gaps AS FROM t; DELETE FROM gaps WHERE big % 3 = 0 OR rowid BETWEEN 5000 AND 9000")
    for kind in (cells.GRID, cells.OUTLIERS):
        _same(filled, cells.copy(_layout(kind, "small", "day", table="gaps")).build_query())
    assert streams == [True] * 2


@pytest.mark.parametrize("order", ["rowid DESC", "hash(rowid)"])
def test_keys_in_another_order_than_the_rows_are_left_to_order_by(filled: Any, streams: list[bool], order: str) -> None:
    rows = "SELECT big, word, rowid AS sartor_row FROM t"
    select = f"SELECT big, word, hash(big) % 99 AS {_HIDDEN}, sartor_row FROM ({rows} ORDER BY {order})"
    _same(filled, OrderedQuery(select, (_HIDDEN, "word"), "sartor_row", computed=Computed((_HIDDEN,), rows, "sartor_row")))
    assert streams == [False]


@pytest.mark.parametrize("order", ["DESC", "% 1000"])
def test_rows_in_another_order_than_their_keys_are_left_to_order_by(
    filled: Any, streams: list[bool], order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = computed._reading

    def unordered(engine: Any, select: str) -> Any:  # as once somebody sets `preserve_insertion_order`
        return reading(engine, select if _HIDDEN in select else f"{select} ORDER BY rowid {order}")

    monkeypatch.setattr(computed, "_reading", unordered)
    rows = "SELECT big, word, rowid AS sartor_row FROM t"
    select = f"SELECT big, word, hash(big) % 99 AS {_HIDDEN}, rowid AS sartor_row FROM t"
    _same(filled, OrderedQuery(select, (_HIDDEN, "word"), "sartor_row", computed=Computed((_HIDDEN,), rows, "sartor_row")))
    assert streams == [False]


def test_a_column_that_hides_the_row_id(filled: Any, streams: list[bool]) -> None:
    filled.execute("CREATE TABLE hiding AS SELECT big, NULL::INTEGER AS rowid FROM t")
    rows = "SELECT big, rowid AS sartor_row FROM hiding"
    select = f"SELECT big, hash(big) % 99 AS {_HIDDEN}, rowid AS sartor_row FROM hiding"
    made = create(filled, OrderedQuery(select, (_HIDDEN, "big"), computed=Computed((_HIDDEN,), rows, "sartor_row")))
    assert streams == [False]
    assert_stored(filled, made, f"{select} ORDER BY {_HIDDEN}, big")


def test_what_raises_late_is_duckdbs_error(filled: Any) -> None:
    select = f"SELECT big, (CASE WHEN rowid = {_ROWS - 1} THEN 'x' ELSE '1' END)::INTEGER AS {_HIDDEN}, rowid AS sartor_row FROM t"
    rows = "SELECT big, rowid AS sartor_row FROM t"
    with pytest.raises(duckdb.Error, match="Could not convert"):
        create(filled, OrderedQuery(select, (_HIDDEN,), computed=Computed((_HIDDEN,), rows, "sartor_row")))


def test_what_is_computed_is_computed_once(filled: Any, streams: list[bool]) -> None:
    rows = "SELECT big, rowid AS sartor_row FROM t"
    filled.execute("CREATE SEQUENCE seen")
    select = f"SELECT big, nextval('seen') % 10 AS {_HIDDEN}, rowid AS sartor_row FROM t"
    made = create(filled, OrderedQuery(select, (_HIDDEN,), computed=Computed((_HIDDEN,), rows, "sartor_row")))
    assert streams == [True]
    assert filled.execute("SELECT nextval('seen')").fetchall() == [(_ROWS + 1,)]
    held = filled.execute(f"SELECT {_HIDDEN}, count(*) FROM {made} GROUP BY ALL ORDER BY ALL").fetchall()
    assert held == [(number, _ROWS // 10) for number in range(10)]


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_short_of_memory_it_is_left_to_order_by(
    filled: Any, streams: list[bool], share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "free_bytes", lambda _: int(_ROWS * 300 * share))
    _same(filled, replace(cells.copy(_layout(HILBERT, "small", "day")).build_query(), then="sartor_row"))
    assert streams == [False]
