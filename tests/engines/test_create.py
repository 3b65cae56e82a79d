"""Tables in an order: a stream through the kernels stores exactly what ORDER BY would, and leaves to it what it can not do."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from sartor.core.ordered import OrderedQuery
from sartor.core.table import quote
from sartor.engines.duckdb import create as module
from sartor.engines.duckdb.build_costs import kind_of
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.kernels import staged_text
from sartor.kernels.streaming import Arrangement
from tests.engines.support import COLUMNS, ROWS, assert_stored, create, differences, filled_table, streaming_whatever_can_be

KEYS = [*((name,) for name in COLUMNS), ("word", "day"), ("flag", "double"), ("nothing", "text"), ("tiny", "small", "whole")]


@pytest.fixture(scope="module")
def filled() -> Iterator[Any]:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        filled_table(connection, ROWS)
        connection.execute("CREATE SCHEMA sartor")
        yield connection


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Streams whatever can be; tells of each try whether it did."""
    return streaming_whatever_can_be(monkeypatch)


def _rows(key: tuple[str, ...], columns: str = "*", table: str = "t", then: bool = True) -> OrderedQuery:
    return OrderedQuery(f"SELECT {columns}, rowid AS n FROM {table}", key, "n" if then else "", scans=True)


@pytest.mark.parametrize("key", KEYS, ids="-".join)
def test_a_stream_stores_what_order_by_stores(filled: Any, streams: list[bool], key: tuple[str, ...]) -> None:
    made = create(filled, _rows(key))
    assert streams == [True]
    assert_stored(filled, made, _rows(key).sql)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 2_049])
def test_small_tables(streams: list[bool], rows: int) -> None:
    with duckdb.connect() as connection:
        filled_table(connection, rows)
        connection.execute("CREATE SCHEMA sartor")
        for key in (("word",), ("big",), ("double", "word")):
            made = create(connection, _rows(key))
            connection.execute(f"CREATE OR REPLACE TABLE sartor.wanted AS {_rows(key).sql}")
            assert differences(connection, made, "sartor.wanted") == 0
    assert all(streams)


@pytest.mark.parametrize("query", ["SELECT * FROM t WHERE whole > 10 AND rowid % 3 <> 0", "SELECT day, word FROM t WHERE false"])
def test_what_is_filtered_is_as_good(filled: Any, streams: list[bool], query: str) -> None:
    made = create(filled, OrderedQuery(query, ("day",), scans=True))
    filled.execute(f"CREATE OR REPLACE TABLE sartor.wanted AS {query}")
    assert streams == [True]
    assert filled.execute(f"SELECT count(*) FROM (FROM {made} EXCEPT ALL FROM sartor.wanted)").fetchall() == [(0,)]
    assert filled.execute(f"SELECT count(*) FROM {made}").fetchall() == filled.execute("SELECT count(*) FROM sartor.wanted").fetchall()


@pytest.mark.parametrize("unsafe", ["HUGEINT", "UHUGEINT", "UUID", "INTERVAL", "ENUM('a', 'b')", "BIT", "TIMETZ", "INTEGER[]",
    "INTEGER[2]", "STRUCT(a INTEGER)", "MAP(INTEGER, INTEGER)", "JSON", "BIGNUM", "TIME_NS", "UNION(a INTEGER, b VARCHAR)",
    "VARIANT", "DECIMAL(4,2)[]"])  # fmt: skip
