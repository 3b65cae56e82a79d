"""Which statements count as selective."""

from __future__ import annotations

import duckdb
import pytest

from benchmarks.selective import is_selective
from benchmarks.statement import Statement


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE t AS SELECT i AS rising, (i * 7919 % 300007)::INTEGER AS mixed, i % 7 AS seven, i % 11 AS eleven, i % 13 AS x "
        "FROM range(300000) r(i)"
    )
    connection.execute("CREATE TABLE small AS SELECT i AS id FROM range(100) r(i)")
    return connection


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("mixed = 5", True),
        ("mixed BETWEEN 5 AND 2000", True),
        ("mixed BETWEEN 5 AND 20000", False),
        ("mixed IN (5, 99, 12345)", True),
        ("rising = 5", False),
        ("seven = 1 AND eleven = 2 AND x = 3", False),
        ("mixed = 5 AND seven = 1", True),
        ("seven = 1 OR mixed = 5", False),
        ("mixed = (SELECT max(id) FROM small)", False),
        ("true", False),
    ],
)
def test_selective(connection: duckdb.DuckDBPyConnection, condition: str, expected: bool) -> None:
    assert is_selective(connection, Statement("one", f"SELECT sum(x) FROM t WHERE {condition}")) is expected


def test_what_can_not_run_is_not_selective(connection: duckdb.DuckDBPyConnection) -> None:
    assert not is_selective(connection, Statement("one", "SELECT * FROM missing"))
