"""Ranges of whole years, quarters, months or days are asked of keys that hold the beginnings of those."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import sartor
from sartor.components.views.apply import definition
from tests.views.support import candidates, install, is_served

_DAYS, _MOMENTS = "SELECT g, d, sum(x), count(*) FROM t GROUP BY g, d", "SELECT g, m, sum(x), count(*) FROM t GROUP BY g, m"
_MATCHED = (
    "SELECT g, sum(x) FROM t WHERE d >= DATE '2021-03-01' GROUP BY g ORDER BY g",
    "SELECT g, sum(x) FROM t WHERE d >= '2021-03-01' AND d < '2022-01-01' AND g > 1 GROUP BY g ORDER BY g",
    "SELECT sum(x), count(*) FROM t WHERE DATE '2021-03-01' <= d AND TIMESTAMP '2022-01-01 00:00:00' > d",
    "SELECT count(*) FROM t WHERE d < DATE '0001-01-01'",
    "SELECT count(*) FROM t WHERE d >= DATE '9999-12-01'",
    "SELECT g, sum(x) FROM t WHERE m >= TIMESTAMP '2021-03-05 00:00:00' AND m < '2021-04-05' GROUP BY g ORDER BY g",
)
_REFUSED = (
    "SELECT g, sum(x) FROM t WHERE d >= DATE '2021-03-02' GROUP BY g ORDER BY g",
    "SELECT g, sum(x) FROM t WHERE d > DATE '2021-03-01' GROUP BY g ORDER BY g",
    "SELECT g, sum(x) FROM t WHERE d <= DATE '2021-03-01' GROUP BY g ORDER BY g",
    "SELECT g, sum(x) FROM t WHERE d = DATE '2021-03-01' GROUP BY g ORDER BY g",
    "SELECT g, sum(x) FROM t WHERE d BETWEEN DATE '2021-03-01' AND DATE '2021-04-01' GROUP BY g ORDER BY g",
    "SELECT g, sum(x) FROM t WHERE d IN (DATE '2021-03-01', DATE '2021-04-01') GROUP BY g ORDER BY g",
    "SELECT g, sum(x) FROM t WHERE d >= TIMESTAMP '2021-03-01 12:00:00' GROUP BY g ORDER BY g",
    "SELECT g, sum(x) FROM t WHERE d >= '2021-3-1' GROUP BY g ORDER BY g",
    "SELECT g, sum(x) FROM t WHERE d >= DATE '10000-01-01' GROUP BY g ORDER BY g",
    "SELECT d, sum(x) FROM t WHERE d >= DATE '2023-03-01' GROUP BY d ORDER BY d",
    "SELECT g, sum(x) FROM t WHERE m >= TIMESTAMP '2021-03-05 00:00:01' GROUP BY g ORDER BY g",
)


@pytest.fixture
def shop() -> Iterator[Any]:
    """Days and moments of some years, NULLs, infinities, and days for which date_trunc raises."""
    with sartor.connect(config={"threads": 1}) as con:
        con.execute("CREATE TABLE t (g INTEGER, d DATE, m TIMESTAMP, x INTEGER)")
        con.execute(
            "INSERT INTO t SELECT i % 5, DATE '2020-01-01' + (hash(i) % 1500)::INTEGER, "
            "TIMESTAMP '2020-01-01' + to_minutes((hash(i + 1) % 2000000)::BIGINT), i % 7 FROM range(20000) r(i)"
        )
        con.execute("INSERT INTO t VALUES (1, NULL, NULL, 1), (2, 'infinity', 'infinity', 2), (3, '-infinity', '-infinity', 3)")
        con.execute("INSERT INTO t VALUES (4, DATE '294247-01-11', NULL, 4), (4, DATE '5877642-06-25 (BC)', NULL, 5)")
        con.execute("INSERT INTO t VALUES (4, '0000-12-31', '290309-12-22 (BC) 00:00:00', 4), (4, '9999-12-31', NULL, 5)")
        for text, units in ((_DAYS, {"d": "month"}), (_MOMENTS, {"m": "day"})):
            install(con, text, units=units)
        yield con


def test_matched(shop: Any) -> None:
    assert [text for text in _MATCHED if not is_served(shop, text)] == []


def test_refused(shop: Any) -> None:
    assert [text for text in _REFUSED if is_served(shop, text)] == []


def test_other_literals_of_a_template(shop: Any) -> None:
    """A template that was found to match runs plain where its literals begin no month."""
    text = "SELECT g, sum(x) FROM t WHERE d >= DATE '2021-0{}' GROUP BY g ORDER BY g"
    assert [is_served(shop, text.format(day)) for day in ("1-01", "2-01", "2-02", "3-01", "3-31")] == [True, True, False, True, False]


def test_days_for_which_date_trunc_raises_may_come(shop: Any) -> None:
    shop.execute(
        "INSERT INTO t VALUES (1, DATE '5877642-06-25 (BC)', NULL, 1), (1, DATE '5881580-07-10', NULL, 1), (1, 'infinity', NULL, 2)"
    )
    for text in _MATCHED:
        assert is_served(shop, text)
    shop.refresh()
    for text in _MATCHED:
        assert is_served(shop, text)


_ASKED = "SELECT g, sum(x) FROM t WHERE d >= DATE '{}' GROUP BY g ORDER BY g"


@pytest.mark.parametrize(
    ("days", "unit"),
    [
        (("2020-01-01", "2021-01-01"), "year"),
        (("2020-01-01", "2020-07-01"), "quarter"),
        (("2020-01-01", "2020-02-01"), "month"),
        (("2020-01-01", "2020-02-02"), ""),
    ],
)
def test_the_coarsest_unit_of_all_literals_is_proposed(days: tuple[str, ...], unit: str) -> None:
    keys = {key.text for action in candidates(*map(_ASKED.format, days)) for key in definition(action).keys}
    assert {text for text in keys if " of " in text} == ({f'{unit} of "main.t"."d"'} if unit else set())


def test_a_union_holds_the_finest_unit() -> None:
    """A year begins with a month; what is asked by days needs the day."""
    months, years = _ASKED.format("2020-02-01"), _ASKED.replace("sum(x)", "count(*)").format("2020-01-01")
    united = max((definition(action) for action in candidates(months, years)), key=lambda view: len(view.states))
    assert [key.text for key in united.keys if '"d"' in key.text] == ['month of "main.t"."d"']
    days = _ASKED.replace("sum(x)", "max(x)").format("2020-01-03")
    every = [definition(action) for action in candidates(months, years, days)]
    widest = max(every, key=lambda view: len(view.states))
    assert [key.text for key in widest.keys if '"d"' in key.text] == ['"main.t"."d"']
