"""Tables in an order: a stream through the kernels stores exactly what ORDER BY would, and leaves to it what it can not do."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sartor.core.ordered import OrderedQuery
from sartor.core.table import quote
from sartor.engines.duckdb import create as module
from sartor.engines.duckdb.build_costs import kind_of
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.kernels.streaming import Arrangement

ROWS = 300_000
# Each column by how to make it from a number `i` and a hash `h` of it, and values that are easily lost on the way.
COLUMNS = {
    "flag": ("BOOLEAN", "h % 2 = 0", ()),
    "tiny": ("TINYINT", "(h % 256)::INTEGER - 128", ("-128", "127")),
    "small": ("SMALLINT", "(h % 300)::INTEGER", ("-32768", "32767")),
    "whole": ("INTEGER", "(h % 100000)::INTEGER", ("-2147483648", "2147483647")),
    "big": ("BIGINT", "i * 7", ("-9223372036854775808", "9223372036854775807")),
    "utiny": ("UTINYINT", "h % 256", ("0", "255")),
    "usmall": ("USMALLINT", "h % 65536", ("65535",)),
    "uwhole": ("UINTEGER", "h % 5000", ("4294967295",)),
    "ubig": ("UBIGINT", "h", ("18446744073709551615", "0")),
    "single": ("FLOAT", "(h % 1000) / 7.0", ("'nan'", "'-inf'", "'inf'", "'-0.0'", "'0.0'", "'1e-45'")),
    "double": ("DOUBLE", "(h % 1000) / 7.0", ("'nan'", "'-inf'", "'inf'", "'-0.0'", "'0.0'", "'5e-324'", "9007199254740993")),
    "cents": ("DECIMAL(4,2)", "(h % 9999) / 100.0", ("-99.99", "99.99")),
    "price": ("DECIMAL(9,2)", "(h % 100000) / 100.0", ("-9999999.99", "9999999.99")),
    "total": ("DECIMAL(18,3)", "(h % 100000) / 1000.0", ("-999999999999999.999", "999999999999999.999")),
    "huge": ("DECIMAL(38,5)", "h", ("-999999999999999999999999999999999.99999", "999999999999999999999999999999999.99999")),
    "day": ("DATE", "DATE '2020-01-01' + (i // 300)::INTEGER", ("'infinity'", "'-infinity'", "'0001-01-01 (BC)'", "'5881580-07-10'")),
    "clock": ("TIME", "TIME '00:00:00' + to_seconds((h % 86400)::BIGINT)", ("'00:00:00'", "'23:59:59.999999'", "'24:00:00'")),
    "moment": ("TIMESTAMP", "TIMESTAMP '2020-01-01' + to_seconds(i)", ("'infinity'", "'-infinity'", "'290309-12-22 (BC) 00:00:00'")),
    "seconds": ("TIMESTAMP_S", "TIMESTAMP '2020-01-01' + to_seconds(i)", ("'infinity'", "'1969-12-31 23:59:59'")),
    "millis": ("TIMESTAMP_MS", "TIMESTAMP '2020-01-01' + to_seconds(i)", ("'infinity'", "'1969-12-31 23:59:59.999'")),
    "nanos": ("TIMESTAMP_NS", "TIMESTAMP '2020-01-01' + to_seconds(i)", ("'infinity'", "'2000-01-01 00:00:00.123456789'")),
    "zoned": ("TIMESTAMP WITH TIME ZONE", "make_timestamp(i * 1000000)::TIMESTAMPTZ", ("'infinity'", "'-infinity'")),
    "word": ("VARCHAR", "'w' || (h % 40)", ("''", "'ä€𝄞'", "chr(0)", "'a' || chr(0)", "'a' || chr(0) || 'b'", "repeat('long', 9)")),
    "text": ("VARCHAR", "'text of some length ' || h", ("''", "'text'", "repeat('é', 5000)")),
    "often": ("VARCHAR", "'one of a few long texts ' || (h % 7)", ("'twelve bytes'", "'thirteen byte'")),
    "bytes": ("BLOB", "encode('b' || (h % 1000))", ("''::BLOB", r"'\x00\xFF\x00'::BLOB", r"'\xFF'::BLOB")),
    "nothing": ("INTEGER", "NULL", ()),
}
KEYS = [*((name,) for name in COLUMNS), ("word", "day"), ("flag", "double"), ("nothing", "text"), ("tiny", "small", "whole")]


def _filled(connection: Any, rows: int) -> None:
    """A table t with every column; a tenth of each is null, and the values that are easily lost come early and late."""
    names = ", ".join(f"{quote(name)} {kind}" for name, (kind, _, _) in COLUMNS.items())
    connection.execute(f"CREATE TABLE t ({names})")
    values = []
    for place, (kind, usual, rare) in enumerate(COLUMNS.values()):
        cases = "".join(
            f" WHEN i % 1009 = {10 * place + number} AND i > 2000 THEN ({value})::{kind}" for number, value in enumerate(rare)
        )
        values.append(f"CASE WHEN hash(i + {place}) % 10 = 0 THEN NULL{cases} ELSE ({usual})::{kind} END")
    connection.execute(f"INSERT INTO t SELECT {', '.join(values)} FROM (SELECT range AS i, hash(range) AS h FROM range({rows}))")


@pytest.fixture(scope="module")
def filled() -> Iterator[Any]:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        _filled(connection, ROWS)
        connection.execute("CREATE SCHEMA sartor")
        yield connection


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Streams whatever can be; tells of each try whether it did."""
    told: list[bool] = []
    stream = module.stream

    def noting(*arguments: Any) -> bool:
        told.append(stream(*arguments))
        return told[-1]

    monkeypatch.setattr(module, "streams_faster", lambda *_: True)
    monkeypatch.setattr(module, "stream", noting)
    return told


