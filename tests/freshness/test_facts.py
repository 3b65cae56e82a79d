"""A key that was verified on the data lets ORDER BY be served, and only while it is known to hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor.core.table import TableName
from sartor.freshness.usable import Use
from tests.freshness.support import ask, database_of, opened, plain, warm

ORDERED = "SELECT a, b, a > 9 AS large FROM t WHERE b = 7 ORDER BY b, a DESC LIMIT 5"


def key_of(connection: Any, *columns: str) -> Any:
    database = database_of(connection)
    return database.install_key(TableName(database.engine().database, "main", "t"), frozenset(columns))


def test_an_order_by_an_undeclared_key_is_served() -> None:
    with opened() as con:
        warm(con, ORDERED)
        assert ask(con, ORDERED) == (plain(con, ORDERED), ())
        assert key_of(con, "b", "a").action.get("key") == ("a",)
        warm(con, ORDERED)
        assert ask(con, ORDERED) == (plain(con, ORDERED), (Use.WHOLE, Use.WHOLE))


@pytest.mark.parametrize("row", ["(300001, 7)", "(7, 7)", "(NULL, 7)"])
def test_after_an_append_it_is_looked_at_again_before_use(row: str) -> None:
    with opened() as con:
        key_of(con, "a")
        warm(con, ORDERED)
        con.execute(f"INSERT INTO t VALUES {row}")
        assert ask(con, ORDERED) == (plain(con, ORDERED), ())
        con.refresh()
        warm(con, ORDERED)
        rows, how = ask(con, ORDERED)
        assert rows == plain(con, ORDERED)
        assert how == ((Use.WHOLE, Use.WHOLE) if row == "(300001, 7)" else ())


def test_an_append_by_another_connection_between_sending_and_reading() -> None:
    with opened() as con, con.cursor() as other:
        key_of(con, "a")
        warm(con, ORDERED)
        con.execute("BEGIN")
        assert ask(con, ORDERED)[1] == (Use.WHOLE, Use.WHOLE)
        other.execute("INSERT INTO t VALUES (7, 7), (7, 7)")
        before = plain(other, "SELECT count(*) FROM t")
        rows, _ = ask(con, "SELECT count(*) FROM t")
        assert before[0][0] == rows[0][0] + 2
        assert ask(con, ORDERED)[1] == ()
        con.execute("COMMIT")
        assert ask(con, ORDERED)[0] == plain(con, ORDERED)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ("SELECT range AS a, 1 AS b FROM range(10)", ("a",)),
        ("SELECT 9 - range AS a, 1 AS b FROM range(10)", ("a",)),
        ("SELECT range // 2 AS a, range % 2 AS b FROM range(10)", ("a", "b")),
        ("SELECT range % 5 AS a, range % 5 AS b FROM range(10)", None),
        ("SELECT nullif(range, 4) AS a, 1 AS b FROM range(10)", None),
        ("SELECT 1 AS a, 1 AS b FROM range(1)", ("a",)),
        ("SELECT 1 AS a, 1 AS b FROM range(0)", ("a",)),
    ],
)
def test_what_is_a_key(values: str, found: tuple[str, ...] | None) -> None:
    with sartor.connect() as con:
        con.execute(f"CREATE TABLE t AS {values}")
        fact = key_of(con, "a", "b")
        assert (fact.action.get("key") if fact is not None else None) == found


def test_a_fact_survives_a_clean_close_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    with opened(path) as con:
        key_of(con, "a")
    with sartor.connect(path) as con:
        warm(con, ORDERED)
        assert ask(con, ORDERED) == (plain(con, ORDERED), (Use.WHOLE, Use.WHOLE))
        con.execute("UPDATE t SET a = 8 WHERE a = 9")
        assert ask(con, ORDERED) == (plain(con, ORDERED), ())
    with sartor.connect(path) as con:
        con.refresh()
        warm(con, ORDERED)
        assert ask(con, ORDERED) == (plain(con, ORDERED), ())
        assert con.undo().objects >= 0
        assert plain(con, "SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'sartor'") == [(0,)]
