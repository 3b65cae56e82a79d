"""Rows of a view that are a statement's groups are handed out as they are stored, and only those."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from fuzz.compare import answer, difference

import sartor
from sartor.components.views.define import view_of
from sartor.interfaces.connection import session_of
from tests.views.support import install, is_served

_VIEW = "SELECT g, s, d, count(*), count(v), sum(v), sum(x), min(s), max(v), bool_and(v > 3) FROM t GROUP BY g, s, d"


class Served:
    """A table with a view of it, served and plain."""

    def __init__(self) -> None:
        self.connection: Any = sartor.connect(config={"threads": 1})
        self.connection.execute(
            "CREATE TABLE t AS SELECT nullif(i % 7, 3)::INTEGER AS g, CASE i % 4 WHEN 0 THEN 'q' WHEN 2 THEN 'r' END AS s, "
            "DATE '2024-01-01' + (i % 5)::INTEGER AS d, nullif(i % 11, 2)::INTEGER AS v, i / 4 AS x FROM range(10000) r(i)"
        )
        self.connection.execute("CREATE TABLE u AS SELECT range::INTEGER AS g, 'n' || range AS name FROM range(7)")
        self.install(_VIEW)
        self.install("SELECT t.g, u.g, u.name, count(*), sum(t.v) FROM t JOIN u ON t.g = u.g GROUP BY t.g, u.g, u.name")
        self.plain = duckdb.DuckDBPyConnection.cursor(self.connection)

    def install(self, text: str) -> None:
        database = session_of(self.connection).database
        with database.engine_lock:
            action = view_of(text, database.catalog())
        assert action is not None
        database.install(action)

    def text(self, query: str) -> str:
        """The text that a query is answered by, which must give what plain gives."""
        for _ in range(3):
            self.connection.execute(query)
            given = answer(self.connection)
        expected = answer(self.plain.execute(query))
        assert difference(expected, given, ordered="ORDER BY" in query, floats=True) is None
        return _instead(self.connection)


def _instead(connection: Any) -> str:
    """The text that the last statement was answered by."""
    call = session_of(connection).pending
    assert call is not None
    assert call.instead is not None
    return str(call.instead)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    found = Served()
    yield found
    found.connection.close()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT g, s, d, count(*), count(v), sum(x), avg(v), max(v) FROM t GROUP BY g, s, d ORDER BY g, s, d",
        "SELECT g, s, d, sum(v) + 1 AS more FROM t GROUP BY ALL ORDER BY more DESC, g, s, d LIMIT 4",
        "SELECT count(v), avg(v), bool_and(v > 3) FROM t WHERE d = DATE '2024-01-02' GROUP BY g, s",
        "SELECT g, count(*) FROM t WHERE d = '2024-01-03' AND s = 'r' GROUP BY g ORDER BY 1",
        "SELECT s, sum(v) AS total FROM t WHERE 2 = g AND d = DATE '2024-01-01' GROUP BY 1 ORDER BY 1",
        "SELECT max(q.n), count(*) FROM (SELECT g, s, d, count(*) AS n FROM t WHERE g > 2 GROUP BY g, s, d) AS q WHERE q.n > 1",
        "SELECT t.g, name, count(*) FROM t JOIN u ON t.g = u.g GROUP BY t.g, name ORDER BY 1, 2",
        "SELECT name, sum(v) FROM t JOIN u ON t.g = u.g WHERE u.g = 4 GROUP BY name",
    ],
)
def test_groups_that_are_rows(served: Served, query: str) -> None:
    assert 'sum("sartor_view"' not in served.text(query)
    assert "GROUP BY" not in served.text(query).upper()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT g, s, count(*) FROM t GROUP BY g, s",
        "SELECT g, count(*) FROM t WHERE d = DATE '2024-01-02' AND s > 'a' GROUP BY g",
        "SELECT g, count(*) FROM t WHERE d = DATE '2024-01-02' AND (s = 'r' OR g = 1) GROUP BY g",
        "SELECT g, s, d, count(*) FROM t GROUP BY g, s, d HAVING count(*) > 3",
        "SELECT DISTINCT count(*) FROM t GROUP BY g, s, d",
        "SELECT g, s, d, count(*) FROM t GROUP BY ROLLUP (g, s, d)",
        "SELECT g, s, d, count(*) FILTER (WHERE g > 3) FROM t GROUP BY g, s, d",
        "SELECT g, s, d, count(DISTINCT g) FROM t GROUP BY g, s, d",
        "SELECT g, s, month(d), count(*) FROM t GROUP BY g, s, month(d)",
        "SELECT count(*), sum(v) FROM t WHERE g = 1 AND s = 'r' AND d = DATE '2024-01-02'",
        "SELECT name, sum(v) FROM t JOIN u ON t.g = u.g WHERE u.g > 4 GROUP BY name",
    ],
)
def test_groups_that_are_put_together(served: Served, query: str) -> None:
    text = served.text(query)
    assert "sum(" in text or "DISTINCT" in text


@pytest.mark.parametrize("literal", ["DATE '2024-01-01'", "TIMESTAMP '2024-01-01'"])
def test_a_text_equals_a_date_in_several_ways(literal: str) -> None:
    served = Served()
    with served.connection as connection:
        connection.execute(
            "CREATE TABLE w AS SELECT i % 7 AS g, ['2024-01-01', '2024-1-1', '2024-01-01 00:00:00'][1 + i % 3] AS s "
            "FROM range(9000) r(i)"
        )
        served.install("SELECT g, s, count(*) FROM w GROUP BY g, s")
        text = served.text(f"SELECT g, count(*) FROM w WHERE s = {literal} GROUP BY g ORDER BY g")
        assert "sum(" in text


_TYPES = {
    "i": "(i % 5)::INTEGER",
    "d": "((i % 10) / 2.0)::DECIMAL(9,2)",
    "s": "['1', '01', '1.0', '2024-01-01', '2024-1-1'][1 + i % 5]",
    "o": "i % 2 = 0",
    "t": "DATE '2024-01-01' + (i % 3)::INTEGER",
    "m": "TIMESTAMP '2024-01-01' + INTERVAL (i % 3) HOUR",
    "e": "['a', 'A', 'a ', 'b'][1 + i % 4]",
}
_LITERALS = ("1", "1.0", "'1'", "'01'", "DATE '2024-01-01'", "TIMESTAMP '2024-01-01'", "'2024-1-1'", "true", "'a'", "NULL", "1e0")


@pytest.mark.parametrize("column", _TYPES)
def test_whatever_a_key_is_compared_with(column: str) -> None:
    served = Served()
    with served.connection as connection:
        made = ", ".join(f"{expression} AS {name}" for name, expression in _TYPES.items())
        connection.execute(f"CREATE TABLE typed AS SELECT (i % 7)::INTEGER AS g, {made} FROM range(5000) r(i)")
        served.install(f"SELECT g, {column}, count(*) FROM typed GROUP BY g, {column}")
        for literal in _LITERALS:
            query = f"SELECT g, count(*) FROM typed WHERE {column} = {literal} GROUP BY g ORDER BY g"
            try:
                expected = served.plain.execute(query).fetchall()
            except duckdb.Error:
                continue
            for _ in range(3):
                assert connection.execute(query).fetchall() == expected, query


def test_groups_that_come_in_parts_are_put_together() -> None:
    served = Served()
    query = "SELECT g, s, d, count(*), sum(v) FROM t GROUP BY g, s, d ORDER BY g, s, d"
    with served.connection as connection:
        assert "group" not in served.text(query).lower()
        connection.execute("INSERT INTO t SELECT 1, 'r', DATE '2024-01-02', range, 0.5 FROM range(20)")
        assert "UNION ALL" in served.text(query)
        connection.refresh()
        assert "UNION ALL" not in served.text(query)
        assert "GROUP BY" in served.text(query)
        connection.execute("DELETE FROM t WHERE v = 7")
        connection.refresh()
        assert served.text(query)


def test_groups_of_a_former_process_are_put_together_if_they_came_in_parts(tmp_path: Path) -> None:
    text = "SELECT g, count(*), sum(v) FROM t GROUP BY g ORDER BY g"
    file = tmp_path / "t.duckdb"
    with sartor.connect(file, config={"threads": 1}) as con:
        con.execute("CREATE TABLE t AS SELECT (i % 7)::INTEGER AS g, i::INTEGER AS v FROM range(1000) r(i)")
        install(con, text)
    for parts in (False, True):
        with sartor.connect(file, config={"threads": 1}) as con:
            assert is_served(con, text)
            assert ("GROUP BY" in _instead(con)) == parts
            assert con.execute(text).fetchall() == duckdb.DuckDBPyConnection.cursor(con).execute(text).fetchall()
            con.execute("INSERT INTO t VALUES (3, 1), (9, 1)")
            con.refresh()
