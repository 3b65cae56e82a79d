"""Groups that ORDER BY tells apart only by a key that nobody declared: looked at while it is not known to hold, else not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor.core.table import TableName
from sartor.interfaces.database import Database
from tests.freshness.support import database_of, plain
from tests.views.support import install, is_served

VIEW = "SELECT p.p, p.name, l.h, sum(l.q), count(*) FROM lines l JOIN parts p ON l.p = p.p GROUP BY p.p, p.name, l.h"
BEST = (
    "SELECT p.p, p.name, sum(l.q) AS q FROM lines l JOIN parts p ON l.p = p.p WHERE l.h = {} GROUP BY p.p, p.name "
    "ORDER BY q DESC, p.p LIMIT 5"
)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What was found each time that ties were looked for."""
    found: list[bool] = []
    usual = Database.leaves_no_ties

    def leaves_no_ties(*arguments: Any) -> bool:
        found.append(usual(*arguments))
        return found[-1]

    monkeypatch.setattr(Database, "leaves_no_ties", leaves_no_ties)
    return found


@pytest.fixture
def con(tmp_path: Path) -> Iterator[Any]:
    with sartor.connect(tmp_path / "t.duckdb", config={"threads": 1}) as connection:
        connection.execute("CREATE TABLE parts AS SELECT i::INTEGER AS p, 'part ' || i % 40 AS name FROM range(400) r(i)")
        connection.execute(
            "CREATE TABLE lines AS SELECT (hash(i) % 400)::INTEGER AS p, (i % 5)::INTEGER AS h, (i % 7)::INTEGER AS q "
            "FROM range(20000) r(i)"
        )
        install(connection, VIEW)
        yield connection


def verify(con: Any) -> Any:
    return database_of(con).install_key(TableName(database_of(con).engine().database, "main", "parts"), frozenset(("p",)))


def test_nothing_is_looked_at_while_the_key_holds(con: Any, looked: list[bool]) -> None:
    assert is_served(con, BEST.format(1))
    assert looked, "nobody knows of a key yet"
    assert verify(con) is not None
    assert is_served(con, BEST.format(2))
    looked.clear()
    for h in range(5):
        assert is_served(con, BEST.format(h))
    assert looked == []
    con.execute("BEGIN")
    assert is_served(con, BEST.format(1))
    con.execute("COMMIT")
    assert looked == []


@pytest.mark.parametrize("twice", [True, False])
def test_rows_appended_to_its_table_are_looked_at_again(con: Any, looked: list[bool], twice: bool) -> None:
    assert verify(con) is not None
    assert is_served(con, BEST.format(1))
    looked.clear()
    con.execute(f"INSERT INTO parts SELECT p{'' if twice else ' + 1000'}, 'another' FROM parts")
    for h in range(5):  # with every part twice there are ties everywhere
        assert is_served(con, BEST.format(h)) is not twice
    assert set(looked) == {not twice}
    con.refresh()
    looked.clear()
    assert is_served(con, BEST.format(1)) is not twice
    assert is_served(con, BEST.format(2)) is not twice
    assert set(looked) == ({False} if twice else set())


def test_a_transaction_that_began_before_looks_itself(con: Any, looked: list[bool]) -> None:
    assert verify(con) is not None
    assert is_served(con, BEST.format(1))
    with con.cursor() as other:
        con.execute("BEGIN")
        con.execute("SELECT count(*) FROM lines").fetchall()
        other.execute("INSERT INTO parts SELECT p, 'another' FROM parts")
        expected = plain(other, BEST.format(1))
        assert con.execute(BEST.format(1)).fetchall() != expected, "its snapshot is from before"
        con.execute("COMMIT")
        assert con.execute(BEST.format(1)).fetchall() == expected


@pytest.mark.usefixtures("trials_win")
def test_a_round_finds_the_key_and_keeps_it(con: Any, looked: list[bool]) -> None:
    con.undo()
    for number in range(60):
        con.execute(BEST.format(number % 5)).fetchall()
    con.tune(seconds=30)
    assert any("unique_key" in line.component for line in con.design().lines)
    assert is_served(con, BEST.format(1))
    looked.clear()
    assert is_served(con, BEST.format(2))
    assert looked == []
