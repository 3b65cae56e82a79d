"""Coarser parts of dates from finer keys, where dates are infinite, far away or NULL, and rows come and go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import sartor
from sartor.components.views.apply import definition
from tests.freshness.support import plain
from tests.views.support import candidates, install, is_served

_VIEWS = (
    ("SELECT g, date_trunc('month', d), sum(x), count(*) FROM t GROUP BY ALL", {}),
    ("SELECT date_trunc('hour', m), sum(x), count(*) FROM t GROUP BY ALL", {}),
    ("SELECT e, sum(x), count(*) FROM t GROUP BY e", {"e": "month"}),
)
_ASKED = (
    "SELECT year(d) AS y, sum(x), count(*) FROM t GROUP BY y ORDER BY y",
    "SELECT g, quarter(d) AS q, count(*) FROM t GROUP BY ALL ORDER BY ALL",
    "SELECT monthname(d) AS n, last_day(d) AS l, count(*) FROM t GROUP BY ALL ORDER BY ALL",
    "SELECT strftime(d, '%B %Y') AS n, count(*) FROM t GROUP BY ALL ORDER BY ALL",
    "SELECT g, sum(x) FROM t WHERE year(d) > 2021 OR year(d) IS NULL GROUP BY g ORDER BY g",
    "SELECT year(m) AS y, week(m) AS w, count(*) FROM t GROUP BY ALL ORDER BY ALL",
    "SELECT m::DATE AS day, isodow(m) AS w, sum(x) FROM t GROUP BY ALL ORDER BY ALL",
    "SELECT year(e) AS y, month(e) AS m, sum(x) FROM t GROUP BY ALL ORDER BY ALL",
    "SELECT extract(century FROM e) AS c, extract(era FROM e) AS r, sum(x) FROM t GROUP BY ALL ORDER BY ALL",
)
_NEVER_RAISES = (_ASKED[0], _ASKED[1], _ASKED[4])
_FAR = "INSERT INTO t VALUES (1, DATE '5877642-06-25 (BC)', NULL, 1, NULL), (1, DATE '5881580-07-10', NULL, 1, DATE '5881580-07-10')"
"""date_trunc raises for them."""


@pytest.fixture
def shop() -> Iterator[Any]:
    with sartor.connect(config={"threads": 1}) as con:
        con.execute("CREATE TABLE t (g INTEGER, d DATE, m TIMESTAMP, x INTEGER, e DATE)")
        con.execute(
            "INSERT INTO t SELECT i % 5, DATE '2020-01-01' + (hash(i) % 1500)::INTEGER, "
            "TIMESTAMP '2020-01-01' + to_minutes((hash(i + 1) % 2000000)::BIGINT), i % 7, "
            "DATE '2000-01-01' + (hash(i) % 9000)::INTEGER FROM range(20000) r(i)"
        )
        con.execute("INSERT INTO t VALUES (1, NULL, NULL, 1, NULL), (2, 'infinity', 'infinity', 2, 'infinity')")
        con.execute(
            "INSERT INTO t VALUES (3, '-infinity', '-infinity', 3, '-infinity'), (4, '0044-03-15 (BC)', NULL, 4, '9999-12-31')"
        )
        con.execute("INSERT INTO t VALUES (4, '0001-01-01', '0001-12-31 (BC) 23:00:00', 4, '5877642-06-25 (BC)')")
        con.execute("INSERT INTO t VALUES (4, '294247-01-10', NULL, 5, NULL)")
        for text, units in _VIEWS:
            install(con, text, units=units)
        yield con


def test_served(shop: Any) -> None:
    assert [text for text in _ASKED if not is_served(shop, text)] == []


def test_rows_come_and_go(shop: Any) -> None:
    for text in _ASKED:
        is_served(shop, text)
    for write in (
        "INSERT INTO t SELECT g + 1, d + 400, m + INTERVAL 5 DAY, x, e - 70 FROM t WHERE isfinite(d) AND year(d) = 2021",
        "UPDATE t SET d = 'infinity', m = NULL WHERE x = 3",
        "DELETE FROM t WHERE year(d) = 2022 OR d IS NULL",
        "INSERT INTO t VALUES (9, NULL, 'infinity', 2, '-infinity')",
    ):
        shop.execute(write)
        for text in _ASKED:
            is_served(shop, text)
        shop.refresh()
        for text in _ASKED:
            is_served(shop, text)


def test_what_is_appended_may_lie_where_date_trunc_raises(shop: Any) -> None:
    """A part of the date is asked of the date itself, so that nothing raises that plain does not."""
    for text in _NEVER_RAISES:
        assert is_served(shop, text)
    shop.execute(_FAR)
    shop.execute("BEGIN")
    for text in _NEVER_RAISES:
        assert shop.execute(text).fetchall() == plain(shop, text), text
    shop.execute("COMMIT")
    assert [text for text in _NEVER_RAISES if not is_served(shop, text)] == []


def test_one_view_answers_months_and_years() -> None:
    """Where the month is a key, the year is none beside it: it takes room and tells nothing more."""
    asked = (
        "SELECT date_trunc('month', d) AS m, sum(x) FROM t GROUP BY m",
        "SELECT year(d) AS y, max(x) FROM t GROUP BY y",
        "SELECT extract(year FROM d) AS y, quarter(d) AS q, min(x) FROM t GROUP BY ALL",
    )
    found = candidates(*asked)
    widest = [view for action in found if len(action.templates) == len(asked) for view in [definition(action)]]
    assert {tuple(key.text for key in view.keys) for view in widest} == {('DATE_TRUNC(\'MONTH\', "main.t"."d")',)}


def test_weeks_stay_beside_months() -> None:
    asked = (
        "SELECT date_trunc('month', d) AS m, sum(x) FROM t GROUP BY m",
        "SELECT date_trunc('week', d) AS w, max(x) FROM t GROUP BY w",
        "SELECT month(d) AS m, dayofweek(d) AS w, min(x) FROM t GROUP BY ALL",
    )
    keys = {key.text for action in candidates(*asked) if len(action.templates) > 1 for key in definition(action).keys}
    assert {'DATE_TRUNC(\'MONTH\', "main.t"."d")', 'DATE_TRUNC(\'WEEK\', "main.t"."d")'} <= keys
