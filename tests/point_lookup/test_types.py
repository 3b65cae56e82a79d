"""Values that were looked up are equal to DuckDB's own and of the same types, whatever is done with the result."""

from __future__ import annotations

import warnings
from typing import Any

import duckdb
import pytest

import sartor
from sartor.components.point_lookup.apply import held_columns
from sartor.components.point_lookup.propose import propose
from sartor.core.table import Column, TableName
from sartor.interfaces.connection import session_of
from tests.point_lookup.support import looked_up

_VALUES = {
    "TINYINT": ["-128", "127", "0"],
    "SMALLINT": ["-32768", "32767"],
    "INTEGER": ["-2147483648", "2147483647"],
    "BIGINT": ["-9223372036854775808", "9223372036854775807", "9007199254740993"],
    "UTINYINT": ["255"],
    "USMALLINT": ["65535"],
    "UINTEGER": ["4294967295"],
    "UBIGINT": ["18446744073709551615"],
    "FLOAT": ["0.1", "'-0.0'", "'nan'", "'inf'", "3.4e38", "1e-45"],
    "DOUBLE": ["0.1", "'-0.0'", "'nan'", "'-inf'", "5e-324", "1.7976931348623157e308"],
    "DECIMAL(4,1)": ["-999.9", "0", "1.5"],
    "DECIMAL(9,2)": ["9999999.99", "0.00"],
    "DECIMAL(18,3)": ["-999999999999999.999"],
    "DECIMAL(38,10)": ["9999999999999999999999999999.9999999999", "-0.0000000001"],
    "BOOLEAN": ["true", "false"],
    "VARCHAR": ["''", "'it''s'", "chr(0) || 'x'", "'é€🦆'", "repeat('long ', 5000)"],
    "DATE": ["'0001-01-01'", "'9999-12-31'", "'1969-12-31'"],
    "TIMESTAMP": ["'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'", "'1969-12-31 23:59:59.999999'"],
}


@pytest.fixture(scope="module")
def connection() -> Any:
    found = sartor.connect(config={"threads": 1}, keep_results=False)  # on a busy machine a look-up takes long enough for that
    types = list(_VALUES)
    found.execute("CREATE TABLE t (k INTEGER, " + ", ".join(f"c{place} {kind}" for place, kind in enumerate(types)) + ")")
    found.execute("INSERT INTO t (k) VALUES (0)")
    for row in range(1, 7):
        cells = [values[(row - 1) % len(values)] for values in _VALUES.values()]
        found.execute(
            f"INSERT INTO t VALUES ({row}, {', '.join(f'({cell})::{kind}' for cell, kind in zip(cells, types, strict=True))})"
        )
    database = session_of(found).database
    columns = (Column("k", "INTEGER"), *(Column(f"c{place}", kind) for place, kind in enumerate(types)))
    database.install(held_columns(TableName(database.engine().database, "main", "t"), "k", columns))
    for _ in range(3):
        found.execute("SELECT * FROM t WHERE k = ?", [0]).fetchall()
    yield found
    found.close()


@pytest.mark.parametrize("fetch", ["fetchall", "df", "to_arrow_table", "fetchnumpy"])
@pytest.mark.parametrize("row", range(7))
def test_values_are_duckdbs_own(connection: Any, row: int, fetch: str) -> None:
    text = "SELECT * FROM t WHERE k = ?"
    with warnings.catch_warnings(action="ignore"):  # that con.sql would spare a copy
        expected = getattr(connection.sql(text, params=[row]), fetch)()
        known = session_of(connection).database.texts[text]
        assert known.template is not None
        known.template.seconds.clear()  # seven rows are asked as soon as looked up, and would not be looked up for long
        connection.execute(text, [row])
        assert looked_up(connection)
        found = getattr(connection, fetch)()
    assert repr(found) == repr(expected)
    assert type(found) is type(expected)
    if fetch == "fetchall":
        assert [type(value) for value in found[0]] == [type(value) for value in expected[0]]
    if fetch == "to_arrow_table":
        assert found.schema == expected.schema


def test_other_types_are_not_proposed() -> None:
    with sartor.connect() as connection:
        connection.execute(
            "CREATE TABLE odd AS SELECT 1 AS k, 2::HUGEINT AS h, uuid() AS u, INTERVAL 1 DAY AS i, [1] AS l, {'a': 1} AS s, "
            "TIMESTAMPTZ '2024-01-01' AS z, TIME '12:00' AS w, 'x'::BLOB AS b, 'a'::ENUM('a') AS e, 3 AS n"
        )
        for column in ("h", "u", "i", "l", "s", "z", "w", "b", "e", "n"):
            for _ in range(2):
                connection.execute(f"SELECT {column} FROM odd WHERE k = ?", [1]).fetchall()
                connection.execute("SELECT n FROM odd WHERE h = ?", [2]).fetchall()
        session_of(connection).database.observer.take_in()
        database = session_of(connection).database
        with database.engine_lock:
            catalog = database.catalog()
            (action,) = propose(database.log.workload().analysed(catalog), catalog)
        assert (action.get("columns"), action.get("key")) == (("k", "n"), ("k",))
        assert isinstance(connection, duckdb.DuckDBPyConnection)
