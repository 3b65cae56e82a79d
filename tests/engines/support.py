"""A table with every type that a stream takes, and tables made of it as Sartor makes them."""

from __future__ import annotations

from typing import Any

import pytest

from sartor.core.ordered import OrderedQuery
from sartor.core.table import quote
from sartor.engines.duckdb import create as module
from sartor.engines.duckdb.engine import DuckDBEngine

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


def filled_table(connection: Any, rows: int) -> None:
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


def create(connection: Any, query: OrderedQuery, name: str = "made") -> str:
    """Make a table on a connection of its own, as Sartor does; returns its name."""
    engine = DuckDBEngine(connection.cursor())
    relation = f'"{engine.database}"."sartor"."{name}"'
    engine.execute(f"DROP TABLE IF EXISTS {relation}")
    with engine.transaction():
        engine.create(relation, query)
    assert engine.rows("SELECT current_setting('arrow_output_version')") == [("1.0",)]
    engine.close()
    return relation


def streaming_whatever_can_be(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Let whatever can be streamed be; gives a list that tells of each try whether it was."""
    told: list[bool] = []
    stream = module.stream

    def noting(*arguments: Any) -> bool:
        told.append(stream(*arguments))
        return told[-1]

    monkeypatch.setattr(module, "streams_faster", lambda *_: True)
    monkeypatch.setattr(module, "stream", noting)
    return told


def assert_stored(connection: Any, made: str, select: str) -> None:
    """A table holds the rows of a SELECT, in their order, with its names and types."""
    wanted = '"sartor"."wanted"'
    connection.execute(f"CREATE OR REPLACE TABLE {wanted} AS {select}")
    assert connection.execute(f"DESCRIBE {made}").fetchall() == connection.execute(f"DESCRIBE {wanted}").fetchall()
    assert differences(connection, made, wanted) == 0


def differences(connection: Any, left: str, right: str) -> int:
    """Places at which two tables hold different rows; the text of a value tells all values apart."""
    names = [name for name, *_ in connection.execute(f"DESCRIBE {left}").fetchall()]
    differ = " OR ".join(f"l.{quote(name)}::VARCHAR IS DISTINCT FROM r.{quote(name)}::VARCHAR" for name in names)
    sides = [f"(SELECT *, rowid AS place FROM {side})" for side in (left, right)]
    found = connection.execute(f"SELECT count(*) FROM {sides[0]} l FULL JOIN {sides[1]} r USING (place) WHERE {differ}").fetchall()
    return int(found[0][0])
