"""count(DISTINCT …) of the rows from (up to) some value of a key on, told by views that count each value where it is last (first)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor.components.views import estimate
from sartor.components.views.apply import definition
from sartor.components.views.define import view_of
from sartor.components.views.placed import corrections_behind
from sartor.components.views.propose import propose
from sartor.core.view import AT_FIRST, AT_LAST, State
from tests.freshness.support import database_of, plain
from tests.views.support import install, is_served

_VIEW = "SELECT w, d, count(DISTINCT x), count(DISTINCT name), sum(q), count(*) FROM t GROUP BY w, d"
_MATCHED = (
    "SELECT w, count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-20' GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT x) AS n, sum(q), count(*) FROM t WHERE d > DATE '2024-01-20' AND w IN (1, 3) GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT name) FROM t WHERE d >= '2024-01-20' AND d > DATE '2024-01-10' GROUP BY w ORDER BY w",
    "SELECT count(DISTINCT x), count(DISTINCT name) FROM t WHERE w = 2 AND DATE '2024-02-05' <= d",
    "SELECT count(DISTINCT x) FROM t WHERE w = 2 AND d > DATE '2030-01-01'",
    "SELECT w, count(DISTINCT x) FROM t GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT x) + 1 FROM t WHERE w <> 2 AND d >= TIMESTAMP '2024-01-20 12:00:00' GROUP BY w ORDER BY w",
)
_REFUSED = (
    "SELECT w, count(DISTINCT x) FROM t WHERE d <= DATE '2024-01-20' GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT x) FROM t WHERE d = DATE '2024-01-20' GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT x) FROM t WHERE d BETWEEN DATE '2024-01-05' AND DATE '2024-01-20' GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-05' AND d < DATE '2024-01-20' GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-05' OR w = 1 GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT x) FROM t WHERE d IN (DATE '2024-01-05', DATE '2024-01-20') GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT x) FROM t WHERE NOT d >= DATE '2024-01-05' GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT x) FROM t WHERE month(d) >= 2 GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT x) FROM t WHERE d IS NULL GROUP BY w ORDER BY w",
    "SELECT count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-20'",
    "SELECT count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-20' AND w IN (1, 2)",
    "SELECT count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-20' AND w >= 3",
    "SELECT d, count(DISTINCT x) FROM t WHERE w = 2 GROUP BY d ORDER BY d",
    "SELECT w, d, count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-20' GROUP BY w, d ORDER BY w, d",
    "SELECT w, month(d), count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-20' GROUP BY w, month(d) ORDER BY w, month(d)",
    "SELECT w, count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-20' GROUP BY ROLLUP (w) ORDER BY w, 2",
    "SELECT w % 2, count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-20' GROUP BY w % 2 ORDER BY w % 2",
    "SELECT w, count(DISTINCT x) FILTER (q > 3) FROM t WHERE d >= DATE '2024-01-20' GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT q) FROM t WHERE d >= DATE '2024-01-20' GROUP BY w ORDER BY w",
    "SELECT w, sum(DISTINCT x) FROM t WHERE d >= DATE '2024-01-20' GROUP BY w ORDER BY w",
    "SELECT w, count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-20' AND x > 5 GROUP BY w ORDER BY w",
)
_ROWS = (
    "nullif(hash(i) % 4, 0), nullif(hash(i + 1) % 50, 7), nullif('n' || hash(i + 4) % 30, 'n3'), "
    "CASE WHEN hash(i + 2) % 9 > 0 THEN DATE '2024-01-01' + (hash(i + 3) % 40)::INTEGER END, nullif(i % 7, 2)"
)


def made(path: Path | str = ":memory:") -> Any:
    """A table with NULLs in all columns, and the view along its days."""
    con = sartor.connect(path, config={"threads": 1})
    con.execute("CREATE TABLE t (w INTEGER, x BIGINT, name VARCHAR, d DATE, q DECIMAL(9, 2))")
    con.execute(f"INSERT INTO t SELECT {_ROWS} FROM range(3000) r(i)")
    install(con, _VIEW, along="d")
    return con


@pytest.fixture(scope="module")
def shop() -> Iterator[Any]:
    con = made()
    yield con
    con.close()


@pytest.mark.parametrize("text", _MATCHED)
def test_matched(shop: Any, text: str) -> None:
    assert is_served(shop, text)


@pytest.mark.parametrize("text", _REFUSED)
def test_refused(shop: Any, text: str) -> None:
    assert not is_served(shop, text)


def test_up_to_a_value() -> None:
    with made() as con:
        install(con, "SELECT w, d, count(DISTINCT x) FROM t GROUP BY w, d", along="d", function=AT_FIRST)
        assert is_served(con, "SELECT w, count(DISTINCT x) FROM t WHERE d < DATE '2024-01-20' GROUP BY w ORDER BY w")
        assert is_served(con, "SELECT w, count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-20' GROUP BY w ORDER BY w")


def test_types_whose_order_is_another_than_that_of_the_comparison() -> None:
    """'10' is less than '9': a text is compared with texts alone."""
    with sartor.connect(config={"threads": 1}) as con:
        con.execute("CREATE TABLE t AS SELECT (i % 30)::VARCHAR AS s, i % 7 AS x, (i % 9)::DOUBLE AS f FROM range(1000) r(i)")
        database = database_of(con)
        for key in ("s", "f"):
            assert view_of(f"SELECT {key}, count(DISTINCT x) FROM t GROUP BY {key}", database.catalog(), along=key) is None
        assert view_of("SELECT x, count(DISTINCT f) FROM t GROUP BY x", database.catalog(), along="x") is None


def test_a_view_of_some_rows() -> None:
    with made() as con:
        install(con, "SELECT w, d, count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-15' AND q > 2 GROUP BY w, d", along="d")
        told = "SELECT w, count(DISTINCT x) FROM t WHERE d >= DATE '2024-01-{}' AND q > 2 GROUP BY w ORDER BY w"
        assert is_served(con, told.format(20))
        assert not is_served(con, told.format(10))


@pytest.mark.parametrize("refreshed", [False, True])
def test_appended_rows_move_values_to_other_groups(refreshed: bool) -> None:
    with made() as con:
        for number in range(6):
            first = 3000 + 40 * number
            con.execute(f"INSERT INTO t SELECT {_ROWS} FROM range({first}, {first + 40}) r(i)")
            con.execute(
                "INSERT INTO t VALUES (2, 1, 'n1', NULL, 1), (2, 1, 'n1', DATE '2024-03-01', 1), (NULL, NULL, NULL, NULL, NULL)"
            )
            con.execute(f"INSERT INTO t VALUES ({number}, {100 + number}, 'new', DATE '2024-01-01', 3), ({number}, 99, '', NULL, 3)")
            if refreshed:
                con.refresh()
            for text in _MATCHED:
                assert is_served(con, text)


def test_after_deletes_and_updates() -> None:
    """The view is mended where a copy tells what the rows were, and built anew else; see also `test_mend`."""
    with made() as con:
        for change in (
            "DELETE FROM t WHERE d > DATE '2024-02-05'",
            "UPDATE t SET d = d + 3 WHERE x % 5 = 1",
            "DELETE FROM t WHERE w = 2",
        ):
            con.execute(change)
            assert not is_served(con, _MATCHED[0])
            con.refresh()
            for text in _MATCHED:
                assert is_served(con, text)


def test_empty_tables() -> None:
    with made() as con:
        con.execute("DELETE FROM t")
        con.refresh()
        for text in _MATCHED:
            assert is_served(con, text)
        con.execute(f"INSERT INTO t SELECT {_ROWS} FROM range(50) r(i)")
        for text in _MATCHED:
            assert is_served(con, text)


def test_it_is_proposed_for_what_is_asked() -> None:
    with made() as con:
        for _ in range(3):
            con.execute(_MATCHED[1]).fetchall()
        database = database_of(con)
        database.observer.take_in()
        catalog = database.catalog()
        actions = propose(database.log.workload().analysed(catalog), catalog)
        placed = [action for action in actions if any(state.is_placed for state in definition(action).states)]
        assert State(AT_LAST, '"main.t"."x"', '"main.t"."x"', '"main.t"."d"') in {s for a in placed for s in definition(a).states}


@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_what_does_not_pay_while_rows_are_appended_saves_nothing(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    with made() as con:
        con.execute(f"INSERT INTO t SELECT {_ROWS} FROM range(3000, 400000) r(i)")
        for _ in range(3):
            con.execute(_MATCHED[0]).fetchall()
        database = database_of(con)
        database.observer.take_in()
        catalog = database.catalog()
        workload = database.log.workload().analysed(catalog)
        placed = [action for action in propose(workload, catalog) if any(state.is_placed for state in definition(action).states)]
        monkeypatch.setattr(estimate, "_correcting_seconds", lambda view, engine: seconds)
        found = estimate.estimate(placed, workload, catalog, database.engine())
        assert [bool(one.seconds_saved) for one in found] == [seconds == 0.0] * len(placed)
        assert placed


def test_the_time_of_corrections_is_that_of_what_is_run(shop: Any) -> None:
    """The query that is timed is the one of the residual, for other rows."""
    database = database_of(shop)
    view = next(definition(derived.action) for derived in database.design.objects.values())
    place = next(place for place, state in enumerate(view.states) if state.is_placed)
    moved = database.engine().rows(f"SELECT sum(sartor_s{place}) FROM ({corrections_behind(view, place, -1)})")
    fresh = plain(shop, "SELECT count(*) FROM (SELECT DISTINCT w, x FROM t WHERE x IS NOT NULL)")
    assert moved == fresh
