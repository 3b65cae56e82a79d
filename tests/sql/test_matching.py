"""What two columns of one value may not be taken for: held against plain DuckDB, errors included."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

import sartor
from sartor.components.views.define import view_of
from sartor.interfaces.connection import session_of

VIEW = "SELECT g.i, g.d, date_trunc('month', g.d), sum(s.q), count(*) FROM s JOIN g ON s.i = g.i GROUP BY ALL"


@pytest.fixture
def connection() -> Any:
    with sartor.connect(":memory:", config={"threads": 1}) as opened:
        opened.execute("CREATE TABLE s AS SELECT i % 3 AS i, i AS q FROM range(30) t(i)")
        opened.execute("CREATE TABLE g AS SELECT i, DATE '2024-01-01' + (i * 20)::INTEGER AS d FROM range(3) t(i)")
        database = session_of(opened).database
        action = view_of(VIEW, database.catalog())
        assert action is not None
        database.install(action)
        yield opened


def outcome(connection: Any, text: str) -> Any:
    try:
        return sorted(map(str, connection.execute(text).fetchall()))
    except duckdb.Error as error:
        return type(error), str(error)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT s.i, sum(s.q) FROM s JOIN g ON s.i = g.i GROUP BY g.i",
        "SELECT g.i, sum(s.q) FROM s JOIN g ON s.i = g.i GROUP BY g.i HAVING s.i > 0",
        "SELECT g.i, s.i, grouping(g.i), grouping(s.i), sum(s.q) FROM s JOIN g ON s.i = g.i GROUP BY CUBE (g.i, s.i)",
        "SELECT g.i, s.i, sum(s.q) FROM s JOIN g ON s.i = g.i GROUP BY GROUPING SETS ((g.i), (s.i))",
        "SELECT g.i, s.i, count(*) FROM s JOIN g ON s.i = g.i GROUP BY ROLLUP (g.i, s.i)",
        "SELECT date_trunc('MONTH', g.d), sum(s.q) FROM s JOIN g ON s.i = g.i GROUP BY date_trunc('month', g.d)",
    ],
)
def test_columns_that_are_equal_in_every_row_are_two(connection: Any, text: str) -> None:
    expected = outcome(duckdb.DuckDBPyConnection.cursor(connection), text)
    assert [outcome(connection, text) for _ in range(3)] == [expected] * 3


@pytest.mark.parametrize("column", ["s.i", "g.i"])
def test_one_of_them_alone_is_answered(connection: Any, column: str) -> None:
    text = f"SELECT {column}, sum(s.q) FROM s JOIN g ON s.i = g.i WHERE g.i > 0 GROUP BY ROLLUP ({column})"
    expected = outcome(duckdb.DuckDBPyConnection.cursor(connection), text)
    assert [outcome(connection, text) for _ in range(3)] == [expected] * 3
    connection.execute(text)
    assert session_of(connection).pending.alternative == (1,)
