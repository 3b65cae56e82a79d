"""A view that was built for some literals answers statements with other ones as plain DuckDB does, wherever these stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import duckdb
import pytest

import sartor
from sartor.components.views.define import view_of
from sartor.interfaces.connection import session_of
from tests.freshness.support import database_of, plain

_TABLES = """
CREATE TABLE t AS SELECT i % 5 AS g, DATE '2020-01-01' + i::INTEGER % 200 AS d, (i % 30)::INTEGER AS x, i::BIGINT AS n, i / 7 AS f,
    'a' || (i % 7) AS s FROM range(900) r(i);
CREATE TABLE v AS SELECT i AS id, 'l' || (i % 4) AS label, DATE '2020-01-01' + (i * 3)::INTEGER AS a FROM range(5) r(i);
CREATE TABLE w AS SELECT i AS id FROM range(30) r(i);
"""
_AGGREGATES = [
    "sum(CASE WHEN x > {0} THEN n ELSE 0 END)",
    "sum(CASE x WHEN {0} THEN n END)",
    "sum(CASE WHEN x > {0} AND g < 3 THEN n END)",
    "sum(CASE WHEN x IN ({0}, 3) THEN 1 END)",
    "sum(CASE WHEN s LIKE 'a{0}%' THEN n END)",
    "sum(CASE WHEN NOT x > {0} THEN n END)",
    "sum(CASE WHEN d - DATE '2020-03-{0:02d}' > 3 THEN n END)",
    "count(CASE WHEN d >= DATE '2020-03-{0:02d}' THEN 1 END)",
    "sum(coalesce(x, {0}))",
    "sum(n * (x + {0}))",
    "sum(abs(x - {0}))",
    "sum(x % {0})",
    "sum(if(x > {0}, n, 0))",
    "avg(x + {0})",
    "count(nullif(x, {0}))",
    "count(DISTINCT x + {0})",
    "max(greatest(x, {0}))",
    "sum(n) FILTER (WHERE x > {0})",
    "sum(n) FILTER (WHERE coalesce(x, {0}) > 2)",
    "count(*) FILTER (WHERE d > DATE '2020-03-{0:02d}')",
]
_ON = [
    "v.a >= DATE '2020-01-{0:02d}'",
    "v.a >= '2020-01-{0:02d}'",
    "v.a >= CAST('2020-01-{0:02d}' AS DATE)",
    "v.a BETWEEN DATE '2020-01-01' AND DATE '2020-01-{0:02d}'",
    "DATE '2020-01-{0:02d}' < v.a",
    "(v.a - DATE '2020-01-{0:02d}') > 1",
    "v.label = 'l{0}'",
    "v.label IN ('l1', 'l{0}')",
    "v.label LIKE 'l{0}%'",
    "NOT v.label LIKE 'l{0}%'",
    "v.id > {0}",
    "v.id + {0} > 5",
    "(v.id > {0} OR v.label = 'l1')",
]
_MORE = ("", " JOIN w ON w.id = t.x", " LEFT JOIN w ON w.id = t.x AND w.id < 20")
_CONDITIONS = [on for one in _ON for on in (f"v.id = t.g AND {one}", f"{one} AND v.id = t.g")]
_JOINS = [
    *(f"t {side} JOIN v ON {on}{more}" for side in ("LEFT", "INNER") for on in _CONDITIONS for more in _MORE),
    "t LEFT JOIN v ON v.id = t.g JOIN w ON w.id = t.x AND w.id <> {0}",
]
_FROM = [
    "t WHERE d >= DATE '2020-02-{0:02d}' - INTERVAL 1 DAY",
    "t WHERE x BETWEEN 2 AND {0}",
    "t WHERE (x > {0} OR g = 2)",
    "t WHERE NOT (x = {0})",
    "t WHERE coalesce(x, {0}) > 3",
    "t WHERE CASE WHEN x > {0} THEN g > 1 ELSE g > 2 END",
]
_KEYS = [
    "x + {0}",
    "CASE WHEN x > {0} THEN 1 ELSE 2 END",
    "x > {0}",
    "coalesce(x, {0})",
    "d >= DATE '2020-03-{0:02d}'",
    "x % {0}",
    "left(s, {0})",
    "x BETWEEN 1 AND {0}",
    "x IN (1, {0})",
]
_TEXTS = [
    *(f"SELECT g, {one} AS a FROM t GROUP BY g ORDER BY g" for one in _AGGREGATES),
    *(f"SELECT t.g, count(*) AS a, count(v.id) AS b FROM {one} GROUP BY t.g ORDER BY t.g" for one in _JOINS),
    *(f"SELECT t.g, count(*) AS a, sum(t.n) AS b FROM {one} GROUP BY t.g ORDER BY t.g" for one in _FROM),
    *(f"SELECT {one} AS k, count(*) AS a, sum(n) AS b FROM t GROUP BY {one} ORDER BY 1" for one in _KEYS),
    *(f"SELECT {one} AS k, count(*) AS a FROM t GROUP BY 1 HAVING count(*) > 3 ORDER BY 1" for one in _KEYS),
    *(f"SELECT {one} AS k, sum(n) AS a FROM t GROUP BY ALL ORDER BY ALL" for one in _KEYS),
]


@pytest.fixture(scope="module")
def con() -> Iterator[Any]:
    with sartor.connect(config={"threads": 1}) as connection:
        connection.execute(_TABLES)
        yield connection


@pytest.mark.parametrize("text", _TEXTS)
def test_other_literals_get_their_own_answer(con: Any, text: str) -> None:
    con.undo()
    database = database_of(con)
    with database.engine_lock:
        action = view_of(text.format(4), database.catalog())
    if action is not None:
        with suppress(duckdb.Error):  # DuckDB 2.0.1 can not compute some of these sums below a LEFT JOIN itself
            database.install(action)
    for literal in (4, 4, 7, 9, 2, 4, 12):
        asked = text.format(literal)
        assert _outcome(lambda asked=asked: con.execute(asked).fetchall()) == _outcome(lambda asked=asked: plain(con, asked)), asked


def _outcome(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except duckdb.Error as error:
        return str(error)


def test_views_answer_where_the_literals_are_theirs(con: Any) -> None:
    served = 0
    for each in _ON[:2]:
        con.undo()
        text = f"SELECT t.g, count(*) AS a FROM t LEFT JOIN v ON v.id = t.g AND {each} JOIN w ON w.id = t.x GROUP BY t.g ORDER BY t.g"
        database = database_of(con)
        with database.engine_lock:
            action = view_of(text.format(4), database.catalog())
        assert action is not None
        database.install(action)
        for literal in (4, 4, 9, 4):
            assert con.execute(text.format(literal)).fetchall() == plain(con, text.format(literal))
            served += session_of(con).pending.instead is not None
    assert served == 4
