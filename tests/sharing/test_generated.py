"""Generated columns and their statistics where they are not ordinary."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from sartor.core.constants import Constant
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.workload.sharing import statistics
from sartor.workload.sharing.document import Hole, Position, SharedColumn, SharedRun, SharedTable, SharedTemplate, SharedWorkload
from sartor.workload.sharing.generate import generate
from sartor.workload.sharing.statements import statements
from sartor.workload.sharing.statistics import column_statistics, positions, sampled

TYPES = (
    "BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT FLOAT DOUBLE DECIMAL(4,2) "
    "DECIMAL(38,0) VARCHAR JSON DATE TIME TIMESTAMP TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS INTERVAL UUID BLOB"
).split()


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def _column(name: str, kind: str, distinct: int, *, nulls: float = 0.0, correlation: float = 0.0, length: int = 0) -> SharedColumn:
    return SharedColumn(name, kind, True, distinct, nulls, ((0.0, 0.0), (1.0, 1.0)), correlation, length)


def _made(
    connection: duckdb.DuckDBPyConnection,
    *tables: SharedTable,
    joins: tuple[tuple[str, str], ...] = (),
    templates: tuple[SharedTemplate, ...] = (),
) -> SharedWorkload:
    workload = SharedWorkload(tables, joins, templates, {})
    generate(connection, workload, 1, lambda text, share: None)
    return workload


@pytest.mark.parametrize("kind", [*TYPES, "TIMESTAMP WITH TIME ZONE"])
@pytest.mark.parametrize("distinct", [1, 2, 250])
def test_each_type_has_as_many_values_in_their_order(connection: duckdb.DuckDBPyConnection, kind: str, distinct: int) -> None:
    distinct = min(distinct, 2) if kind == "BOOLEAN" else distinct
    _made(connection, SharedTable("main", "t1", 1000, (_column("c1", kind, distinct, nulls=0.1, correlation=1.0, length=3),), ()))
    found = connection.execute("SELECT count(*), count(c1), count(DISTINCT c1) FROM t1").fetchall()
    assert found == [(1000, 900, distinct)]
    present = "(SELECT rowid AS r, c1 FROM t1 WHERE c1 IS NOT NULL)"
    falls = f"SELECT count(*) FROM (SELECT c1 < lag(c1) OVER (ORDER BY r) AS falls FROM {present}) WHERE falls"
    assert connection.execute(falls).fetchall() == [(0,)]


def test_a_narrow_column_that_is_joined_with_a_wide_one(connection: duckdb.DuckDBPyConnection) -> None:
    _made(
        connection,
        SharedTable("main", "t1", 5000, (_column("c1", "INTEGER", 5000, correlation=1.0),), (("c1",),)),
        SharedTable("main", "t2", 1000, (_column("c2", "TINYINT", 100),), ()),
        joins=(("main.t1.c1", "main.t2.c2"),),
    )
    assert connection.execute("SELECT count(*) FROM t1 JOIN t2 ON c1 = c2").fetchall() == [(1000,)]


@pytest.mark.parametrize("key", [("c1", "c2"), ("c1",), ("c1", "c2", "c3")])
def test_keys_are_unique(connection: duckdb.DuckDBPyConnection, key: tuple[str, ...]) -> None:
    columns = (_column("c1", "INTEGER", 400), _column("c2", "INTEGER", 7), _column("c3", "DATE", 90))
    _made(connection, SharedTable("main", "t1", 2000, columns, (key,)))
    assert connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT {', '.join(key)} FROM t1)").fetchall() == [(2000,)]


def test_empty_tables_and_columns_that_are_all_null(connection: duckdb.DuckDBPyConnection) -> None:
    _made(
        connection,
        SharedTable("s1", "t1", 0, (_column("c1", "DATE", 0),), ()),
        SharedTable("main", "t2", 10, (_column("c1", "DATE", 0, nulls=1.0), _column("c2", "DATE", 10)), ()),
    )
    assert connection.execute("SELECT (SELECT count(*) FROM s1.t1), count(c1), count(c2) FROM t2").fetchall() == [(0, 0, 10)]


def test_a_sample_knows_what_it_did_not_see(connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.execute(
        "CREATE TABLE t AS SELECT range AS a, range // 5 AS b, (hash(range) % 10)::INTEGER AS c, hash(range) % 30000 AS d "
        "FROM range(100000)"
    )
    connection.execute("CREATE TABLE u AS SELECT range % 10 AS rowid FROM range(100000)")
    monkeypatch.setattr(statistics, "EXPORT_ROWS", Constant(10_000, 1, 1, "", ""))
    engine = DuckDBEngine(connection)
    t, u = sorted(engine.catalog(), key=lambda info: str(info.source))
    found = [column_statistics(engine.rows, t, 100_000, column, "c1") for column in t.columns]
    assert [one.distinct for one in found] == [100_000, pytest.approx(20_000, rel=0.4), 10, pytest.approx(30_000, rel=0.4)]
    assert column_statistics(engine.rows, u, 100_000, u.columns[0], "c1").distinct == 10
    placed = positions(engine.rows, t, sampled(t, 100_000, 10_000), [("a", "=", "25000"), ("c", "=", "'no number'")])
    assert placed == {("a", "=", "25000"): Position(pytest.approx(0.25, abs=0.001), pytest.approx(0.25, abs=0.001))}


def test_positions_that_are_not_known_and_patterns_that_keep_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    holes = (Hole("main.t1", "c1", "like"), Hole("main.t1", "lower(c1)", "="), Hole("main.t1", "c1 / 0", "<"))
    runs = (SharedRun(0.0, 0.1, 1, ((Position(0.5, 0.5, "prefix"),), None, (Position(0.1, 0.1),))),)
    template = SharedTemplate("SELECT c1 FROM t1 WHERE c1 LIKE $p1 OR lower(c1) = $p2", 3, 1.0, holes, runs)
    failing = SharedTemplate("SELECT CAST(c1 AS DATE) FROM t1", 1, 1.0, (), (SharedRun(1.0, 0.1, 1, ()),))
    workload = _made(
        connection, SharedTable("main", "t1", 100, (_column("c1", "VARCHAR", 50, length=9),), ()), templates=(template, failing)
    )
    texts, raising = statements(connection, workload, 1)
    assert (len(texts), len(set(texts)), raising) == (3, 1, 1)
    assert "LIKE '~%'" in texts[0]
    assert len(connection.execute(texts[0]).fetchall()) == 2


def test_an_enum_is_carried_in_the_order_of_its_texts(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')")
    connection.execute("CREATE TABLE t AS SELECT (CASE WHEN range % 4 = 0 THEN 'sad' ELSE 'happy' END)::mood AS m FROM range(100)")
    engine = DuckDBEngine(connection)
    (t,) = engine.catalog()
    column = column_statistics(engine.rows, t, 100, t.columns[0], "c1")
    assert (column.type, column.histogram) == ("VARCHAR", ((0.0, 0.0), (0.5, 0.75), (1.0, 1.0)))
    placed = positions(engine.rows, t, str(t.source), [('"m"', "=", "'sad'")])
    assert placed == {('"m"', "=", "'sad'"): Position(0.75, 1.0)}