def _rows(key: tuple[str, ...], columns: str = "*", table: str = "t", then: bool = True) -> OrderedQuery:
    return OrderedQuery(f"SELECT {columns}, rowid AS n FROM {table}", key, "n" if then else "", scans=True)


def _create(connection: Any, query: OrderedQuery, name: str = "made") -> str:
    """Make a table on a connection of its own, as Sartor does; returns its name."""
    engine = DuckDBEngine(connection.cursor())
    relation = f'"{engine.database}"."sartor"."{name}"'
    engine.execute(f"DROP TABLE IF EXISTS {relation}")
    with engine.transaction():
        engine.create(relation, query)
    assert engine.rows("SELECT current_setting('arrow_output_version')") == [("1.0",)]
    engine.close()
    return relation


def _differences(connection: Any, left: str, right: str) -> int:
    """Places at which two tables hold different rows; the text of a value tells all values apart."""
    names = [name for name, *_ in connection.execute(f"DESCRIBE {left}").fetchall()]
    differ = " OR ".join(f"l.{quote(name)}::VARCHAR IS DISTINCT FROM r.{quote(name)}::VARCHAR" for name in names)
    sides = [f"(SELECT *, rowid AS place FROM {side})" for side in (left, right)]
    found = connection.execute(f"SELECT count(*) FROM {sides[0]} l FULL JOIN {sides[1]} r USING (place) WHERE {differ}").fetchall()
    return int(found[0][0])


@pytest.mark.parametrize("key", KEYS, ids="-".join)
def test_a_stream_stores_what_order_by_stores(filled: Any, streams: list[bool], key: tuple[str, ...]) -> None:
    made = _create(filled, _rows(key))
    assert streams == [True]
    wanted = '"sartor"."wanted"'
    filled.execute(f"CREATE OR REPLACE TABLE {wanted} AS {_rows(key).sql}")
    assert filled.execute(f"DESCRIBE {made}").fetchall() == filled.execute(f"DESCRIBE {wanted}").fetchall()
    assert _differences(filled, made, wanted) == 0


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 2_049])
def test_small_tables(streams: list[bool], rows: int) -> None:
    with duckdb.connect() as connection:
        _filled(connection, rows)
        connection.execute("CREATE SCHEMA sartor")
        for key in (("word",), ("big",), ("double", "word")):
            made = _create(connection, _rows(key))
            connection.execute(f"CREATE OR REPLACE TABLE sartor.wanted AS {_rows(key).sql}")
            assert _differences(connection, made, "sartor.wanted") == 0
    assert all(streams)


@pytest.mark.parametrize("query", ["SELECT * FROM t WHERE whole > 10 AND rowid % 3 <> 0", "SELECT day, word FROM t WHERE false"])
def test_what_is_filtered_is_as_good(filled: Any, streams: list[bool], query: str) -> None:
    made = _create(filled, OrderedQuery(query, ("day",), scans=True))
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
        made = _create(connection, _rows(("a",)))
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
        made = _create(connection, query)
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
    made = _create(filled, _rows(("text",), "text"))
    filled.execute(f"CREATE OR REPLACE TABLE sartor.wanted AS {_rows(('text',), 'text').sql}")
    assert streams == [False]
    assert _differences(filled, made, "sartor.wanted") == 0


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
        _create(filled, _rows(("word",)))


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