def test_other_types_are_left_to_order_by(streams: list[bool], unsafe: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE SCHEMA sartor; CREATE TABLE t (a INTEGER, b {unsafe}); INSERT INTO t VALUES (2, NULL), (1, NULL)")
        made = create(connection, _rows(("a",)))
        assert connection.execute(f"SELECT a FROM {made}").fetchall() == [(1,), (2,)]
        assert connection.execute(f"DESCRIBE {made}").fetchall()[:2] == connection.execute("DESCRIBE t").fetchall()
    assert streams == []


def test_no_type_is_trusted_that_is_not_tested() -> None:
    tested = {kind for kind, _, _ in COLUMNS.values()}
    with duckdb.connect() as connection:
        for name, kind in connection.execute("SELECT type_name, logical_type FROM duckdb_types()").fetchall():
            for spelled in (str(name).upper(), str(kind)):
                assert kind_of(spelled) is None or spelled in tested or spelled == "DECIMAL", spelled


@pytest.mark.parametrize(
    ("before", "table", "query"),
    [
        ("", "a VARCHAR COLLATE NOCASE", _rows(("a",))),
        ("SET default_collation = 'nocase'", "a VARCHAR", _rows(("a",))),
        ("SET preserve_insertion_order = false", "a VARCHAR", _rows(("a",))),
        ("", "a VARCHAR", OrderedQuery("SELECT a FROM t", ("a",))),
        ("", "a VARCHAR", OrderedQuery("SELECT a FROM t", scans=True)),
        ("", "a VARCHAR, b VARCHAR", OrderedQuery("SELECT a FROM t", ("b",), scans=True)),
    ],
    ids=["collated", "default collation", "any order", "not a scan", "no key", "a key that is not stored"],
)
def test_other_orders_are_left_to_order_by(streams: list[bool], before: str, table: str, query: OrderedQuery) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE SCHEMA sartor; CREATE TABLE t ({table}); INSERT INTO t (a) VALUES ('b'), ('A'), ('a'), ('B')")
        if before:
            connection.execute(before.replace("SET ", "SET GLOBAL "))
        made = create(connection, query)
        connection.execute(f"CREATE TABLE sartor.wanted AS {query.sql}")
        texts = connection.execute(
            "SELECT replace(replace(sql, 'wanted', ''), 'made', '') FROM duckdb_tables() WHERE schema_name = 'sartor'"
        )
        assert len(set(texts.fetchall())) == 1
        assert connection.execute(f"FROM {made}").fetchall() == connection.execute("FROM sartor.wanted").fetchall()
    assert streams == []


def test_quoted_names(streams: list[bool], tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / 'a"b.c.duckdb') as connection:
        connection.execute('CREATE SCHEMA sartor; CREATE TABLE t AS SELECT -range AS "x""y z", range AS "select" FROM range(9)')
        engine = DuckDBEngine(connection.cursor())
        relation = f'{quote(engine.database)}."sartor"."made"'
        with engine.transaction():
            engine.create(relation, OrderedQuery("SELECT * FROM t", ('x"y z',), scans=True))
        assert connection.execute("SELECT * FROM sartor.made LIMIT 1").fetchall() == [(-8, 8)]
        engine.close()
    assert streams == [True]


@pytest.mark.parametrize("share", [0.0, 0.5, 0.8])
def test_short_of_memory_it_is_left_to_order_by(
    filled: Any, streams: list[bool], share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ROWS * (24 + 17 + 9 + 4) + 13_000_000  # the order, text and a number, and the bytes of text
    monkeypatch.setattr(module, "free_bytes", lambda _: int(whole * share))
    made = create(filled, _rows(("text",), "text"))
    filled.execute(f"CREATE OR REPLACE TABLE sartor.wanted AS {_rows(('text',), 'text').sql}")
    assert streams == [False]
    assert differences(filled, made, "sartor.wanted") == 0


@pytest.mark.parametrize("where", ["fill", "batches"])
def test_interrupted_it_leaves_nothing(filled: Any, where: str, monkeypatch: pytest.MonkeyPatch, streams: list[bool]) -> None:
    engine = DuckDBEngine(filled.cursor())
    usual = getattr(Arrangement, where)

    def interrupted(*arguments: Any) -> Any:
        other = threading.Thread(target=engine.interrupt)
        other.start()
        other.join()
        return usual(*arguments)

    monkeypatch.setattr(Arrangement, where, interrupted)
    relation = f'"{engine.database}"."sartor"."never"'
    with pytest.raises(KeyboardInterrupt), engine.transaction():
        engine.create(relation, _rows(("word",)))
    monkeypatch.setattr(Arrangement, where, usual)
    assert engine.rows("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'never'") == [(0,)]
    assert engine.rows("SELECT current_setting('arrow_output_version')") == [("1.0",)]
    with engine.transaction():
        engine.create(relation, _rows(("word",)))
    assert engine.rows(f"SELECT count(*) FROM {relation}") == [(ROWS,)]
    engine.execute(f"DROP TABLE {relation}")
    engine.close()


def test_what_is_raised_on_the_way_comes_out(filled: Any, monkeypatch: pytest.MonkeyPatch, streams: list[bool]) -> None:
    def broken(*_: Any) -> Iterator[Any]:
        raise KeyError("mine")
        yield

    monkeypatch.setattr(Arrangement, "batches", broken)
    with pytest.raises(KeyError, match="mine"):
        create(filled, _rows(("word",)))


def test_spans_that_fill_half_a_word(streams: list[bool]) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA sartor")
        connection.execute("CREATE TABLE t AS SELECT 7 AS a, x AS b FROM (VALUES (5), (-2147483648), (2147483647)) v(x)")
        assert_stored(connection, create(connection, _rows(("a", "b"))), _rows(("a", "b")).sql)
    assert streams == [True]


def test_texts_longer_than_places_can_be_told(filled: Any, streams: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged_text, "_BUFFER_MOST", 1_000_000)
    for key in (("small",), ("text",)):
        assert_stored(filled, create(filled, _rows(key, "small, text")), _rows(key, "small, text").sql)
    assert streams == [False, False]


@pytest.mark.parametrize("setting", ["arrow_lossless_conversion", "lock_configuration"])
def test_settings_of_the_user(streams: list[bool], setting: str) -> None:
    with duckdb.connect() as connection:
        filled_table(connection, 2_049)
        connection.execute(f"CREATE SCHEMA sartor; SET GLOBAL {setting} = true")
        query = _rows(("small", "flag"), "small, flag, word")
        assert_stored(connection, create(connection, query), query.sql)
    assert streams == ([True] if setting == "arrow_lossless_conversion" else [])


@pytest.mark.parametrize("raised", [RuntimeError("Query interrupted"), duckdb.InvalidInputException("failed: KeyboardInterrupt: ")])
def test_ctrl_c_comes_out_as_such(filled: Any, monkeypatch: pytest.MonkeyPatch, streams: list[bool], raised: Exception) -> None:
    def from_arrow(_: Any) -> Any:
        raise raised

    insert = module._insert

    def interrupted(engine: Any, *arguments: Any) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(engine, "connection", SimpleNamespace(from_arrow=from_arrow))
            insert(engine, *arguments)

    monkeypatch.setattr(module, "_insert", interrupted)
    with pytest.raises(KeyboardInterrupt):
        create(filled, _rows(("small",)))
    assert streams == []


def test_killed_in_the_middle_it_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    code = f"""
import os, signal, duckdb
from sartor.core.ordered import OrderedQuery
from sartor.engines.duckdb import create
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.kernels.streaming import Arrangement
con = duckdb.connect({str(path)!r})
con.execute("CREATE SCHEMA sartor; CREATE TABLE t AS SELECT range AS a, hash(range) AS b FROM range(300000); CHECKPOINT")
create.streams_faster = lambda *_: True
usual = Arrangement.batches
def killed(*arguments):
    for number, batch in enumerate(usual(*arguments)):
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch
Arrangement.batches = killed
engine = DuckDBEngine(con.cursor())
with engine.transaction():
    engine.create('"t"."sartor"."made"', OrderedQuery("SELECT * FROM t", ("b",), scans=True))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    with duckdb.connect(path) as connection:
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("t",)]
        assert connection.execute("SELECT count(*) FROM t").fetchall() == [(300000,)]


def test_a_small_build_imports_no_compiler() -> None:
    code = """
import sys, duckdb
from sartor.core.ordered import OrderedQuery
from sartor.engines.duckdb.engine import DuckDBEngine
con = duckdb.connect()
con.execute("CREATE SCHEMA sartor; CREATE TABLE t AS SELECT range AS a, hash(range) AS b FROM range(300000)")
engine = DuckDBEngine(con.cursor())
with engine.transaction():
    engine.create('"memory"."sartor"."made"', OrderedQuery("SELECT * FROM t", ("b",), scans=True))
assert engine.rows("SELECT count(*) FROM sartor.made") == [(300000,)]
assert not {"numba", "llvmlite", "pyarrow"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
