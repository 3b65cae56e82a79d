"""What appended rows add to a view is told by a statement's text from its second run on, and only while nothing more is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

import sartor
from sartor.core.constants import TOLD_ROWS
from sartor.freshness.told import appended_rows
from sartor.interfaces.connection import session_of
from tests.freshness.support import database_of, plain
from tests.views.support import candidates, install

_TABLES = """
CREATE TABLE shops AS SELECT i::INTEGER AS shop, CASE WHEN i % 7 = 0 THEN NULL ELSE 'it''s "no" \\' || (i % 5) || ', NULL' END AS area
    FROM range(60) r(i);
CREATE TABLE sales AS SELECT i AS id, (i % 63)::INTEGER AS shop, DATE '2020-01-01' + (i % 90)::INTEGER AS day,
    (i * 0.25)::DECIMAL(9,2) AS v, i / 7 AS f FROM range(5000) r(i);
"""
_JOIN = "FROM sales s JOIN shops h ON s.shop = h.shop"
_AREAS = (
    f"SELECT h.area, count(*) AS n, sum(s.v) AS v, min(s.day) AS first, max(h.shop) AS most {_JOIN} GROUP BY h.area ORDER BY h.area"
)
_NEW = "INSERT INTO sales VALUES (9001, 3, DATE '2019-05-05', 7.75, 0.5), (9002, 7, 'infinity', -3, NULL), (9003, NULL, NULL, NULL, 1)"


@pytest.fixture
def con() -> Iterator[Any]:
    with sartor.connect(config={"threads": 1}) as connection:
        connection.execute(_TABLES)
        install(connection, _AREAS)
        _warm(connection, _AREAS)
        yield connection


def _warm(con: Any, text: str) -> None:
    """A template is served from its second run on."""
    for _ in range(2):
        con.execute(text).fetchall()


def _told(con: Any, text: str = _AREAS) -> str:
    """What is told in the place of the tables; its answer is plain's in any case."""
    assert con.execute(text).fetchall() == plain(con, text), text
    call = session_of(con).pending
    assert call is not None
    assert call.instead is not None, text
    told = [one for one in call.told_rows if one is not None]
    assert all(one.rows is not None and one.rows in call.instead for one in told)
    return "".join(one.rows or "nothing" for one in told)


def test_the_second_statement_after_an_append_tells_what_came(con: Any) -> None:
    assert [bool(_told(con)) for _ in range(3)] == [False] * 3
    con.execute(_NEW)
    assert [bool(_told(con)) for _ in range(3)] == [False, True, True]
    assert "2019-05-05" in _told(con)
    assert "sales" not in session_of(con).pending.instead.partition("FROM")[2].partition("GROUP")[0]


def test_it_is_told_anew_whenever_something_was_written(con: Any) -> None:
    for number in range(4):
        con.execute(f"INSERT INTO sales VALUES ({number}, {number}, DATE '2018-01-0{number + 1}', 1, 1)")
        con.execute(f"INSERT INTO shops VALUES ({100 + number}, 'new {number}')" if number % 2 else "SELECT 1")
        assert [bool(_told(con)) for _ in range(3)] == [False, True, True]
    con.execute("INSERT INTO sales SELECT * FROM sales WHERE id < 0")
    assert [bool(_told(con)) for _ in range(2)] == [False, True]


def test_rows_that_join_nothing_add_nothing(con: Any) -> None:
    con.execute("INSERT INTO sales VALUES (1, 9999, NULL, 1, 1)")
    assert [_told(con) for _ in range(3)] == ["", "nothing", "nothing"]
    assert "UNION" not in session_of(con).pending.instead


def test_writes_of_other_connections_count(con: Any) -> None:
    other = con.cursor()
    other.execute(_NEW)
    assert [bool(_told(con)) for _ in range(2)] == [False, True]
    other.execute(_NEW)
    assert [bool(_told(con)) for _ in range(2)] == [False, True]
    other.execute("BEGIN")
    other.execute(_NEW)
    assert bool(_told(con))  # nothing of it is committed
    other.execute("COMMIT")
    assert not _told(con)
    duckdb.DuckDBPyConnection.execute(other, _NEW)  # past Sartor
    assert con.execute(_AREAS).fetchall() == plain(con, _AREAS)


def test_after_a_delete_an_update_and_a_refresh(con: Any) -> None:
    con.execute(_NEW)
    assert [bool(_told(con)) for _ in range(2)] == [False, True]
    for change in ("DELETE FROM sales WHERE id = 9001", "UPDATE shops SET area = 'moved' WHERE shop = 7"):
        con.execute(change)
        for _ in range(3):
            assert con.execute(_AREAS).fetchall() == plain(con, _AREAS)
    con.refresh()
    assert not _told(con)
    con.execute(_NEW)
    for _ in range(3):
        assert con.execute(_AREAS).fetchall() == plain(con, _AREAS)


def test_inside_a_transaction_tables_are_asked(con: Any) -> None:
    con.execute(_NEW)
    assert [bool(_told(con)) for _ in range(2)] == [False, True]
    con.execute("BEGIN")
    for _ in range(3):
        assert con.execute(_AREAS).fetchall() == plain(con, _AREAS)
        assert session_of(con).pending.told_rows == ()
    con.execute("ROLLBACK")
    assert _told(con)


