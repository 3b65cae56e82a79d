"""Auxiliary copies from candidates to upkeep: proposed for what changes, kept while views want them, never seen in an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor.components.auxiliary_copies.propose import propose
from sartor.core.view import VIEWS
from tests.freshness.support import database_of, plain
from tests.views.support import is_served

AUXILIARY = "auxiliary_copies"
BY_SIZE = "SELECT size, count(*) AS n, sum(amount) AS amount FROM items WHERE day >= DATE '2024-01-1{}' GROUP BY size ORDER BY size"
BY_NAME = "SELECT s.name, max(i.amount) AS most FROM items i JOIN sizes s ON i.size = s.id WHERE s.id > {} GROUP BY s.name ORDER BY 1"


def opened(path: str | Path, rows: int = 400_000) -> Any:
    connection = sartor.connect(path, config={"threads": 1})
    connection.execute(
        "CREATE TABLE items AS SELECT i AS id, (i % 9)::INTEGER AS size, (i % 97)::DECIMAL(9,2) AS amount, 'note ' || i % 7 AS note, "
        f"DATE '2024-01-01' + (i // 8000)::INTEGER AS day FROM range({rows}) r(i)"
    )
    connection.execute("CREATE TABLE sizes AS SELECT i::INTEGER AS id, 'size ' || i AS name FROM range(9) r(i)")
    return connection


def asked(connection: Any, times: int = 60) -> None:
    for number in range(times):
        for text in (BY_SIZE, BY_NAME):
            connection.execute(text.format(number % 9)).fetchall()
    connection.execute("SELECT note FROM items WHERE id = 5").fetchall()


def candidates(connection: Any) -> dict[str, tuple[str, ...]]:
    """The columns proposed, by the name of the table."""
    database = database_of(connection)
    database.observer.take_in()
    with database.engine_lock:
        catalog = database.catalog()
        return {a.source.name: a.get("columns") for a in propose(database.log.workload().analysed(catalog), catalog)}


def kinds(connection: Any) -> list[str]:
    return sorted(line.component for line in connection.design().lines)


def test_what_changes_is_a_candidate_with_the_columns_that_views_could_read(tmp_path: Path) -> None:
    with opened(tmp_path / "t.duckdb") as con:
        asked(con, 2)
        con.execute("INSERT INTO items SELECT * FROM items LIMIT 3")
        assert candidates(con) == {}, "rows that are appended need no copy"
        con.execute("UPDATE items SET note = 'x' WHERE id = 7")
        assert candidates(con) == {"items": ("size", "amount", "day")}
        con.execute("DELETE FROM SIZES WHERE id = 700")
        assert candidates(con) == {"items": ("size", "amount", "day"), "sizes": ("id", "name")}


def test_what_has_generated_columns_is_none(tmp_path: Path) -> None:
    with opened(tmp_path / "t.duckdb", 10) as con:
        con.execute("CREATE TABLE made (a INTEGER, b INTEGER AS (a + 1))")
        con.execute("SELECT a, count(*) FROM made GROUP BY a").fetchall()
        con.execute("DELETE FROM made WHERE a = 1")
        assert candidates(con) == {}


def test_what_earlier_processes_changed_counts(tmp_path: Path) -> None:
    with opened(tmp_path / "t.duckdb", 10) as con:
        asked(con, 2)
        con.execute("DELETE FROM items WHERE id = 1")
    with sartor.connect(tmp_path / "t.duckdb") as con:
        assert set(candidates(con)) == {"items"}


@pytest.mark.usefixtures("trials_win")
def test_it_is_kept_while_views_want_it(tmp_path: Path) -> None:
    with opened(tmp_path / "t.duckdb") as con:
        asked(con)
        con.tune(seconds=30)
        assert set(kinds(con)) & {AUXILIARY, VIEWS} == {VIEWS}
        for number in range(4):
            con.execute(f"DELETE FROM items WHERE id = {number}")
            asked(con, 1)
        report = con.tune(seconds=30)
        assert any("tells what has changed" in line for line in report.built), report.built
        assert AUXILIARY in kinds(con)
        generations = {d.identifier: d.generation for d in database_of(con).design.objects.values()}
        con.execute("UPDATE items SET amount = 1000 WHERE id % 40000 = 3")
        con.execute("DELETE FROM items WHERE id % 50000 = 4")
        con.refresh()
        assert {d.identifier: d.generation for d in database_of(con).design.objects.values()} == generations, "all was mended"
        for text in (BY_SIZE.format(3), BY_NAME.format(2)):
            for _ in range(2):
                assert con.execute(text).fetchall() == plain(con, text)
            assert is_served(con, text)
            assert "it answers nothing: it tells what has changed in its table" in str(con.explain_rewrite(text))
        con.tune(seconds=30)
        assert AUXILIARY in kinds(con), "it stands, and is wanted still"
        for line in con.design().lines:
            assert (line.component, line.templates) != (VIEWS, 0)
        con.undo()
        assert kinds(con) == []


@pytest.mark.usefixtures("trials_win")
def test_in_memory_nothing_can_be_told(tmp_path: Path) -> None:
    with opened(":memory:") as con:
        asked(con)
        con.execute("DELETE FROM items WHERE id = 1")
        con.tune(seconds=30)
        assert set(kinds(con)) & {AUXILIARY, VIEWS} == {VIEWS}
