"""Variances from views whose tables are written: squares of rows appended are added, those of rows gone are subtracted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor.components.sort_keys.apply import sorted_copy
from sartor.components.views.apply import definition
from sartor.core.table import TableName
from sartor.core.view import VIEWS
from sartor.interfaces.connection import session_of
from tests.freshness.support import database_of, plain
from tests.fuzz.compare import difference
from tests.views.support import candidates, install

_VIEW = "SELECT g, h, stddev(x), variance(p), count(*) FROM t GROUP BY g, h"
_ASKED = (
    "SELECT g, stddev(x), var_pop(x), sum(x), avg(x) FROM t GROUP BY g",
    "SELECT g, h, variance(p), stddev_pop(p), stddev(x) FROM t GROUP BY g, h",
    "SELECT h, var_samp(p) FILTER (WHERE g > 2), stddev(x) FILTER (WHERE g = 99) FROM t GROUP BY h",
    "SELECT stddev_samp(x), var_pop(p) FROM t",
    "SELECT g, stddev(p) FROM t GROUP BY ROLLUP (g)",
)
_WRITES = (
    "INSERT INTO t VALUES (1, 8, 5, 0.25), (2, 9, NULL, 1.00), (7, 7, -2147483648, -9999999999.99)",
    "INSERT INTO t SELECT g, h, x + 1, p FROM t WHERE g = 3",
    "UPDATE t SET x = x - 3, p = NULL WHERE h = 2 AND g = 2 AND x % 5 = 0",
    "UPDATE t SET x = 0, p = 0 WHERE g = 8",
    "DELETE FROM t WHERE g = 7 OR x % 97 = 0",
    "UPDATE t SET x = NULL WHERE g = 1 AND h = 1",
    "DELETE FROM t WHERE g = 8 OR h = 3 AND g = 3",
    "DELETE FROM t WHERE h > 1",
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Any]:
    """A table with a copy, so that views are mended, and groups of one row, of equal values and of NULLs alone."""
    with sartor.connect(tmp_path / "shop.duckdb", config={"threads": 1}) as con:
        con.execute("CREATE TABLE t (g INTEGER, h INTEGER, x INTEGER, p DECIMAL(12,2))")
        con.execute(
            "INSERT INTO t SELECT i % 5, i % 7, i * 7919 % 1009 - 500, (i * 31 % 10007)::DECIMAL(12,2) / 100 FROM range(5000) r(i)"
        )
        con.execute("INSERT INTO t VALUES (7, 0, 1, 1), (8, 0, 4, 0.1), (8, 0, 4, 0.1), (8, 0, 4, 0.1), (9, 0, NULL, NULL)")
        install(con, _VIEW)
        database = database_of(con)
        name = TableName(database.engine().database, "main", "t")
        database.install(sorted_copy(name, ("g", "h", "x", "p"), ("g",), frozenset()))
        yield con


def served(con: Any, text: str) -> bool:
    """Whether a statement is answered from a view; its answer is plain's but for last bits."""
    for _ in range(3):
        con.execute(text)
        call = session_of(con).pending
        columns = [(column[0], str(column[1])) for column in con.description]
        given = columns, con.fetchall()
        expected = columns, plain(con, text)
        assert difference(expected, given, ordered=False, floats=True) is None, text
    return call is not None and call.instead is not None


def test_served_through_writes(shop: Any) -> None:
    assert [text for text in _ASKED if not served(shop, text)] == []
    mended = []
    for write in _WRITES:
        shop.execute(write)
        for text in _ASKED:
            served(shop, text)
        held = tables(shop)
        shop.refresh()
        if tables(shop) == held:
            mended.append(write)
        for text in _ASKED:
            served(shop, text)
    assert [one for one in database_of(shop).ledger.decisions() if one.kind == "fall_back"] == []
    assert {write.partition(" ")[0] for write in mended} == {"INSERT", "UPDATE", "DELETE"}


def tables(con: Any) -> set[str]:
    """The tables of its views: a view that is built anew gets another one."""
    return {derived.table for derived in database_of(con).design.objects.values() if derived.action.component == VIEWS}


def test_one_value_has_no_variance_and_equal_ones_have_none(shop: Any) -> None:
    text = "SELECT g, stddev(x), var_samp(x), stddev_pop(x), var_pop(x) FROM t WHERE g > 6 GROUP BY g ORDER BY g"
    assert served(shop, text)
    none = (None, None, None, None)
    assert shop.execute(text).fetchall() == [(7, None, None, 0.0, 0.0), (8, 0.0, 0.0, 0.0, 0.0), (9, *none)]


def test_parameters_are_not_asked_for_twice(shop: Any) -> None:
    text = "SELECT h, stddev(x) FILTER (WHERE g > ?) AS s FROM t GROUP BY h ORDER BY h"
    for _ in range(3):
        rows = shop.execute(text, [2]).fetchall()
    assert rows == shop.execute(text.replace("?", "2")).fetchall()


def test_squares_are_stored_where_they_are_asked_for() -> None:
    asked = "SELECT g, {} FROM t GROUP BY g"
    states = {state.text for action in candidates(asked.format("avg(x)")) for state in definition(action).states}
    assert states == {'"main.t"."x"'}
    states = {state.text for action in candidates(asked.format("stddev(x)")) for state in definition(action).states}
    assert states == {'"main.t"."x"', '"main.t"."x" squared'}


@pytest.mark.parametrize("call", ["stddev(n)", "variance(f)", "stddev(x + 1)", "stddev(DISTINCT x)"])
def test_what_no_view_is_proposed_for(call: str) -> None:
    assert candidates(f"SELECT g, {call} FROM t GROUP BY g") == []
