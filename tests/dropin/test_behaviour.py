"""Scenarios run on plain DuckDB and on Sartor: results, exception classes and messages are the same."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow
import pytest

import sartor

Scenario = Callable[[Any], Any]
FRAME = pandas.DataFrame({"a": [1, 2, 3]})


def _frames(connection: Any) -> Any:
    local = pandas.DataFrame({"a": [1, 2]})
    arrow = pyarrow.table({"b": [5]})
    polar = polars.DataFrame({"c": ["x"]})
    found = [
        connection.execute("SELECT sum(a) FROM local").fetchall(),
        connection.sql("SELECT * FROM arrow").fetchall(),
        connection.query("SELECT * FROM polar").fetchall(),
        connection.execute("SELECT count(*) FROM FRAME").fetchall(),
        [connection.execute("SELECT a FROM FRAME WHERE a = ?", [i]).fetchone() for i in (1, 2)],
    ]
    del local, arrow, polar
    return found


def _frame_of_an_outer_function(connection: Any) -> Any:
    hidden = pandas.DataFrame({"a": [1]})

    def inner() -> Any:
        return connection.execute("SELECT * FROM hidden").fetchall()

    del hidden
    return inner()


def _parameters(connection: Any) -> Any:
    connection.execute("CREATE TABLE t (a INTEGER, b VARCHAR)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", [[1, "x"], [2, "y"]])
    return [
        connection.execute("SELECT * FROM t WHERE a = ?", [2]).fetchall(),
        connection.execute("SELECT * FROM t WHERE a = $n", {"n": 1}).fetchall(),
        connection.execute("SELECT $2, $1", [1, 2]).fetchall(),
        connection.sql("SELECT * FROM t WHERE b = ?", params=["y"]).fetchall(),
    ]


def _scripts(connection: Any) -> Any:
    connection.execute("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")
    statements = connection.extract_statements("SELECT 1; SELECT 2")
    return [connection.execute("SELECT 5; SELECT * FROM t").fetchall(), *[connection.execute(s).fetchall() for s in statements]]


def _transactions(connection: Any) -> Any:
    connection.execute("CREATE TABLE t (a INTEGER)")
    connection.begin()
    connection.execute("INSERT INTO t VALUES (1)")
    connection.rollback()
    connection.execute("BEGIN; INSERT INTO t VALUES (2); COMMIT")
    connection.execute("BEGIN")
    connection.execute("INSERT INTO t VALUES (3)")
    other = connection.cursor().execute("SELECT * FROM t").fetchall()
    connection.commit()
    return other, connection.execute("SELECT * FROM t").fetchall()


def _aborted_transaction(connection: Any) -> Any:
    connection.execute("BEGIN")
    with pytest.raises(duckdb.CatalogException):
        connection.execute("SELECT * FROM nowhere")
    return connection.execute("SELECT 1")


def _relations(connection: Any) -> Any:
    relation = connection.sql("SELECT range AS a, range % 3 AS b FROM range(20)")
    relation.create("r")
    table = connection.table("r")
    table.insert([100, 1])
    relation.create_view("v")
    return [
        relation.filter("a > 15").order("a").fetchall(),
        relation.aggregate("b, count(*)", "b").order("b").fetchall(),
        table.join(relation.set_alias("o"), "r.a = o.a").aggregate("count(*)").fetchall(),
        relation.query("q", "SELECT max(a) FROM q").fetchall(),
        connection.view("v").limit(2).fetchall(),
        table.df().shape,
        relation.pl().shape,
        relation.to_arrow_table().num_rows,
        connection.values([1, 2]).fetchall(),
    ]


def _results(connection: Any) -> Any:
    first = connection.execute("SELECT range AS a FROM range(5000)").fetchone()
    some = connection.fetchmany(3)
    rest = len(connection.fetchall())
    frame = connection.execute("SELECT 1 AS a, 'x' AS b").df()
    numpy = connection.execute("SELECT 1 AS a").fetchnumpy()
    connection.execute("SELECT 1 AS a, 1.5::DECIMAL(4, 2) AS b")
    return first, some, rest, frame.to_dict(), numpy["a"].tolist(), [(c[0], str(c[1])) for c in connection.description]


def _functions(connection: Any) -> Any:
    connection.create_function("plus_one", lambda a: a + 1, ["INTEGER"], "INTEGER")
    found = connection.execute("SELECT plus_one(41)").fetchall()
    connection.remove_function("plus_one")
    return found


def _registered(connection: Any) -> Any:
    connection.register("frame", FRAME)
    found = connection.execute("SELECT sum(a) FROM frame").fetchall()
    connection.unregister("frame")
    return found, connection.append is not None


def _appender(connection: Any) -> Any:
    connection.execute("CREATE TABLE t (a INTEGER)")
    with connection.appender("t") as appender:
        appender.append_row(1)
        appender.append_rows([[2], [3]])
    connection.append("t", pandas.DataFrame({"a": [4]}))
    return connection.execute("SELECT * FROM t").fetchall()


def _threads(connection: Any) -> Any:
    connection.execute("CREATE TABLE t AS SELECT range AS a FROM range(1000)")
    found: list[Any] = []

    def work(cursor: Any) -> None:
        found.append(cursor.execute("SELECT sum(a) FROM t").fetchone())

    workers = [threading.Thread(target=work, args=(connection.cursor(),)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return found


def _attached(connection: Any) -> Any:
    connection.execute("ATTACH ':memory:' AS other; CREATE TABLE other.t AS SELECT 5 AS a; CREATE TABLE t AS SELECT 1 AS a")
    before = connection.execute("SELECT a FROM t").fetchall()
    connection.execute("USE other")
    return before, connection.execute("SELECT a FROM t").fetchall()


def _module_functions(connection: Any) -> Any:
    return [
        duckdb.execute("SELECT 7", connection=connection).fetchall(),
        duckdb.sql("SELECT 8", connection=connection).fetchall(),
        duckdb.cursor(connection=connection).execute("SELECT 9").fetchall(),
    ]


def _use_after_close(connection: Any) -> Any:
    connection.close()
    connection.close()
    return connection.execute("SELECT 1")


def _raises(text: str) -> Scenario:
    return lambda connection: connection.execute(text)


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__.strip("_"): scenario
    for scenario in (
        _frames,
        _frame_of_an_outer_function,
        _parameters,
        _scripts,
        _transactions,
        _aborted_transaction,
        _relations,
        _results,
        _functions,
        _registered,
        _appender,
        _threads,
        _attached,
        _module_functions,
        _use_after_close,
    )
} | {
    text: _raises(text)
    for text in (
        "SELEC 1",
        "SELECT nope FROM range(3)",
        "SELECT * FROM missing",
        "SELECT 'a'::INTEGER",
        "INSERT INTO missing VALUES (1)",
        "SELECT ?",
        "COMMIT",
    )
}


def _outcome(connection: Any, scenario: Scenario) -> Any:
    try:
        found = scenario(connection)
    except (duckdb.Error, TypeError) as error:
        return type(error), str(error)
    return found.fetchall() if isinstance(found, duckdb.DuckDBPyConnection) else found


@pytest.mark.parametrize("name", SCENARIOS)
def test_as_plain_duckdb(name: str, tmp_path: Path) -> None:
    scenario = SCENARIOS[name]
    for place in (":memory:", "file"):
        paths = [":memory:", ":memory:"] if place == ":memory:" else [tmp_path / "plain.duckdb", tmp_path / "sartor.duckdb"]
        with duckdb.connect(paths[0]) as plain, sartor.connect(paths[1]) as ours:
            assert _outcome(ours, scenario) == _outcome(plain, scenario)


def test_reading_leaves_the_file_untouched(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as plain:
        plain.execute("CREATE TABLE t AS SELECT range AS a FROM range(1000)")
    before = path.read_bytes()
    with sartor.connect(path) as connection:
        for _ in range(3):
            connection.execute("SELECT sum(a) FROM t WHERE a > 5").fetchall()
        connection.workload()
    assert path.read_bytes() == before


def test_plain_duckdb_is_refused_while_the_file_is_open(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with sartor.connect(path) as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")
        with pytest.raises(duckdb.ConnectionException, match="different configuration"):
            duckdb.connect(path)
    with sartor.connect(path, shared=True), duckdb.connect(path) as plain:
        assert plain.execute("SELECT count(*) FROM t").fetchall() == [(0,)]


def test_read_only(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with sartor.connect(path) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    with sartor.connect(path, read_only=True) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == [(1,)]
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            connection.execute("INSERT INTO t VALUES (2)")
        with pytest.raises(sartor.DatabaseUnavailable, match="read-only"):
            connection.tune()


@pytest.mark.filterwarnings("ignore")  # of Ibis, which calls what DuckDB and pandas deprecate
def test_ibis() -> None:
    import ibis

    with sartor.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS a, range % 3 AS b FROM range(9)")
        table = ibis.duckdb.from_connection(connection).table("t")
        found = table.group_by("b").agg(total=table.a.sum()).order_by("b").to_pandas()
        assert found["total"].tolist() == [9, 12, 15]


def test_no_thread_is_left(tmp_path: Path) -> None:
    before = threading.active_count()
    connection = sartor.connect(tmp_path / "shop.duckdb")
    connection.execute("SELECT 1").fetchall()
    connection.close()
    del connection
    gc.collect()
    assert threading.active_count() == before
