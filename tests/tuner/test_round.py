"""Rounds on a real database: what pays is built, proved, served and explained; what does not is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor.interfaces.connection import session_of
from tests.freshness.support import plain


def _shop(path: str | Path = ":memory:", rows: int = 1_500_000) -> Any:
    connection = sartor.connect(path)
    connection.execute(
        "CREATE TABLE items AS SELECT range AS id, (hash(range) % 20000)::INTEGER AS product, (hash(range + 1) % 9)::INTEGER AS size, "
        f"DATE '2024-01-01' + (range // 5000)::INTEGER AS day FROM range({rows})"
    )
    return connection


def _ask(connection: Any, times: int = 25) -> None:
    for number in range(times):
        connection.execute(f"SELECT size, count(*) FROM items WHERE product = {number * 7} GROUP BY size ORDER BY size").fetchall()
        connection.execute("SELECT id, day FROM items WHERE product BETWEEN ? AND ?", [number, number + 2]).fetchall()


@pytest.mark.usefixtures("trials_win")
def test_what_pays_is_built_and_served() -> None:
    with _shop() as con:
        _ask(con, 120)
        told: list[float] = []
        report = con.tune(seconds=30, progress=lambda text, share: told.append(share))
        # The slower the machine, the more a view beside the copy pays for the first template.
        built = {line.split(" (")[0].partition(" of ")[0] for line in report.built}
        assert "sort_keys of memory.main.items by product" in {line.split(" (")[0] for line in report.built}
        assert built <= {"sort_keys", "views"}
        assert report.tuned_seconds < report.plain_seconds
        assert told == sorted(told)
        text = "SELECT size, count(*) FROM items WHERE product = 77 GROUP BY size ORDER BY size"
        assert con.execute(text).fetchall() == plain(con, text)
        con.execute(text)
        (used,) = session_of(con).pending.alternative
        assert used in {line.identifier for line in con.design().lines}
        con.fetchall()
        kinds = [row[0] for row in con.ledger().project("kind").fetchall()]
        assert {"round", "build", "trial", "keep"} <= set(kinds)
        assert "built" in con.explain(1)
        assert len(con.design().lines) == len(report.built)
        assert con.undo().objects == len(report.built)
        assert con.design().lines == ()


def test_a_round_that_only_reports_changes_nothing(tmp_path: Path) -> None:
    with _shop(tmp_path / "shop.duckdb") as con:
        _ask(con, 120)
        report = con.tune(seconds=30, mode="report")
        assert report.built
        assert con.design().lines == ()
        assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'sartor'").fetchall() == [(0,)]


def test_where_nothing_helps_nothing_is_built() -> None:
    with _shop(rows=50_000) as con:
        for number in range(25):  # no zone map and no group tells this, and the other is ordered as it is asked
            con.execute(f"SELECT sum(size) FROM items WHERE id * 2 + product > {number}").fetchall()
            con.execute("SELECT id, day FROM items WHERE id BETWEEN ? AND ?", [number, number + 2]).fetchall()
        report = con.tune(seconds=10)
        assert report.built == ()
        assert con.design().lines == ()


@pytest.mark.usefixtures("trials_win")
def test_what_is_known_survives_a_reopen(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with _shop(path) as con:
        _ask(con, 120)
        assert con.tune(seconds=30).built
    with sartor.connect(path) as con:
        _ask(con, 2)
        con.execute("SELECT size, count(*) FROM items WHERE product = 5 GROUP BY size ORDER BY size")
        (used,) = session_of(con).pending.alternative
        assert used in {line.identifier for line in con.design().lines}
        con.fetchall()
        assert con.workload().filter("kind = 'read'").fetchall()


def test_interrupted_in_the_middle_it_leaves_a_valid_design() -> None:
    with _shop() as con:
        _ask(con, 120)

        def interrupt(text: str, share: float) -> None:
            if text.startswith("proving"):
                raise KeyboardInterrupt

        report = con.tune(seconds=30, progress=interrupt)
        assert report.interrupted
        assert con.design().lines == ()
        text = "SELECT size, count(*) FROM items WHERE product = 77 GROUP BY size ORDER BY size"
        assert con.execute(text).fetchall() == plain(con, text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0}, "0 seconds"),
        ({"storage": 0}, "0 bytes"),
        ({"storage": "much"}, "not a size"),
        ({"mode": "maybe"}, "not one of"),
    ],
)
def test_bad_budgets(options: dict[str, Any], message: str) -> None:
    with sartor.connect() as con, pytest.raises(sartor.BudgetError, match=message):
        con.tune(**options)


def test_nothing_was_asked_yet() -> None:
    with sartor.connect() as con:
        assert "no queries" in str(con.tune())


def test_mode_off_is_not_even_watched() -> None:
    with sartor.connect(mode="off") as con:
        con.execute("SELECT 1").fetchall()
        assert con.workload().fetchall() == []
        assert str(con.tune()) == "tuning is off"