def test_other_statements_of_the_view_tell_the_same_groups(con: Any) -> None:
    con.execute(_NEW)
    for text in (
        _AREAS,
        f"SELECT count(*), sum(s.v) {_JOIN}",
        f"SELECT h.area, sum(s.v) {_JOIN} WHERE h.area LIKE '%3%' GROUP BY h.area",
    ):
        for _ in range(3):
            con.execute(text).fetchall()
        assert _told(con, text)


def test_too_much_is_not_told_nor_read_again(con: Any) -> None:
    con.execute(f"INSERT INTO shops SELECT 1000 + i, 'area ' || i FROM range({int(TOLD_ROWS.default) + 1}) r(i)")
    con.execute(f"INSERT INTO sales SELECT i, 1000 + i, NULL, 1, 1 FROM range({int(TOLD_ROWS.default) + 1}) r(i)")
    assert [bool(_told(con)) for _ in range(3)] == [False] * 3
    con.execute(_NEW)
    assert [bool(_told(con)) for _ in range(3)] == [False] * 3
    con.refresh()
    con.execute(_NEW)
    assert [bool(_told(con)) for _ in range(2)] == [False, True]


def test_distinct_counts_are_told_with_their_corrections() -> None:
    text = "SELECT x, count(DISTINCT n) AS values FROM t WHERE d >= DATE '2020-04-01' GROUP BY x ORDER BY x"
    action = next(one for one in candidates(text) if any(state.is_placed for state in _states(one)))
    with sartor.connect(config={"threads": 1}) as con:
        con.execute(
            "CREATE TABLE t AS SELECT i % 5 AS g, DATE '2020-01-01' + i::INTEGER AS d, (i % 90)::INTEGER AS x, i::BIGINT AS n, "
            "i / 7 AS f FROM range(900) r(i)"
        )
        database_of(con).install(action)
        _warm(con, text)
        for rows in (
            "(1, DATE '2021-01-01', 5, 5, 1), (1, DATE '2020-01-02', 6, 6, 1)",
            "(1, NULL, 5, 95, 1), (1, DATE '2022-01-01', 5, 5, 1)",
        ):
            con.execute(f"INSERT INTO t VALUES {rows}")
            assert [bool(_told(con, text)) for _ in range(3)] == [False, True, True]


def _states(action: Any) -> Any:
    from sartor.core.view import definition_of

    return definition_of(action).states


def test_a_view_of_one_table_is_soon_asked(con: Any) -> None:
    text = "SELECT shop, count(*) AS n FROM sales GROUP BY shop ORDER BY shop"
    install(con, text)
    _warm(con, text)
    con.execute(_NEW)
    assert [bool(_told(con, text)) for _ in range(3)] == [False] * 3


def test_purge_lets_go_of_the_values(con: Any) -> None:
    con.execute(_NEW)
    assert [bool(_told(con)) for _ in range(2)] == [False, True]
    con.purge()
    database = database_of(con)
    assert not any("2019-05-05" in repr((known._compiled, known.parsed)) for known in database.texts.values())
    assert not _told(con)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (
            "VARCHAR",
            ["''", "'NULL'", "NULL", "'a, b'", "'[x]'", "'\"q\"'", "'it''s'", "'\\'", "' lead'", "'é 🦆'", "chr(10)", "'null'"],
        ),
        ("TIMESTAMP", ["'2020-01-01 10:00:00.123456'", "'infinity'", "'-infinity'", "NULL", "'0044-03-15 (BC) 00:00:00'"]),
        ("DATE", ["'infinity'", "'5877642-06-25 (BC)'", "'9999-12-31'", "NULL"]),
        ("DECIMAL(38,10)", ["'9999999999999999999999999999.9999999999'", "-0.0000000001", "0"]),
        ("HUGEINT", ["'170141183460469231731687303715884105727'", "'-170141183460469231731687303715884105728'"]),
        ("BOOLEAN", ["true", "false", "NULL"]),
        ("UBIGINT", ["18446744073709551615"]),
    ],
)
def test_values_come_back_as_they_were(kind: str, values: list[str]) -> None:
    with sartor.connect(config={"threads": 1}) as con:
        con.execute(f"CREATE TABLE t (k {kind}, v INTEGER)")
        derived = install(con, "SELECT v, min(k), count(*) FROM t GROUP BY v")
        rows = ", ".join(f"(CAST({value} AS {kind}), 1)" for value in values)
        engine = database_of(con).engine()
        asked = f"SELECT v AS sartor_k0, k AS sartor_s0, 1::BIGINT AS sartor_n FROM (VALUES {rows}) AS t(k, v)"
        told = appended_rows(engine, derived, asked)
        assert told
        back = engine.rows(f"SELECT count(*), count(DISTINCT struct_pack(k := sartor_s0)) FROM ({told}) WHERE sartor_n = 1")
        assert back == engine.rows(f"SELECT count(*), count(DISTINCT struct_pack(k := sartor_s0)) FROM ({asked})")
        assert engine.rows(f"({told}) EXCEPT ALL ({asked})") == []
        assert engine.rows(f"({asked}) EXCEPT ALL ({told})") == []
